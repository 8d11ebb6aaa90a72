# SPDX-License-Identifier: GPL-3.0-or-later
"""Several controllers at once, coming and going: what the thread sanitizer has to see."""

import contextlib
import time

import pytest

from peer import card
from peer.agent import PASSWORD
from peer.controller import Controller

pytestmark = pytest.mark.tsan


def connect(agent, **kw):
    return Controller.direct("127.0.0.1", agent.port, **kw)


def test_several_controllers_stream_and_type_together(start_agent):
    agent = start_agent(video={"fps": 15})
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(agent)) for _ in range(4)]
        for client in clients:
            client.login(PASSWORD)
            # On a slow machine a slate comes first.
            client.frame_where(lambda picture: card.read_number(picture.y) is not None, 60)
        last = [-1] * len(clients)
        for turn in range(10):
            for i, client in enumerate(clients):
                client.tap("a", "LShift")
                client.mouse_move(10 * turn, 10 * i)
                client.mouse_wheel(1)
                if turn % 4 == i:
                    client.refresh_video()
                for picture in client.frames(2, timeout=30):
                    number = card.read_number(picture.y)
                    assert number is not None and number >= last[i]  # a key picture may repeat one
                    last[i] = number
        clients[0].input_string("typed by one of them\n")
        clients[1].set_custom_fps(5)
        clients[2].set_image_quality(2)
        clients[3].set_view_only(True)
        for client in clients:
            list(client.frames(5, timeout=30))


def test_a_hundred_sessions_start_and_stop(start_agent):
    agent = start_agent(video={"fps": 60})
    threads = agent.threads()
    with connect(agent) as watching:
        watching.login(PASSWORD)
        watching.frame()
        for n in range(100):
            client = connect(agent)
            if n % 4:
                client.login(PASSWORD)
            if n % 4 > 1:
                client.send_key("a")
                client.frame(20)
            if n % 4 == 3:
                client.close()
            else:
                client.abort()
            watching.run(0)
        list(watching.frames(5, timeout=30))
    deadline = time.monotonic() + 30
    while agent.threads() > threads + 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert agent.threads() <= threads + 1


def test_the_agent_starts_and_stops_many_times(start_agent):
    agent = start_agent()
    identity = agent.id
    for n in range(10):
        if n % 2:
            with connect(agent) as client:
                client.login(PASSWORD)
                client.frame(20)
                agent.stop()
        else:
            agent.stop()
        agent.start()
        assert agent.id == identity
