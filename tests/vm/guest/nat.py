# SPDX-License-Identifier: GPL-3.0-or-later
"""An internet in a box: network namespaces, routers with the kernel's own NAT, and lines that delay and lose.

    srv 198.51.100.2 ── wan ─┬─ <site>: a host with an address of its own ("public")
                             └─ <site>-nat ──┬─ <site>, 192.168.x.50
                                             └─ <site>-lan, 192.168.x.60: its neighbour

A cone router is `masquerade`: the kernel keeps the source port, so all servers see the same one. A symmetric router is
`masquerade random`: another port for each destination. Both drop what nobody inside has asked for, as home routers do.
"""
import contextlib
import ctypes
import os
import subprocess

import lib

SERVER = "198.51.100.2"
KINDS = ("public", "cone", "symmetric")
_MODULES = ("veth", "bridge", "nf_tables", "nft_chain_nat", "nft_masq", "nft_ct", "sch_netem")
_RULES = """
table ip box {{
    chain out {{ type nat hook postrouting priority srcnat; oifname "wide" masquerade {how}; }}
    chain in {{ type filter hook input priority filter; iifname "wide" ct state != {{ established, related }} drop; }}
}}
"""
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(name):
    """The calling thread, and every thread and process it starts meanwhile, has the network of the namespace."""
    with open("/proc/thread-self/ns/net", "rb") as before, open(f"/run/netns/{name}", "rb") as there:
        _enter(there)
        try:
            yield
        finally:
            _enter(before)


def _enter(file):
    if _libc.setns(file.fileno(), 0x40000000):  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")


def _batch(lines, namespace=None):
    """Many ip commands in one process: each costs much where everything is emulated."""
    where = ["-n", namespace] if namespace else []
    lib.run("ip", *where, "-batch", "-", input="\n".join(lines) + "\n")


class Box:
    """sites: name -> kind. Use as a context manager."""

    def __init__(self, sites):
        self.sites = dict(sites)
        self.names = ["wan", "srv"]
        for site, kind in self.sites.items():
            self.names += [site] if kind == "public" else [site, f"{site}-nat", f"{site}-lan"]

    def __enter__(self):
        for module in _MODULES:
            lib.modprobe(module)
        try:
            _batch([f"netns add {name}" for name in self.names])
            for name in self.names:
                _batch(["link set lo up"], name)
            self._cable("wan", "srv", "srv", "198.51.100.1/24", f"{SERVER}/24")
            for number, (site, kind) in enumerate(self.sites.items(), 1):
                self._site(number, site, kind)
            self._forward("wan")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    @staticmethod
    def _cable(near, name, far, near_address, far_address):
        """A veth pair: `name` in near, `wide` in far, whose default route it is."""
        _batch([f"link add {name} netns {near} type veth peer name wide netns {far}"])
        _batch([f"addr add {near_address} dev {name}", f"link set {name} up"] if near_address else
               [f"link set {name} master lan", f"link set {name} up"], near)
        gateway = near_address.split("/")[0] if near_address else far_address.rsplit(".", 1)[0] + ".1"
        _batch([f"addr add {far_address} dev wide", "link set wide up", f"route add default via {gateway}"], far)

    @staticmethod
    def _forward(name):
        with inside(name):
            with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
                file.write("1")

    def _site(self, number, site, kind):
        ends = (f"203.0.113.{4 * number + 1}/30", f"203.0.113.{4 * number + 2}/30")
        if kind == "public":
            self._cable("wan", site, site, *ends)
            return
        router = f"{site}-nat"
        self._cable("wan", site, router, *ends)
        _batch(["link add lan type bridge", f"addr add 192.168.{number}.1/24 dev lan", "link set lan up"], router)
        self._cable(router, "host", site, None, f"192.168.{number}.50/24")
        self._cable(router, "neighbour", f"{site}-lan", None, f"192.168.{number}.60/24")
        self._forward(router)
        rules = _RULES.format(how="random" if kind == "symmetric" else "")
        lib.run("ip", "netns", "exec", router, "nft", "-f", "-", input=rules)

    @contextlib.contextmanager
    def bad_lines(self, sites, what):
        """The lines of these sites behave so in both directions, in tc-netem's words."""
        ends = [("wan", site) for site in sites]
        ends += [(site if self.sites[site] == "public" else f"{site}-nat", "wide") for site in sites]
        for namespace, link in ends:
            lib.run("tc", "-n", namespace, "qdisc", "add", "dev", link, "root", "netem", *what.split())
        try:
            yield
        finally:
            for namespace, link in ends:
                lib.run("tc", "-n", namespace, "qdisc", "del", "dev", link, "root")


class Network:
    """The box's server namespace as peer.real.RealServers wants it."""

    server, server6, client_hosts = SERVER, "", ()

    @staticmethod
    def run(command, **options):
        with inside("srv"):
            return subprocess.Popen(command, **options)

    def close(self):
        """The box goes by itself."""
