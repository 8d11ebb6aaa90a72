# SPDX-License-Identifier: GPL-3.0-or-later
"""An independent RustDesk controller and mock servers, to test the C agent against.

Written from the protocol description only (wire.md); shares no code, table or .proto with the agent.

    addr.py        AddrMangle            framing.py     BytesCodec            pb.py     our messages (protoc)
    conn.py        socket + sealing      handshake.py   keys and signatures   keys.py   key code table
    controller.py  the stock client      controls.py    its keys and menus    video.py  the client's decoder rules
    rendezvous.py  its signalling        h264.py        stream checks         card.py   test card numbers
    mock_hbbs.py / mock_hbbr.py          mock servers, also programs          servers.py  both together
    real.py        the real hbbs/hbbr in a namespace of their own             fake_device.py  a device for self-tests
"""
