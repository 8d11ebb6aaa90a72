# SPDX-License-Identifier: GPL-3.0-or-later
"""A password that opens the screen only: no message of any kind, with whatever in it, moves a key, a button or the
pointer. Every member of every union of the protocol is tried, filled in, before and after the wish not to be view-only;
then the same messages with the owner's password, which must do something, so that the test can fail."""

import pytest
from google.protobuf.descriptor import FieldDescriptor

from peer import pb
from peer.agent import PASSWORD
from test_trust import connect, h1, restart_with, salt_of

# They end the session, or begin another.
FATAL = {("Misc", "close_reason"), ("Message", "login_request"), ("Message", "public_key")}
CHAT = ["/help", "/release", "/release all", "/key a", "/keys ctrl+alt+del", "/type hello", "/combo ctrl-alt-del",
        "/power", "/power press", "/reset", "/input release", "/mouse 1 1", "hello"]
SCALAR = {FieldDescriptor.CPPTYPE_BOOL: True, FieldDescriptor.CPPTYPE_STRING: "abc", FieldDescriptor.CPPTYPE_FLOAT: 1.0,
          FieldDescriptor.CPPTYPE_DOUBLE: 1.0}


def fill(message, depth=0):
    """Every plain field set; each union gets its first member here."""
    for field in message.DESCRIPTOR.fields:
        if not field.containing_oneof:
            set_field(message, field, depth)


def set_field(message, field, depth):
    if field.message_type and field.message_type.GetOptions().map_entry:
        return
    if field.label == FieldDescriptor.LABEL_REPEATED:
        target = getattr(message, field.name)
        if field.message_type:
            if depth < 3:
                fill(target.add(), depth + 1)
        else:
            target.append(value(field))
    elif field.message_type:
        getattr(message, field.name).SetInParent()
        if depth < 3:
            fill(getattr(message, field.name), depth + 1)
    else:
        setattr(message, field.name, value(field))


def value(field):
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b"abc"
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return field.enum_type.values[-1].number
    return SCALAR.get(field.cpp_type, 4)


def variants(kind, depth=0):
    """One message of that class for each way through its unions; filled in."""
    cls = getattr(pb, kind.name)
    fields = [f for oneof in kind.oneofs for f in oneof.fields if (kind.name, f.name) not in FATAL]
    if not fields:
        message = cls()
        fill(message)
        yield message
    for field in fields:
        inner = [None] if not field.message_type or depth > 3 else variants(field.message_type, depth + 1)
        for content in inner:
            message = cls()
            fill(message)
            if content is None:
                set_field(message, field, 0)
            else:
                getattr(message, field.name).CopyFrom(content)
            yield message


def everything():
    """Messages of all kinds; the input ones in all their ways."""
    yield from variants(pb.Message.DESCRIPTOR)
    for mask in range(256):
        yield pb.message(mouse_event=pb.MouseEvent(mask=mask, x=50, y=60, modifiers=[pb.CK_Control]))
    for mode in (0, 1, 2, 3):
        for number in pb.ControlKey.values():
            yield pb.message(key_event=pb.KeyEvent(control_key=number, down=True, press=True, mode=mode))
        for code in (4, 30, 65, 97):
            for what in ("chr", "unicode", "win2win_hotkey"):
                yield pb.message(key_event=pb.KeyEvent(**{what: code}, down=True, press=True, mode=mode))
        yield pb.message(key_event=pb.KeyEvent(seq="typed", down=True, press=True, mode=mode))
    for line in CHAT:
        yield pb.misc(chat_message=pb.ChatMessage(text=line))
    for no in (pb.OptionMessage(disable_keyboard=1), pb.OptionMessage(lock_after_session_end=2),
               pb.OptionMessage(block_input=1), pb.OptionMessage(block_input=2)):
        yield pb.misc(option=no)


def harmless(message):
    """So that the session goes on: this client can decode H.264, and asks for no other password or display."""
    if message.WhichOneof("union") == "misc" and message.misc.HasField("option"):
        message.misc.option.ClearField("supported_decoding")
    return message


def send_all(client):
    sent = 0
    for message in everything():
        client.conn.send_msg(harmless(message))
        sent += 1
        if sent % 100 == 0:
            fence(client, sent)
    fence(client, -1)
    return sent


def fence(client, number):
    """Everything sent before has been handled."""
    client.send(test_delay=pb.TestDelay(time=number, from_client=True))
    while not client.log or client.log[-1].kind != "test_delay" or client.log[-1].msg.time != number:
        client.pump(20)


@pytest.mark.parametrize("owner", [False, True], ids=["view-only", "owner"])
def test_no_message_of_any_kind_is_input(start_agent, owner):
    agent = start_agent()
    hashed = h1("look", salt_of(agent))
    restart_with(agent, f'access = ( {{ name = "guest"; password_hash = "{hashed}"; view_only = true; }} );')
    with connect(agent) as client:
        client.login(PASSWORD if owner else "look", option={"lock_after_session_end": 2})
        client.frame()
        client.decode = False
        assert send_all(client) > 500
        client.send_misc(option=pb.OptionMessage(disable_keyboard=1, lock_after_session_end=2))
        send_all(client)
        if not owner:
            assert not agent.reports()
        client.close()
    agent.wait_log("session: end ")
    if owner:
        # Typed text holds up what follows until the queue drops it: not everything gets through.
        assert any(any(row[1]) for row in agent.reports("keyboard"))
    else:
        assert not agent.reports()
