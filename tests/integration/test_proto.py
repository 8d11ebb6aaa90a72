# SPDX-License-Identifier: GPL-3.0-or-later
"""Our .proto files against the description written independently for the tests: same numbers, same wire types."""

import subprocess

import pytest
from google.protobuf import descriptor_pb2

from peer.agent import ROOT, TESTS

OTHER_NAMES = {"Envelope": "RendezvousMessage", "ConfigureUpdate": "ConfigUpdate",
               "SupportedResolutions": "Resolutions"}
F = descriptor_pb2.FieldDescriptorProto
# What a decoder cannot tell apart on the wire.
SAME_ON_WIRE = {F.TYPE_ENUM: F.TYPE_INT32, F.TYPE_UINT32: F.TYPE_INT32, F.TYPE_INT64: F.TYPE_INT32,
                F.TYPE_UINT64: F.TYPE_INT32, F.TYPE_BOOL: F.TYPE_INT32, F.TYPE_STRING: F.TYPE_BYTES}


def messages(folder, *names):
    data = subprocess.run(["protoc", f"--proto_path={folder}", "--descriptor_set_out=/dev/stdout", *names],
                          capture_output=True, check=True).stdout
    found = {}

    def collect(message):
        found[message.name] = message
        for nested in message.nested_type:
            collect(nested)

    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        for message in file.message_type:
            collect(message)
    return found


OURS = messages(ROOT / "proto", "message.proto", "rendezvous.proto")
THEIRS = messages(TESTS / "peer", "rustdesk.proto")


@pytest.mark.parametrize("name", sorted(OURS))
def test_message_agrees(name):
    theirs = THEIRS[OTHER_NAMES.get(name, name)]
    by_number = {f.number: f for f in theirs.field}
    for field in OURS[name].field:
        other = by_number[field.number]
        where = f"{name}.{field.name} = {field.number}"
        assert SAME_ON_WIRE.get(field.type, field.type) == SAME_ON_WIRE.get(other.type, other.type), where
        assert field.label == other.label, where
        assert field.HasField("oneof_index") == other.HasField("oneof_index"), where
        if field.type == F.TYPE_MESSAGE:
            ours_type = field.type_name.rsplit(".", 1)[1]
            assert OTHER_NAMES.get(ours_type, ours_type) == other.type_name.rsplit(".", 1)[1], where
