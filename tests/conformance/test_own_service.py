# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendezvous service of the device itself, towards clients that were given one string."""

import re

import pytest

from devices import SERVE
from peer import addr, handshake, pb, rendezvous
from peer.agent import PASSWORD
from peer.conn import Conn
from peer.controller import Controller


@pytest.fixture(scope="module", name="served")
def fixture_served(run_agent):
    agent = run_agent(rustdesk={"serve": SERVE})
    agent.key = re.search(r"\?key=(\S{44})", agent.log).group(1)
    agent.device_key = re.search(r"device-key key=(\S{44})", agent.log).group(1)
    return agent


def ask(agent, port=None, **union):
    """One question on a connection of its own; the answer."""
    with Conn.connect("127.0.0.1", port or agent.serve_port, timeout=5) as conn:
        conn.send_msg(pb.rendezvous(**union))
        return conn.recv_msg(pb.RendezvousMessage, 5), conn.local


def call(agent, **fields):
    request = pb.PunchHoleRequest(**{"id": agent.id, "licence_key": agent.key, **fields})
    return ask(agent, punch_hole_request=request)[0]


def test_one_string_is_enough(served):
    """<id>@<address>:<port>?key=<key> in the ID box gives an encrypted session."""
    with Controller.via_id_box(f"{served.id}@127.0.0.1:{served.serve_port}?key={served.key}") as client:
        assert client.secure and client.login(PASSWORD)


def test_id_with_r_is_served_too(served):
    """<id>/r@..., which insists on a relay, gets a session as well."""
    with Controller.via_id_box(f"{served.id}/r@127.0.0.1:{served.serve_port}?key={served.key}") as client:
        assert client.secure and client.login(PASSWORD)


def test_id_of_such_a_client_has_an_at(served):
    """my_id of such a client carries @ and its own server, and is accepted."""
    with Controller.via_id_box(f"{served.id}@127.0.0.1:{served.serve_port}?key={served.key}") as client:
        assert client.login(PASSWORD, my_id="987654321@rs.example")


def test_answer_names_where_to_connect(served):
    """PunchHoleResponse names an address that takes connections at once."""
    host, port = addr.decode(call(served).punch_hole_response.socket_addr)
    with Conn.connect(host, port, timeout=5) as conn:
        assert conn.recv_msg(pb.Message, 5).WhichOneof("union") == "signed_id"


def test_answer_vouches_for_the_device(served):
    """PunchHoleResponse.pk is the device's id and key, signed with the key in the string."""
    reply = call(served).punch_hole_response
    assert handshake.verify_id_pk(reply.pk, handshake.decode_server_key(served.key)) == \
        (served.id, handshake.decode_server_key(served.device_key))


def test_client_that_insists_on_a_relay_gets_the_same_vouching(served):
    """A PunchHoleRequest with force_relay is answered with a signed key as well."""
    answer = call(served, force_relay=True)
    signed = answer.relay_response.pk or answer.punch_hole_response.pk
    assert handshake.verify_id_pk(signed, handshake.decode_server_key(served.key))[0] == served.id


def test_client_that_falls_back_to_a_relay_is_answered(served):
    """A RequestRelay is answered by a RelayResponse that refuses nothing."""
    answer = ask(served, request_relay=pb.RequestRelay(id=served.id, uuid="u-3", licence_key=served.key))[0]
    assert answer.WhichOneof("union") == "relay_response" and not answer.relay_response.refuse_reason


def test_keys_of_service_and_device_differ(served):
    """The service's key is another one than the device's, so neither signature passes for the other."""
    assert served.key != served.device_key


@pytest.mark.parametrize("key", ["", "x" * 44, "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="])
@pytest.mark.parametrize("own", [True, False], ids=["own id", "other id"])
def test_wrong_key_is_said_before_anything_about_ids(served, key, own):
    """Without the right key the answer is LICENSE_MISMATCH, whichever id was asked for."""
    reply = call(served, id=served.id if own else "999999999", licence_key=key).punch_hole_response
    assert reply.failure == pb.PunchHoleResponse.LICENSE_MISMATCH and not reply.pk and not reply.socket_addr


def test_unknown_id_does_not_exist(served):
    """An id that is not served is answered ID_NOT_EXIST."""
    answer = call(served, id="999999999")
    assert answer.WhichOneof("union") == "punch_hole_response"
    assert answer.punch_hole_response.failure == pb.PunchHoleResponse.ID_NOT_EXIST
    with pytest.raises(rendezvous.RendezvousError, match="ID does not exist"):
        Controller.via_id_box(f"999999999@127.0.0.1:{served.serve_port}?key={served.key}")


def test_nat_test_is_answered_on_both_ports(served):
    """TestNatRequest is answered on the service's port and on the one below it, with the client's port."""
    for port in (served.serve_port, served.serve_port - 1):
        answer, local = ask(served, port, test_nat_request=pb.TestNatRequest(serial=1))
        assert answer.test_nat_response.port == local[1]


def test_online_query_is_answered(served):
    """OnlineRequest is answered with a bit for each id asked for, the first in the highest place."""
    peers = ["111111111"] * 9 + [served.id]
    answer = ask(served, served.serve_port - 1, online_request=pb.OnlineRequest(id="1", peers=peers))[0]
    assert answer.online_response.states == b"\x00\x40"


def test_service_is_off_unless_asked_for(device):
    """Without configuration there is no service."""
    assert device.serve_port == 0


def test_key_is_kept_over_a_restart(start_agent):
    """The string stays good after a restart."""
    agent = start_agent(rustdesk={"serve": SERVE})
    agent.stop()
    agent.start()
    assert len(set(re.findall(r"\?key=(\S{44})", agent.log))) == 1
