# SPDX-License-Identifier: GPL-3.0-or-later
"""Several displays: which there are, which are shown, and what is told of them."""

import pytest

from devices import HANDS_OFF, dial
from peer.agent import CARD, PASSWORD
from peer.hands import Hands, position

# Left, right of it, and one that hangs below the first.
SIZES = [(640, 360), (800, 600), (480, 320)]
PLACES = [(0, 0), (640, 0), (-100, 360)]
DISPLAYS = [{"name": "left"}, {"width": 800, "height": 600}, {"width": 480, "height": 320, "x": -100, "y": 360}]
DESK = (-100, 0, 1440, 680)  # and its lower right corner


@pytest.fixture(scope="module", name="several")
def fixture_several(run_agent):
    return run_agent(video={**CARD, "displays": DISPLAYS}, hid=HANDS_OFF)


@pytest.fixture(name="viewer")
def fixture_viewer(several):
    """Logged in, and has seen a picture."""
    with dial(several) as client:
        client.login(PASSWORD)
        client.frame()
        yield client


def assert_shown(client, displays):
    """From now on pictures are sent of these displays, and of no other."""
    client.message_query(0)
    client.wait_for("misc.switch_display", 10)
    client.pictures.clear()
    client.run(0.4)
    seen = {p.display for p in client.pictures}
    while not displays <= seen:
        seen.add(client.frame(20).display)
    assert seen == displays


def told(client, ask):
    """The SwitchDisplay that answers."""
    ask()
    return client.wait_for("misc.switch_display", 10).msg


def test_all_displays_are_in_the_list(several):
    """PeerInfo lists all displays with their names, places and sizes; the first is current."""
    with dial(several) as client:
        info = client.login(PASSWORD)
        assert [d.name for d in info.displays] == ["left", "HDMI-2", "HDMI-3"]
        assert [(d.width, d.height) for d in info.displays] == SIZES
        assert [(d.x, d.y) for d in info.displays] == PLACES
        assert info.current_display == 0 and all(d.online and d.cursor_embedded for d in info.displays)


def test_the_first_display_is_shown_after_login(viewer):
    """After login the current display alone is sent."""
    assert_shown(viewer, {0})


@pytest.mark.parametrize("display", [1, 2])
def test_switch_is_answered_with_the_new_display(viewer, display):
    """SwitchDisplay to another display is answered with that display's place, size and resolutions."""
    msg = told(viewer, lambda: viewer.switch_display(display))
    assert (msg.display, msg.x, msg.y) == (display, *PLACES[display])
    assert (msg.width, msg.height) == SIZES[display]
    assert (msg.resolutions.resolutions[0].width, msg.original_resolution.width) == (msg.width, msg.width)
    assert viewer.frame_where(lambda p: p.display == display, 10).key


def test_switch_watches_both_until_the_client_says_otherwise(viewer):
    """SwitchDisplay adds a display; the CaptureDisplays that follows it takes the one before away."""
    viewer.switch_display(1)
    assert_shown(viewer, {0, 1})
    viewer.capture_displays(set=[1])
    assert_shown(viewer, {1})


def test_switch_of_a_client_of_old_leaves_the_one_before(several):
    """For clients before 1.2.4 SwitchDisplay shows the new display instead of the old one."""
    with dial(several) as client:
        client.login(PASSWORD, version="1.2.3")
        client.frame()
        client.switch_display(1)
        assert_shown(client, {1})


@pytest.mark.parametrize("lists, shown", [
    ({"set": [1, 2]}, {1, 2}), ({"set": [0, 1, 2]}, {0, 1, 2}), ({"add": [2]}, {0, 2}),
    ({"add": [1], "set": [2]}, {0, 1}), ({"set": [2, 7, -1]}, {2}), ({"add": [9, 1]}, {0, 1}), ({"set": [3]}, {0}),
    ({"add": [-1], "set": [1]}, {0}),
    ({"sub": [5], "set": [1]}, {0}), ({"sub": [0, 1]}, {0}), ({"sub": [1]}, set()), ({}, set())], ids=str)
def test_capture_displays(viewer, lists, shown):
    """CaptureDisplays: add, else sub (what goes on), else set; displays that are not there are left out."""
    viewer.capture_displays(**lists)
    assert_shown(viewer, shown)


def test_each_display_added_starts_with_a_key_picture(viewer):
    """The first picture of a display that is added or set is a key picture."""
    viewer.capture_displays(set=[0, 1])
    assert viewer.frame_where(lambda p: p.display == 1, 10).key
    viewer.capture_displays(add=[2])
    assert viewer.frame_where(lambda p: p.display == 2, 10).key


def test_refresh_of_one_display_is_for_it_alone(viewer):
    """refresh_video_display brings a key picture of that display, and of no other."""
    viewer.capture_displays(set=[0, 1])
    viewer.frame_where(lambda p: p.display == 1, 10)
    viewer.run(1.5)
    viewer.pictures.clear()
    viewer.refresh_video_display(1)
    pictures = []
    while not any(p.key and p.display == 1 for p in pictures):
        pictures.append(viewer.frame(10))
    assert not any(p.key and p.display == 0 for p in pictures)


def test_refresh_of_all_displays(viewer):
    """refresh_video brings a key picture of every display that is watched."""
    viewer.capture_displays(set=[0, 2])
    viewer.frame_where(lambda p: p.display == 2, 10)
    viewer.run(0.5)
    viewer.pictures.clear()
    viewer.refresh_video()
    keys = set()
    while keys != {0, 2}:
        picture = viewer.frame(10)
        keys |= {picture.display} if picture.key else set()


def test_query_of_a_display_that_is_not_watched(viewer):
    """MessageQuery is answered for a display that is not watched, and does not start it."""
    msg = told(viewer, lambda: viewer.message_query(2))
    assert (msg.display, msg.x, msg.y, msg.width, msg.height) == (2, *PLACES[2], *SIZES[2])
    assert_shown(viewer, {0})


@pytest.mark.parametrize("display", range(3))
def test_resolution_of_a_display_is_answered_for_it(viewer, display):
    """change_display_resolution that cannot be is answered with that display's true size."""
    msg = told(viewer, lambda: viewer.change_resolution(1024, 768, display))
    assert (msg.display, msg.width, msg.height) == (display, *SIZES[display])


def test_resolution_without_a_number_is_of_the_current_display(viewer):
    """change_resolution is of the display that was switched to last."""
    told(viewer, lambda: viewer.switch_display(1))
    assert told(viewer, lambda: viewer.change_resolution(1024, 768)).display == 1


def test_display_lists_are_whole_with_several(viewer):
    """A PeerInfo in the session lists all displays, whichever it is about."""
    told(viewer, lambda: viewer.message_query(1))
    viewer.run(0.3)
    assert viewer.received("peer_info")
    assert all([(d.width, d.height) for d in m.displays] == SIZES for m in viewer.received("peer_info"))


@pytest.mark.parametrize("x, y", [(0, 0), (639, 359), (640, 0), (1439, 599), (-100, 360), (379, 679), (-5000, 9000)])
def test_pointer_covers_all_displays(several, viewer, x, y):
    """Mouse coordinates are those of the whole desktop; the pointer's range is the rectangle around all displays."""
    hands = Hands(several, viewer)
    viewer.mouse_move(x, y)
    left, top, right, bottom = DESK
    wanted = (round((min(max(x, left), right - 1) - left) * 32767 / (right - left - 1)),
              round((min(max(y, top), bottom - 1) - top) * 32767 / (bottom - top - 1)))
    assert position(hands.pointer()[-1][1]) == wanted


def test_screenshot_is_of_its_display(viewer):
    """A screenshot is of the display asked for; of one that nobody watches it is refused in words."""
    viewer.capture_displays(set=[0, 1])
    viewer.frame_where(lambda p: p.display == 1, 10)
    viewer.screenshot(1)
    png = viewer.wait_for("screenshot_response", 20).msg.data
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == SIZES[1]
    viewer.run(1.1)
    viewer.screenshot(2)
    answer = viewer.wait_for("screenshot_response", 20).msg
    assert not answer.data and "nobody watches" in answer.msg
