# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of a controller whose stream is full of pictures."""

import statistics
import time

from peer import pb, qos
from peer.agent import PASSWORD
from peer.controller import Controller


def test_input_never_waits_behind_video(start_agent):
    """A controller that reads nothing: all that may queue is full, and each key goes through all the same."""
    agent = start_agent(video={"width": 1280, "height": 720, "card_noise": 100})
    with Controller.direct("127.0.0.1", agent.port, rcvbuf=8192) as stuck:
        stuck.login(PASSWORD)
        stuck.set_custom_quality(500)
        port = stuck.conn.local[1]
        deadline = time.monotonic() + 20
        while qos.tcp_queue(agent.pid, port) < 30000 and time.monotonic() < deadline:
            time.sleep(0.02)
        sent = []
        for n in range(20):
            sent.append(time.monotonic())
            stuck.tap("a")
            agent.wait_reports(lambda rows, n=n: sum(row[2] > 0 for _, row in rows) > n, "keyboard")
        assert qos.tcp_queue(agent.pid, port) >= 30000  # it was full all the time
        delays = [delay for _, delay in qos.key_delays(agent.record, sent, 0)]
        print(f"keys took {statistics.median(delays) * 1000:.1f} ms, at most {max(delays) * 1000:.1f} ms")
        assert statistics.median(delays) < 0.1
        # Its TestDelay was answered too: one finds the answer behind what the kernel had taken by then.
        before = stuck.conn.received_bytes
        stuck.send(test_delay=pb.TestDelay(from_client=True, time=1))
        stuck.wait_for(lambda r: r.kind == "test_delay" and r.msg.from_client, 20)
        assert stuck.conn.received_bytes - before < 3_000_000
