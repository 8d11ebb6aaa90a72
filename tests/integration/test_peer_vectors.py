# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python peer's own foundations: vectors and samples of wire.md, the test card, the client's decoder rules."""

import base64
import pathlib
import sys

import numpy as np
import pytest
from nacl import bindings as sodium

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from peer import addr, card, framing, handshake, keys, pb, rendezvous, video  # noqa: E402
from peer.conn import DecryptError, Sealer  # noqa: E402
from peer.controls import control_key  # noqa: E402
from peer.fake_device import SALT, Encoder  # noqa: E402

PASSWORD = "Passw0rd!"


# ---------------------------------------------------------------- vectors

@pytest.mark.parametrize("host, port, tm, expected", [
    ("127.0.0.1", 8080, 0x12345678, "0876f0ac6824eead6826"),
    ("192.168.16.32", 21116, 0xFFFFFFFF, "7b52ffffffff7f51214002"),
    ("203.0.113.77", 65535, 0x0001FFFF, "feffffff03009401e69a"),
    ("10.0.0.5", 40000, 0, "409c000000001400000a"),
    ("1.0.0.0", 443, 7, "c2010e00000010"),
    ("203.0.113.77", 50123, 0x12345678, "431af1ac682486ae4abf"),
    ("192.168.1.50", 41000, 0x12345679, "a1f6f2ac682472fe6b88"),
    ("2001:db8::1234", 21118, None, "20010db80000000000000000000012347e52"),
    ("0.0.0.0", 0, 0, ""),
])
def test_addr_mangle_vectors(host, port, tm, expected):
    """wire.md §1.4, §5.8"""
    assert addr.encode((host, port), tm).hex() == expected
    assert addr.decode(bytes.fromhex(expected)) == (host, port)


LOCAL_ADDR_SAMPLE = ("6a420a0a431af1ac682486ae4abf120aa1f6f2ac682472fe6b881a16686262732e6578616d706c652e636f6d3a"
                     "323131313722093132333435363738392a05312e342e35")


def test_addr_mangle_odd_inputs():
    assert addr.decode(b"x" * 17) == ("::", 0)
    assert addr.decode(addr.encode(("::ffff:10.0.0.5", 40000))) == ("10.0.0.5", 40000)
    assert addr.decode(addr.encode(("::1", 80))) == ("::1", 80)
    for tm in (0, 1, 0xFFFF, 0x10000, 0xFFFFFFFF, None):
        assert addr.decode(addr.encode(("255.255.255.255", 65535), tm)) == ("255.255.255.255", 65535)


@pytest.mark.parametrize("length, expected", [
    (0, "00"), (1, "04"), (63, "fc"), (64, "0101"), (300, "b104"), (16383, "fdff"), (16384, "020001"),
    (100000, "821a06"), (4194303, "feffff"), (4194304, "03000001")])
def test_framing_vectors(length, expected):
    """wire.md §1.1"""
    assert framing.header(length).hex() == expected


def test_framing_decoder_cuts_any_chunking():
    payloads = [b"", b"a", b"b" * 63, b"c" * 64, b"d" * 20000, b""]
    stream = b"".join(framing.frame(p) for p in payloads)
    for step in (1, 7, len(stream)):
        decoder, out = framing.Decoder(), []
        for at in range(0, len(stream), step):
            decoder.feed(stream[at:at + step])
            while (payload := decoder.next()) is not None:
                out.append(payload)
        assert out == payloads
    decoder = framing.Decoder()
    decoder.feed(bytes.fromhex("07000000") + b"z")  # over-long header for one byte
    assert decoder.next() == b"z"


SIGN_PUBLIC, SIGN_SECRET = sodium.crypto_sign_seed_keypair(bytes(range(32)))
DEVICE_BOX = b"\x11" * 32
CLIENT_BOX = b"\x22" * 32
SESSION_KEY = b"\x33" * 32
ID_PK = "0a0931323334353637383912207b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13"
SIGNATURE = ("7bf636f3d728c3a7e06faecbfde53e859f6e3907a318d8f5662df236904654862e04afe131a0bb2833a47bd93772caf8"
             "f02221d1965e7aaf55e95548e8d5ea0a")
SYMMETRIC = ("7e23d90f0c455a0e3e633d6e800f8e6b4717555154619a58b13291dcb98cafaa"
             "18a9cc1a883aab54386e39de02b2a5b7")
HASH = "4a2a0a206162636465666768696a6b6d6e707172737475767778797a323334353637383912066b336d397a78"


def test_handshake_vectors():
    """wire.md §8.4"""
    assert base64.b64encode(SIGN_PUBLIC) == b"A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
    device_box_pk = sodium.crypto_scalarmult_base(DEVICE_BOX)
    signed = handshake.sign_id_pk("123456789", device_box_pk, SIGN_SECRET)
    assert signed.hex() == SIGNATURE + ID_PK
    assert handshake.verify_id_pk(signed, SIGN_PUBLIC) == ("123456789", device_box_pk)
    assert handshake.verify_id_pk(signed, device_box_pk) is None
    message = pb.message(signed_id=pb.SignedId(id=signed)).SerializeToString()
    assert message[:4].hex() == "1a6f0a6d" and framing.frame(message)[:2].hex() == "c501"
    public_key = handshake.make_public_key(device_box_pk, SESSION_KEY, CLIENT_BOX)
    assert public_key.symmetric_value.hex() == SYMMETRIC
    message = pb.message(public_key=public_key).SerializeToString()
    assert message.hex() == ("22540a200faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20"
                             "1230" + SYMMETRIC)
    assert framing.frame(message)[:2].hex() == "5901"
    assert handshake.open_symmetric(public_key, DEVICE_BOX) == SESSION_KEY
    assert framing.frame(pb.message(public_key=pb.PublicKey()).SerializeToString()).hex() == "082200"


def test_sealing_vectors():
    """wire.md §8.4: three device frames, counters 1, 2, 3"""
    tx, rx = Sealer(SESSION_KEY), Sealer(SESSION_KEY)
    sealed = [tx.seal(bytes.fromhex(HASH)), tx.seal(bytes.fromhex(HASH)), tx.seal(bytes.fromhex("2a00"))]
    assert [s.hex() for s in sealed] == [
        "9aaf43a1845d5ea566351c1f90e7a4cd6fd813af726b9dfd05e8a46636ace6f5695e00dcfe26d7679aaf8ff0c703de9c"
        "ae33bfcf76793b3761e7b149",
        "31113f369b87c6e204df85d40658e9af931dd2831b8036e4f4cf17e323bbaba74e2236f41679e743bec0ea5d856e63f7"
        "823af27016a4e80747694a2b",
        "f4f55ebeb9f3e96d7118c0921911f9b2754a"]
    assert framing.header(len(sealed[0])).hex() == "f0"
    assert [rx.open(s).hex() for s in sealed] == [HASH, HASH, "2a00"]
    with pytest.raises(DecryptError):
        rx.open(sealed[0])


def test_password_vectors():
    """wire.md §8.4, §9.2"""
    h1 = handshake.password_h1(PASSWORD, SALT)
    assert h1.hex() == "32312cd2a84a2ea2ee6e439fa1b2b21991fad68e6b7a058bcd5e14bbee3980dd"
    assert handshake.password_proof(h1, "k3m9zx").hex() == (
        "350aeedcb68dea2f54fae6aa8f8986316c6fd9048d0914d90fc014cc890796fe")
    assert handshake.empty_submit_proof("k3m9zx").hex() == (
        "d1b18c6f644e193aacf9ddf7ce219600e65f919f299dae664d68b3f76fe788cd")
    assert pb.message(hash=pb.Hash(salt=SALT, challenge="k3m9zx")).SerializeToString().hex() == HASH


BLURRED = bytes.fromhex("431af1ac682486ae4abf")
RELAY = "hbbs.example.com:21117"


@pytest.mark.parametrize("message, expected", [
    (pb.rendezvous(register_peer=pb.RegisterPeer(id="123456789", serial=3)), "320d0a093132333435363738391003"),
    (pb.rendezvous(register_peer_response=pb.RegisterPeerResponse()), "3a00"),
    (pb.rendezvous(register_peer_response=pb.RegisterPeerResponse(request_pk=True)), "3a021001"),
    (pb.rendezvous(register_pk_response=pb.RegisterPkResponse()), "820100"),
    (pb.rendezvous(register_pk_response=pb.RegisterPkResponse(result=2)), "8201020802"),
    (pb.rendezvous(punch_hole_sent=pb.PunchHoleSent(
        socket_addr=BLURRED, id="123456789", relay_server=RELAY, nat_type=pb.NAT_ASYMMETRIC, version="1.4.5")),
     "52380a0a431af1ac682486ae4abf12093132333435363738391a16686262732e6578616d706c652e636f6d3a3231313137"
     "20012a05312e342e35"),
    (pb.rendezvous(local_addr=pb.LocalAddr(
        socket_addr=BLURRED, local_addr=addr.encode(("192.168.1.50", 41000), 0x12345679), relay_server=RELAY,
        id="123456789", version="1.4.5")), LOCAL_ADDR_SAMPLE),
    (pb.rendezvous(relay_response=pb.RelayResponse(socket_addr=BLURRED, version="1.4.5")),
     "9a01130a0a431af1ac682486ae4abf3a05312e342e35"),
    (pb.rendezvous(peer_discovery=pb.PeerDiscovery(
        cmd="pong", mac="aa:bb:cc:dd:ee:ff", id="123456789", username="root", hostname="kvm", platform="Linux")),
     "b201360a04706f6e67121161613a62623a63633a64643a65653a66661a093132333435363738392204726f6f742a036b766d"
     "32054c696e7578"),
    (pb.message(mouse_event=pb.MouseEvent()), "5200"),
    (pb.message(mouse_event=pb.MouseEvent(x=960, y=540)), "520610800f18b808"),
    (pb.message(mouse_event=pb.MouseEvent(mask=9)), "52020809"),
    (pb.message(mouse_event=pb.MouseEvent(mask=3, y=-1)), "520408031801"),
    (pb.message(test_delay=pb.TestDelay()), "2a00"),
])
def test_samples(message, expected):
    """wire.md §3.1, §5.8, §7.2, §11.1"""
    assert message.SerializeToString().hex() == expected


@pytest.mark.parametrize("misc, expected", [
    (pb.Misc(refresh_video_display=0), "f80100"),
    (pb.Misc(message_query=pb.MessageQuery()), "aa0200"),
    (pb.Misc(permission_info=pb.PermissionInfo()), "3200"),
])
def test_zero_members_are_written(misc, expected):
    """wire.md preamble, §22"""
    assert misc.SerializeToString().hex() == expected


def test_relay_request_sample_lengths():
    """wire.md §6: 36-character uuid, 44-character key"""
    payload = pb.rendezvous(request_relay=pb.RequestRelay(uuid="u" * 36, licence_key="k" * 44)).SerializeToString()
    frame = framing.frame(payload)
    assert frame[:7].hex() == "5d019201541224" and frame[43:45].hex() == "322c"


def test_key_table():
    """wire.md §11.9, §11.10"""
    assert len(keys.KEYS) == 125 and keys.x11("a") == 38 and keys.set1("Right") == 0xE04D and keys.hid("RMeta") == 0xE7
    assert (control_key("F10"), control_key("F2"), control_key("LockScreen")) == (10, 13, 101)
    for field in ("x11", "set1", "hid"):
        assert len({getattr(k, field) for k in keys.KEYS.values()}) == len(keys.KEYS)


def test_id_box():
    """wire.md §7.3"""
    box = rendezvous.parse_id_box("123456789/r@kvm.local:2000?key=QUJD=")
    assert box == {"device_id": "123456789", "hbbs": "kvm.local:2000", "force_relay": True, "server_key": "QUJD="}


# ---------------------------------------------------------------- card, conversion, decoder rules

@pytest.mark.parametrize("width, height", [(640, 360), (1280, 720), (1920, 1080), (1366, 768), (3840, 2160)])
def test_card_number_survives_drawing(width, height):
    luma = np.full((height, width), 90, np.uint8)
    for number in (0, 1, 0xFFFFFFFF, 0x12345678):
        card.draw_number(luma, number)
        assert card.read_number(luma) == number
    luma[-1 - height // 32:, :] = 255 - luma[-1 - height // 32:, :]  # spoils sync and bits
    assert card.read_number(luma) is None
    assert card.checksum(0x12345678) == 1 ^ 2 ^ 3 ^ 4 ^ 5 ^ 6 ^ 7 ^ 8


def test_i420_to_rgb_known_colours():
    def colour(y, u, v):
        return video.i420_to_rgb(np.full((2, 2), y, np.uint8), np.full((1, 1), u, np.uint8),
                                 np.full((1, 1), v, np.uint8))[0, 0].tolist()
    assert colour(16, 128, 128) == [0, 0, 0]
    assert colour(235, 128, 128) == [255, 255, 255]
    assert colour(81, 90, 240) == pytest.approx([254, 0, 0], abs=2)
    assert colour(41, 240, 110) == pytest.approx([0, 0, 255], abs=2)


class Stream:
    """Frames of the fake device's encoder as VideoFrame messages, and a Screen to show them on."""

    def __init__(self, width=320, height=180):
        self.encoder = Encoder(width, height)
        self.screen = video.Screen()
        self.screen.abilities = {"ability_h264": 1}
        self.screen.announce([pb.DisplayInfo(width=width, height=height)])
        self.number = 0

    def next(self):
        self.number += 1
        return self.encoder.encode(self.number)

    def show(self, frame, display=0):
        frames = pb.EncodedVideoFrames(frames=[frame])
        return self.screen.show(pb.VideoFrame(h264s=frames, display=display), 0.0)


def test_screen_accepts_a_good_stream():
    stream = Stream()
    for expected in range(1, 40):
        (picture,) = stream.show(stream.next())
        assert card.read_number(picture.y) == expected and picture.key == (expected == 1)


def test_screen_needs_a_key_frame_first():
    stream = Stream()
    stream.next()
    with pytest.raises(video.ProtocolViolation, match="not marked key"):
        stream.show(stream.next())


def test_screen_needs_a_key_frame_after_switch_display():
    stream = Stream()
    stream.show(stream.next())
    stream.screen.switch(pb.SwitchDisplay(width=320, height=180))
    with pytest.raises(video.ProtocolViolation, match="not marked key"):
        stream.show(stream.next())


def test_screen_sees_a_lost_frame():
    stream = Stream()
    stream.show(stream.next())
    stream.next()
    with pytest.raises(video.ProtocolViolation, match="frame_num"):
        stream.show(stream.next())


def test_screen_checks_key_flag_size_ability_pts_display():
    stream = Stream()
    unmarked = stream.next()
    unmarked.key = False
    with pytest.raises(video.ProtocolViolation, match="not marked key"):
        stream.show(unmarked)

    stream = Stream()
    stream.show(stream.next())
    marked = stream.next()
    marked.key = True
    with pytest.raises(video.ProtocolViolation, match="key=True"):
        stream.show(marked)

    stream = Stream()
    stream.screen.switch(pb.SwitchDisplay(width=322, height=180))
    with pytest.raises(video.ProtocolViolation, match="announced"):
        stream.show(stream.next())

    stream = Stream()
    stream.screen.abilities = {}
    with pytest.raises(video.ProtocolViolation, match="ability"):
        stream.show(stream.next())

    stream = Stream()
    first = stream.next()
    first.pts = 10**6
    stream.show(first)
    with pytest.raises(video.ProtocolViolation, match="pts"):
        stream.show(stream.next())

    stream = Stream()
    with pytest.raises(video.ProtocolViolation, match="never announced"):
        stream.show(stream.next(), display=1)


def test_screen_wants_parameter_sets_and_annex_b():
    stream = Stream()
    frame = stream.next()
    bare = frame.data[frame.data.index(b"\0\0\1\x65"):]
    with pytest.raises(video.ProtocolViolation, match="SPS"):
        stream.show(pb.EncodedVideoFrame(data=bare, key=True))
    stream = Stream()
    with pytest.raises(video.ProtocolViolation, match="start code"):
        stream.show(pb.EncodedVideoFrame(data=stream.next().data[4:], key=True))


def test_screen_discards_until_key_after_refresh():
    stream = Stream()
    stream.show(stream.next())
    stream.screen.refresh_asked(0)
    assert stream.show(stream.next()) == [] and stream.screen.discarded == 1
