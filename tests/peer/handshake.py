# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, signatures and passwords: both ends of the peer handshake (wire.md §8, §9.2)."""

import base64
import hashlib
import os

from google.protobuf.message import DecodeError
from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from . import pb
from .conn import CONNECT_TIMEOUT

_ZERO_NONCE = bytes(24)

HANDSHAKES = ("auto", "keyless", "wrong-key", "garbage", "wrong-size", "bad-seal", "other-message", "silent", "eof")
"""How a controller may behave: properly ("auto"), or deliberately badly, see `client_secure`."""


class HandshakeError(Exception):
    """The device broke the rules of the handshake."""


# ---- signatures (wire.md §8.1)

def verify_id_pk(signed, signer_pk):
    """The (id, pk) inside a combined-form signature, or None if `signer_pk` did not make it."""
    try:
        id_pk = pb.IdPk.FromString(sodium.crypto_sign_open(signed, signer_pk))
    except (CryptoError, ValueError, TypeError, DecodeError):
        return None
    return (id_pk.id, id_pk.pk) if len(id_pk.pk) == 32 else None


def sign_id_pk(id_, pk, secret):
    """IdPk{id, pk} signed in combined form with a 64-byte Ed25519 secret."""
    return sodium.crypto_sign(pb.IdPk(id=id_, pk=pk).SerializeToString(), secret)


def decode_server_key(text):
    """The 32 bytes of a server key option, or None when the client could not use it (wire.md §3.4)."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if len(raw) == 32 else None


def fingerprint(pk):
    """A device key as the client shows it: hex in groups of four (wire.md §8.3)."""
    text = pk.hex()
    return " ".join(text[i:i + 4] for i in range(0, len(text), 4))


# ---- client side (wire.md §8.3)

def make_public_key(device_box_pk, key, box_secret=None):
    """The client's PublicKey message carrying the symmetric `key` for the device."""
    if box_secret is None:
        box_public, box_secret = sodium.crypto_box_keypair()
    else:
        box_public = sodium.crypto_scalarmult_base(box_secret)
    sealed = sodium.crypto_box(key, _ZERO_NONCE, device_box_pk, box_secret)
    return pb.PublicKey(asymmetric_value=box_public, symmetric_value=sealed)


def client_secure(conn, device_id, signed_pk, server_key, mode="auto", timeout=CONNECT_TIMEOUT):
    """The client's half of the handshake. Returns the device's Ed25519 key if the stream is sealed now, else None.

    mode: "auto" = as stock; "keyless" = empty Message at once; "wrong-key" = pretend the signature is bad (empty
    PublicKey); and, for the device's error paths, "garbage" (not protobuf), "wrong-size" (31-byte key), "bad-seal"
    (sealed key corrupted), "other-message" (a TestDelay), "silent" (nothing), "eof" (close).
    """
    if mode not in HANDSHAKES:
        raise ValueError(mode)
    signer = decode_server_key(server_key) if server_key else None
    verified = verify_id_pk(signed_pk, signer) if signed_pk and signer else None
    if mode == "keyless" or (mode == "auto" and (verified is None or verified[0] != device_id)):
        conn.send_msg(pb.Message())  # before reading anything
        return None
    if mode == "silent":
        return None
    if mode == "eof":
        conn.close()
        return None
    msg = conn.recv_msg(pb.Message, timeout)
    if mode == "garbage":
        conn.send_frame(b"\xff\xff\xff\xff\xff garbage")
        return None
    if mode == "other-message":
        conn.send_msg(pb.message(test_delay=pb.TestDelay(from_client=True)))
        return None
    if msg.WhichOneof("union") != "signed_id":
        if mode == "auto":
            raise HandshakeError(f"expected SignedId, got {msg.WhichOneof('union')}: stock falls back to plaintext")
        return None
    inner = verify_id_pk(msg.signed_id.id, verified[1]) if verified else None
    if mode == "wrong-key":
        conn.send_msg(pb.message(public_key=pb.PublicKey()))
        return None
    if inner is None:
        raise HandshakeError("SignedId is not signed with the key that hbbs vouches for")
    if inner[0] != device_id:
        raise HandshakeError(f"SignedId is for {inner[0]!r}, dialled {device_id!r}")
    key = os.urandom(32)
    public_key = make_public_key(inner[1], key)
    if mode == "wrong-size":
        public_key.asymmetric_value = public_key.asymmetric_value[:31]
    elif mode == "bad-seal":
        public_key.symmetric_value = bytes(48)
    conn.send_msg(pb.message(public_key=public_key))
    if mode != "auto":
        return None
    conn.seal(key)
    return verified[1]


# ---- device side, for the fake device and the vectors (wire.md §8.2)

def open_symmetric(public_key, box_secret):
    """The symmetric key in a client's PublicKey."""
    key = sodium.crypto_box_open(public_key.symmetric_value, _ZERO_NONCE, public_key.asymmetric_value, box_secret)
    if len(key) != 32:
        raise HandshakeError(f"symmetric key of {len(key)} bytes")
    return key


# ---- passwords (wire.md §9.2)

def password_h1(password, salt):
    return hashlib.sha256(password.encode() + salt.encode()).digest()


def password_proof(h1, challenge):
    return hashlib.sha256(h1 + challenge.encode()).digest()


def empty_submit_proof(challenge):
    """What the dialog sends when the user submits it empty and nothing is stored (wire.md §9.6)."""
    return hashlib.sha256(challenge.encode()).digest()
