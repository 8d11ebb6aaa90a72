# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts typed for many layouts: through a session and the gadget into the target's kernel, and read there by
libxkbcommon's keyboard of the same layout."""
import select
import time

import lib
import pytest
import target
import xkb
from evdev import ecodes
from tests.peer.controller import Controller

# And how many characters at least.
LAYOUTS = {"us": 95, "us(intl)": 290, "gb": 320, "de": 300, "de(nodeadkeys)": 180, "fr": 290, "es": 310, "it": 290,
           "ch": 300, "pt": 310, "br": 300, "pl": 320, "ru": 96, "jp": 95, "cz": 290, "se": 290}
# Characters. The kernel keeps 64 events for a reader, who may be late on a busy machine: two dead keys and their bases,
# each with Shift and AltGr, fit.
AT_ONCE = 2


@pytest.fixture(scope="module", params=LAYOUTS)
def agent(request, usb, tmp_path_factory):
    name = "texts-" + request.param.replace("(", "-").rstrip(")")
    with lib.Agent(tmp_path_factory.mktemp(name), hid={"backend": "gadget", "layout": request.param,
                                                       "dead_keys": "linux", "type_interval_ms": 4}) as running:
        running.layout = request.param
        yield running


@pytest.fixture
def keyboard(agent):
    with target.Target(("keyboard",)) as host:
        yield host


@pytest.fixture
def peer(agent):
    with Controller.direct("127.0.0.1", agent.port, timeout=lib.PATIENCE_S) as session:
        session.login(lib.PASSWORD, timeout=lib.PATIENCE_S)
        yield session


def read_until(keyboard, desktop, done, what):
    """Feeds what the kernel reports to the desktop until done() and no key is down."""
    device = keyboard.devices["keyboard"]
    deadline = time.monotonic() + 2 * lib.PATIENCE_S
    while not done() or desktop.down:
        left = deadline - time.monotonic()
        assert left > 0 and select.select([device.fd], [], [], left)[0], f"{what}: got {desktop.text!r}"
        for event in device.read():
            assert (event.type, event.code) != (ecodes.EV_SYN, ecodes.SYN_DROPPED), "more events than a reader can have"
            if event.type == ecodes.EV_KEY and event.value != 2:
                desktop.key(event.code, event.value == 1)


def typed_back(keyboard, peer, desktop, text):
    """What comes of a text. What comes too much is found before the next one."""
    desktop.text = ""
    for start in range(0, len(text), AT_ONCE):
        wanted = start + len(text[start:start + AT_ONCE])
        peer.input_string(text[start:start + AT_ONCE])
        read_until(keyboard, desktop, lambda: len(desktop.text) >= wanted, repr(text[start:]))
        assert desktop.text == text[:wanted]
    return desktop.text


def test_every_printable_character(agent, keyboard, peer):
    with xkb.Desktop(agent.layout) as desktop:
        text = desktop.printable()
        assert len(text) >= LAYOUTS[agent.layout], f"only {len(text)} characters: {text}"
        assert typed_back(keyboard, peer, desktop, text) == text
    peer.run(0.1)
    print(f"{agent.layout}: {len(text)} characters")
    assert not peer.menu.chat, "nothing was left out"
    assert keyboard.keys_held() == []


def test_capslock_of_the_target_is_compensated(agent, keyboard, peer):
    text = {"ru": "Пример 123"}.get(agent.layout, "Some Text 123!")
    before = agent.log().count("caps=1")
    keyboard.set_led(ecodes.LED_CAPSL, True)
    agent.wait_log("caps=1", before + 1)
    with xkb.Desktop(agent.layout) as desktop:
        shift = agent.layout == "jp"  # there CapsLock alone is another key
        for key in ((xkb.LEFT_SHIFT, xkb.CAPS) if shift else (xkb.CAPS,)):
            desktop.key(key, True)
        for key in ((xkb.CAPS, xkb.LEFT_SHIFT) if shift else (xkb.CAPS,)):
            desktop.key(key, False)
        assert desktop.caps_locked()
        for start in range(0, len(text), AT_ONCE):
            assert typed_back(keyboard, peer, desktop, text[start:start + AT_ONCE]) == text[start:start + AT_ONCE]
            read_until(keyboard, desktop, desktop.caps_locked, "CapsLock on again")
    keyboard.set_led(ecodes.LED_CAPSL, False)
    agent.wait_log("num=0 caps=0 scroll=0")


def test_what_the_layout_lacks_is_told(agent, keyboard, peer):
    with xkb.Desktop(agent.layout) as desktop:
        peer.input_string("1\N{SNOWMAN}2")
        read_until(keyboard, desktop, lambda: len(desktop.text) >= 2, "the rest")
        assert desktop.text == "12"
    lib.eventually(lambda: peer.run(0.05) is not None and peer.menu.chat, "the word about it")
    assert peer.menu.chat == [f'Left out, keyboard layout "{agent.layout}" cannot type it: U+2603 SNOWMAN']
