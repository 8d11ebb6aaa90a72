# SPDX-License-Identifier: GPL-3.0-or-later
"""The NAT type: asked of the server, told to controllers."""

import time

from devices import registered
from peer import pb
from peer.controller import Controller


def punch(mock, agent, **kw):
    return Controller.via_hbbs(mock.address, agent.id, server_key=mock.key, local_host="127.0.0.2", **kw)


def wait_kept(agent, text):
    """Until it is on disk."""
    path, deadline = agent.folder / "state/nat", time.monotonic() + 10
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < deadline, "not kept"
        time.sleep(0.02)


def test_both_ports_are_asked_in_order(start_agent, mock):
    """TestNatRequest goes by TCP to the server's port, then to the port below it."""
    registered(start_agent, mock).wait_log("nat: type known")
    assert [e.info["via"] for e in mock.hbbs.all("test_nat_request")] == ["tcp", "nat"]


def test_both_questions_come_from_one_port(start_agent, mock):
    """Both connections of the test come from the same local address and port."""
    registered(start_agent, mock).wait_log("nat: type known")
    assert len({e.peer for e in mock.hbbs.all("test_nat_request")}) == 1


def test_question_carries_the_serial(start_agent, mock):
    """TestNatRequest carries the serial, at least 3."""
    registered(start_agent, mock).wait_log("nat: type known")
    assert all(e.msg.serial >= 3 for e in mock.hbbs.all("test_nat_request"))


def test_equal_ports_mean_asymmetric(start_agent, mock):
    """Equal ports mean NAT type asymmetric, which PunchHoleSent says."""
    agent = registered(start_agent, mock)
    agent.wait_log("nat: .*asymmetric")
    with punch(mock, agent):
        assert mock.hbbs.wait_for("punch_hole_sent", 1).msg.nat_type == pb.NAT_ASYMMETRIC


def test_different_ports_mean_symmetric_and_relay(start_agent, mock):
    """Different ports mean a symmetric NAT: the device always offers a relay."""
    mock.hbbs.symmetric_nat = True
    agent = registered(start_agent, mock)
    agent.wait_log("nat: .*symmetric: relay only")
    with punch(mock, agent) as client:
        assert client.path == "device-relay"


def test_unknown_is_treated_like_no_symmetric_nat(start_agent, mock):
    """Without a result the type is unknown, said so, and punching is tried."""
    mock.hbbs.nat_test = False
    agent = registered(start_agent, mock)
    with punch(mock, agent) as client:
        assert client.path == "punched"
        assert mock.hbbs.wait_for("punch_hole_sent", 1).msg.nat_type == pb.NAT_UNKNOWN


def test_serial_in_the_answer_is_taken_over(start_agent, mock):
    """ConfigUpdate in TestNatResponse counts like one by UDP; its list is ignored."""
    mock.hbbs.serial, mock.hbbs.rendezvous_servers = 11, ["192.0.2.7"]
    agent = registered(start_agent, mock)
    wait_kept(agent, "serial = 11;")
    agent.stop()
    start = mock.hbbs.mark()
    agent.start()
    assert mock.hbbs.wait_for("register_peer", 10, start).msg.serial == 11


def test_result_is_kept_over_a_restart(start_agent, mock):
    """The NAT type is kept on disk and used until it has been measured again."""
    mock.hbbs.symmetric_nat = True
    agent = registered(start_agent, mock)
    agent.wait_log("nat: .*symmetric")
    wait_kept(agent, "type = 2;")
    agent.stop()
    mock.hbbs.nat_test = False
    agent.start()
    agent.wait_log("rendezvous: registered with", count=2)
    with punch(mock, agent) as client:
        assert client.path == "device-relay"
