# SPDX-License-Identifier: GPL-3.0-or-later
"""Our message classes, generated from rustdesk.proto when missing or outdated.

`from peer import pb` and then `pb.Message()`, `pb.RendezvousMessage()`, `pb.NAT_SYMMETRIC`, ...
Nothing generated is kept in git: the output goes to $KA_BUILD/py, else <repo>/build/py if <repo>/build exists, else
to a directory of this user below the system's temporary one. Its name holds a hash of the .proto: never outdated.
"""

import hashlib
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

_HERE = pathlib.Path(__file__).resolve().parent
_PROTO = _HERE / "rustdesk.proto"


def _cache_root():
    if os.environ.get("KA_BUILD"):
        return pathlib.Path(os.environ["KA_BUILD"]) / "py"
    build = _HERE.parents[1] / "build"
    if build.is_dir() and os.access(build, os.W_OK):
        return build / "py"
    return pathlib.Path(tempfile.gettempdir()) / f"ka-peer-py-{os.getuid()}"


def _generate():
    digest = hashlib.sha256(_PROTO.read_bytes()).hexdigest()[:16]
    root = _cache_root()
    target = root / f"peer_rustdesk_{digest}_pb2.py"
    if target.exists():
        return target
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as out:
        subprocess.run(["protoc", f"--proto_path={_HERE}", f"--python_out={out}", _PROTO.name], check=True)
        os.replace(pathlib.Path(out) / "rustdesk_pb2.py", target)  # atomic: several test runs may race
    return target


def _load():
    path = _generate()
    spec = importlib.util.spec_from_file_location("peer_rustdesk_pb2", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["peer_rustdesk_pb2"] = module
    spec.loader.exec_module(module)
    return module


_generated = sys.modules.get("peer_rustdesk_pb2") or _load()
globals().update({k: v for k, v in vars(_generated).items() if not k.startswith("_")})


def rendezvous(**union):
    """A RendezvousMessage with one member: rendezvous(register_peer=pb.RegisterPeer(id="x"))."""
    return _generated.RendezvousMessage(**union)


def message(**union):
    """A peer Message with one member: message(test_delay=pb.TestDelay()). Empty sub-messages are kept."""
    return _generated.Message(**union)


def misc(**union):
    """A peer Message holding a Misc with one member; zero values are written, as in every oneof."""
    return _generated.Message(misc=_generated.Misc(**union))
