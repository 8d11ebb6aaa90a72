# SPDX-License-Identifier: GPL-3.0-or-later
"""The real hbbs and hbbr, in a network namespace of their own; the interface of servers.MockServers.

Why a namespace (needs root):
- Both treat connections from loopback as an admin console: hbbs on its NAT test port, hbbr altogether. "Loopback" is
  Rust's is_loopback(): all of 127.0.0.0/8, ::1, and 127.x mapped into IPv6; so 127.0.0.2 does not help, an address of
  a veth pair does.
- hbbs asks its maker's server for updates when it starts. The namespace has no route but the one to this machine.
- All ports are free there, so the usual 21115-21119 are used.

    this machine                           namespace
    10.213.x.1  device, near clients ----- 10.213.x.2   hbbs :21116 (udp, tcp), :21115, hbbr :21117
    10.213.x.3, .4  far clients (another address than the device's: hbbs chooses PunchHole, not FetchLocalAddr)
    fd00:213:x::1                          fd00:213:x::2
"""

import atexit
import base64
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from nacl import bindings as sodium

from .conn import Conn, Deadline, PeerClosed, PeerTimeout

HBBS_PORT, HBBR_PORT = 21116, 21117
_counter = itertools.count()


def unavailable():
    """Why the real servers cannot run here, or "" if they can; for pytest.skip."""
    for program in ("hbbs", "hbbr", "ip"):
        if not shutil.which(program):
            return f"{program} is not on PATH"
    return "" if os.geteuid() == 0 else "needs root for a network namespace"


def _ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def despite_pairing_race(connect, attempts=5):
    """The result of `connect()`, which tries again when a race in hbbr spoilt it (see MockHbbr.pairing_races).

    Give Controller.via_hbbs a short handshake_timeout inside. Stock clients do not try again; their users do.
    """
    for left in reversed(range(attempts)):
        try:
            return connect()
        except (PeerClosed, PeerTimeout):
            if not left:
                raise


class _Network:
    """A namespace and a veth pair into it; `close` removes both."""

    def __init__(self):
        self.name = f"ka-real-{os.getpid()}-{next(_counter)}"
        self._outside = f"kr{os.getpid() % 10**7}o{next(_counter)}"
        inside = self._outside.replace("o", "i")
        self.third = self._free_subnet()
        self.server = f"10.213.{self.third}.2"
        self.server6 = f"fd00:213:{self.third}::2"
        self.client_hosts = tuple(f"10.213.{self.third}.{n}" for n in (1, 3, 4))
        _ip("netns", "add", self.name)
        atexit.register(self.close)
        try:
            _ip("link", "add", self._outside, "type", "veth", "peer", "name", inside, "netns", self.name)
            for host in self.client_hosts:
                _ip("addr", "add", f"{host}/29", "dev", self._outside)
            _ip("-6", "addr", "add", f"fd00:213:{self.third}::1/64", "dev", self._outside, "nodad")
            _ip("link", "set", self._outside, "up")
            _ip("-n", self.name, "addr", "add", f"{self.server}/29", "dev", inside)
            _ip("-n", self.name, "-6", "addr", "add", f"{self.server6}/64", "dev", inside, "nodad")
            for link in ("lo", inside):
                _ip("-n", self.name, "link", "set", link, "up")
        except subprocess.CalledProcessError as error:
            self.close()
            raise OSError(f"{error.cmd}: {error.stderr}") from error

    @staticmethod
    def _free_subnet():
        used = subprocess.run(["ip", "-4", "addr"], check=True, capture_output=True, text=True).stdout
        for offset in range(250):
            third = (os.getpid() + offset) % 250 + 1
            if f" 10.213.{third}." not in used:
                return third
        raise OSError("no free 10.213.x.0/29")

    def run(self, command, **kw):
        return subprocess.Popen(["ip", "netns", "exec", self.name, *command], **kw)

    def close(self):
        atexit.unregister(self.close)
        # The namespace takes its end of the pair with it, and so the other end, but only later: do it now.
        subprocess.run(["ip", "link", "del", self._outside], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)


class RealServers:
    """Both servers with a key of their own. Use as a context manager."""

    def __init__(self, *, enforce_key=True, relay_key=True, always_relay=False, relay_servers="",
                 network=_Network):
        """enforce_key=False: hbbs -k "" (pks are still signed). relay_key=False: hbbr takes everybody.

        network: makes what _Network makes, for servers in a larger picture.
        """
        reason = unavailable()
        if reason:
            raise OSError(reason)
        self._enforce_key, self._relay_key = enforce_key, relay_key
        self._always_relay, self._relay_servers = always_relay, relay_servers
        self._make_network = network
        self.network = None
        self._folder = None
        self._processes = {}
        public, self._secret = sodium.crypto_sign_keypair()
        while set("/:") & set(base64.b64encode(public).decode()):  # as hbbs generates them
            public, self._secret = sodium.crypto_sign_keypair()
        self.key = base64.b64encode(public).decode()

    # -- the interface shared with MockServers

    @property
    def host(self):
        return self.network.server

    @property
    def address(self):
        return f"{self.network.server}:{HBBS_PORT}"

    @property
    def address6(self):
        return f"[{self.network.server6}]:{HBBS_PORT}"

    @property
    def relay_address(self):
        return f"{self.network.server}:{HBBR_PORT}"

    @property
    def client_hosts(self):
        """Source addresses: the first is the device's own (FetchLocalAddr), the others look far (PunchHole)."""
        return self.network.client_hosts

    def start(self):
        self.network = self._make_network()
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="ka-real-"))
        (self._folder / "id_ed25519").write_text(base64.b64encode(self._secret).decode())
        (self._folder / "id_ed25519.pub").write_text(self.key)
        try:
            self.start_hbbs()
            self.start_hbbr()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        for name in list(self._processes):
            self._stop(name)
        if self.network:
            self.network.close()
            self.network = None
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def restart(self, forget=False):
        """Stop and start both; hbbs keeps its database (known ids and keys) unless `forget`."""
        self.stop_hbbs()
        self.stop_hbbr()
        if forget:
            for path in self._folder.glob("db_v2.sqlite3*"):
                path.unlink()
        self.start_hbbs()
        self.start_hbbr()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # -- each server alone

    def start_hbbs(self):
        command = ["hbbs", "-p", str(HBBS_PORT), "-k", "_" if self._enforce_key else ""]
        if self._relay_servers:
            command += ["-r", self._relay_servers]
        self._start("hbbs", command, (HBBS_PORT, HBBS_PORT - 1))

    def start_hbbr(self):
        command = ["hbbr", "-p", str(HBBR_PORT)] + (["-k", "_"] if self._relay_key else [])
        self._start("hbbr", command, (HBBR_PORT,))

    def stop_hbbs(self):
        self._stop("hbbs")

    def stop_hbbr(self):
        self._stop("hbbr")

    def kill_hbbs(self):
        self._stop("hbbs", signal.SIGKILL)

    def kill_hbbr(self):
        self._stop("hbbr", signal.SIGKILL)

    def log(self, name="hbbs"):
        """What "hbbs" or "hbbr" wrote so far (its logger writes with a delay)."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def _start(self, name, command, ports):
        # Any environment variable may be taken for a setting (PORT, KEY, ...), so there are none but these.
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "RUST_LOG": "debug",
                       "ALWAYS_USE_RELAY": "Y" if self._always_relay else "N"}
        with open(self._folder / f"{name}.log", "ab") as log:
            self._processes[name] = self.network.run(command, cwd=self._folder, env=environment, stdout=log,
                                                     stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        for port in ports:
            self._await_port(name, port)

    def _await_port(self, name, port):
        """UDP is bound before TCP, so open TCP ports mean that the server is up."""
        process, deadline = self._processes[name], Deadline(15)
        while True:
            try:
                Conn.connect(self.host, port, timeout=1).close()
                return
            except (PeerClosed, PeerTimeout):
                pass
            try:
                process.wait(0.02)  # the pause between two attempts, cut short by its end
            except subprocess.TimeoutExpired:
                pass
            if process.poll() is not None or deadline.passed():
                raise OSError(f"{name} did not come up: {self.log(name)[-2000:]}")

    def _stop(self, name, how=signal.SIGTERM):
        process = self._processes.pop(name, None)
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
