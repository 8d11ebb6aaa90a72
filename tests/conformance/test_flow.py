# SPDX-License-Identifier: GPL-3.0-or-later
"""Pace: acknowledgements, probes, quality, frames per second."""

import pytest

from devices import dial, logged_in
from peer import pb
from peer.agent import PASSWORD


@pytest.fixture(name="web")
def fixture_web(device):
    """A web client, which acknowledges each picture."""
    with dial(device) as client:
        client.login(PASSWORD, video_ack_required=True)
        client.frame()
        yield client


def test_unacknowledged_picture_holds_the_next(web):
    """With video_ack_required the next picture waits for video_received."""
    web.run(1.0)
    assert not web.pictures


def test_acknowledged_picture_lets_the_next_go(web):
    """video_received lets the next picture go."""
    for _ in range(5):
        web.video_received()
        assert web.frame(2)


def test_native_clients_need_not_acknowledge(client):
    """Without video_ack_required nobody waits for video_received, and one that comes does no harm."""
    client.video_received()
    client.pictures.clear()
    assert len(list(client.frames(10, timeout=10))) == 10


# ---- probes

def test_probe_is_asked_by_the_device(client):
    """TestDelay of the device has from_client unset and no time."""
    probe = client.wait_for("test_delay", 5, since=0).msg
    assert not probe.from_client and not probe.time


def test_probe_names_the_bitrate(client):
    """TestDelay says the encoder's bitrate in kbit/s."""
    probe = client.wait_for(lambda r: r.kind == "test_delay" and r.msg.target_bitrate, 5).msg
    assert 100 < probe.target_bitrate < 5000


def test_probe_names_the_last_delay(client):
    """TestDelay says how long the answer to the one before took."""
    client.echo_test_delay = False
    probe = client.wait_for("test_delay", 5).msg
    client.run(0.4)
    client.send(test_delay=probe)
    assert 390 <= client.wait_for("test_delay", 5).msg.last_delay < 3000


@pytest.mark.parametrize("time_", [0, 1, 1 << 40, -1])
def test_probes_of_clients_are_echoed_unchanged(client, time_):
    """TestDelay with from_client set comes back as it was."""
    asked = {"time": time_, "from_client": True, "last_delay": 17, "target_bitrate": 4}
    client.send(test_delay=pb.TestDelay(**asked))
    echo = client.wait_for(lambda r: r.kind == "test_delay" and r.msg.from_client, 5).msg
    assert echo == pb.TestDelay(**asked)


def test_probe_does_not_wait_behind_pictures(start_agent):
    """Probes go on each second while pictures flow."""
    agent = start_agent()
    with logged_in(agent) as client:
        client.run(2.4)
        assert 2 <= len(client.received("test_delay")) <= 5


def test_answer_nobody_asked_for_does_no_harm(client):
    """An answer to a probe that was answered already is ignored."""
    for _ in range(5):
        client.send(test_delay=pb.TestDelay(last_delay=99))
    assert client.frame()


# ---- quality

QUALITIES = {
    "default": {}, "low": {"image_quality": 2}, "balanced": {"image_quality": 3}, "best": {"image_quality": 4},
    "custom 50": {"custom_image_quality": 50 << 8}, "custom 100": {"custom_image_quality": 100 << 8},
    "custom 1": {"custom_image_quality": 1 << 8}, "custom 0": {"custom_image_quality": 0},
    "negative": {"custom_image_quality": -256}, "unknown": {"image_quality": 77},
    "both": {"image_quality": 2, "custom_image_quality": 100 << 8},
}


@pytest.fixture(scope="module", name="rates")
def fixture_rates(run_agent):
    """Bitrates by image quality, in kbit/s."""
    clients = {}
    for name, option in QUALITIES.items():  # each a device of its own: what one aims at is the best for all
        clients[name] = dial(run_agent(video={"fps": 2}))
        clients[name].login(PASSWORD, option=option)
    found = {}
    for name, client in clients.items():
        with client:
            found[name] = client.wait_for(lambda r: r.kind == "test_delay" and r.msg.target_bitrate, 5).msg \
                .target_bitrate
    return found


@pytest.mark.parametrize("name, ratio", [("low", 0.5), ("balanced", 0.67), ("best", 1.5), ("custom 50", 1.0),
                                         ("custom 100", 2.0), ("custom 1", 0.2)])
def test_quality_is_a_share_of_the_base_bitrate(rates, name, ratio):
    """Low, balanced, best are 0.5, 0.67 and 1.5 of the base bitrate; a custom percentage is twice its share, at least
    0.2."""
    assert rates[name] / rates["custom 50"] == pytest.approx(ratio, rel=0.05)


def test_balanced_is_the_default(rates):
    """Without a quality, which is how clients say balanced at login, it is balanced."""
    assert rates["default"] == rates["balanced"]


@pytest.mark.parametrize("name", ["custom 0", "negative", "unknown"])
def test_senseless_qualities_are_ignored(rates, name):
    """Qualities that are zero, negative or not known are ignored."""
    assert rates[name] == rates["default"]


def test_custom_quality_counts_only_without_a_named_one(rates):
    """custom_image_quality counts only where image_quality is not set."""
    assert rates["both"] == rates["low"]


# ---- frames per second

def pace(client, seconds=1.5):
    """Pictures a second, once the first are over."""
    client.run(0.7)
    client.pictures.clear()
    client.run(seconds)
    return len(client.pictures) / seconds


def test_custom_fps_is_obeyed(client):
    """custom_fps limits the pictures a second."""
    client.set_custom_fps(5)
    assert 2 <= pace(client) <= 8


def test_auto_adjusted_fps_is_obeyed(client):
    """auto_adjust_fps, the older way, limits them too."""
    client.auto_adjust_fps(5)
    assert 2 <= pace(client) <= 8


def test_senseless_fps_are_ignored(client):
    """Rates below 1 and above 120 are ignored."""
    for fps in (0, -5, 121, 2**31 - 1):
        client.set_custom_fps(fps)
    client.auto_adjust_fps(0)
    client.auto_adjust_fps(4000)
    assert pace(client) > 12


@pytest.mark.parametrize("misc", [{"full_speed_fps": 60}, {"client_record_status": True},
                                  {"client_record_status": False}], ids=str)
def test_hints_that_do_not_matter_are_ignored(client, misc):
    """Hints for other encoders do no harm."""
    client.send_misc(**misc)
    client.pictures.clear()
    assert client.frame()


def test_slow_reader_does_not_hold_up_others(start_agent):
    """A client that does not read loses pictures, others do not."""
    agent = start_agent(video={"card_noise": 100})
    with dial(agent, rcvbuf=4096) as slow, logged_in(agent) as good:
        slow.login(PASSWORD)
        good.pictures.clear()
        assert len(list(good.frames(30, timeout=10))) == 30
