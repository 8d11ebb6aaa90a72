# SPDX-License-Identifier: GPL-3.0-or-later
"""Who the device is, and that it stays so."""

import re
import shutil

import pytest

from devices import dial, registered
from peer import handshake, pb
from peer.agent import PASSWORD
from peer.controller import Controller, LoginError


def announced(agent, mock, since=0):
    """The RegisterPk of an agent."""
    return mock.hbbs.wait_for("register_pk", 10, since).msg


def test_made_up_id_is_nine_digits(device):
    """Without a configured id the device makes up nine digits: at least 6 characters, safe in every client."""
    assert re.fullmatch("[1-9][0-9]{8}", device.id)


def test_identity_survives_a_restart(start_agent, mock):
    """Id, key pair and uuid are the same after a restart."""
    agent = registered(start_agent, mock)
    first, id_ = announced(agent, mock), agent.id
    agent.stop()
    mark = mock.hbbs.mark()
    agent.start()
    second = announced(agent, mock, mark)
    assert agent.id == id_ and (first.id, first.uuid, first.pk) == (second.id, second.uuid, second.pk)


def test_salt_survives_a_restart(start_agent):
    """The salt is the same after a restart, so the hashes that clients remember stay good."""
    agent = start_agent()
    with dial(agent) as client:
        salt = client.wait_hash().salt
        h1 = handshake.password_h1(PASSWORD, salt)
    agent.stop()
    agent.start()
    with dial(agent) as client:
        assert client.wait_hash().salt == salt
        client.login(h1)


def test_lost_identity_is_made_anew_and_sessions_stay_encrypted(start_agent, mock):
    """Without its keys the device makes new ones and registers them; it does not fall back to sessions in the clear."""
    agent = registered(start_agent, mock, id="kvm-lost")
    first = announced(agent, mock)
    agent.stop()
    shutil.rmtree(agent.folder / "state")
    mark = mock.hbbs.mark()
    agent.start()
    second = announced(agent, mock, mark)
    assert second.pk != first.pk and len(second.pk) == 32
    agent.wait_log("refused: .*belongs to another device")


@pytest.mark.parametrize("name", ["Kvm-One_7", "abc123", "a" * 16])
def test_configured_id_is_used_as_it_is(start_agent, mock, name):
    """A configured id is announced byte for byte, upper and lower case kept."""
    agent = registered(start_agent, mock, id=name)
    assert agent.id == name == announced(agent, mock).id


def test_id_is_compared_case_sensitively(start_agent, mock):
    """A LoginRequest for the id in other case is Offline."""
    agent = registered(start_agent, mock, id="Kvm-One")
    with Controller.via_hbbs(mock.address, agent.id, server_key=mock.key) as client:
        with pytest.raises(LoginError, match="^Offline$"):
            client.login(PASSWORD, username="kvm-one")


def test_registration_names_id_uuid_and_key(start_agent, mock):
    """RegisterPk holds id, a uuid that is not empty, and the 32 bytes of the key; no old id."""
    sent = announced(registered(start_agent, mock), mock)
    assert len(sent.id) >= 6 and sent.uuid and len(sent.pk) == 32 and not sent.old_id


def test_devices_have_uuids_and_keys_of_their_own(start_agent, mock):
    """Two devices differ in id, uuid, key and salt."""
    one, two = registered(start_agent, mock), registered(start_agent, mock)
    a, b = (next(e.msg for e in mock.hbbs.all("register_pk") if e.msg.id == x.id) for x in (one, two))
    assert a.id != b.id and a.uuid != b.uuid and a.pk != b.pk
    assert re.findall(r'salt = "\w+"', _state(one)) != re.findall(r'salt = "\w+"', _state(two))


def _state(agent):
    return (agent.folder / "state/identity").read_text()


@pytest.mark.parametrize("result", ["UUID_MISMATCH", "ID_EXISTS", "INVALID_ID_FORMAT"])
def test_id_is_never_changed_by_the_server(start_agent, mock, result):
    """Whatever the server says of the id, the device keeps it; stock would take another one."""
    mock.hbbs.script_register_pk(result)
    agent = start_agent(rustdesk={"server": mock.address, "key": mock.key})
    agent.wait_log("refused: ")
    assert agent.id in _state(agent)
    assert {e.msg.id for e in mock.hbbs.all("register_pk")} == {agent.id}
    assert pb.RegisterPkResponse.Result.Value(result)
