#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tests/vm/guest inside Debian's own kernel under QEMU, and brings the JUnit result out.

The guest sees the host's whole root read-only with an overlay in its memory: it has the host's packages and this tree,
and can harm neither. No hardware is used; hardware virtualisation only where it is seen to work.
"""
import argparse
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "vm"
OUT = WORK / "out"  # what the last run left: console.log, junit.xml, the agents' logs
BOOT_MODULES = ("virtio_pci", "9p", "9pnet_virtio", "overlay")
GPIO_PAGE = 0x70000000  # as in gpio.asl
USERLAND = b"vm: userland"
USERLAND_S = {"kvm": 10, "tcg": 120}


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def kernel():
    """Unpacks the kernel that linux-image-amd64 depends on; (image, modules folder)."""
    depends = run("apt-cache", "depends", "linux-image-amd64", capture_output=True, text=True).stdout
    package = next(line.split()[1] for line in depends.splitlines() if "Depends:" in line)
    version = package.removeprefix("linux-image-")
    folder = WORK / "kernel"
    modules = folder / "lib" / "modules" / version
    if not (modules / "modules.dep").exists():
        print(f"vm: fetching {package}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package, cwd=WORK)
        archive = max(WORK.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)
        run("dpkg", "-x", archive, folder)
        run("/sbin/depmod", "-b", folder, version)
        archive.unlink()
    return folder / "boot" / f"vmlinuz-{version}", modules


def in_load_order(modules, names):
    """Module files that give the names, each after those it depends on."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        needs[path] = rest.split()
    by_name = {Path(path).name.split(".")[0].replace("-", "_"): path for path in needs}
    order = []
    for name in names:
        if name not in by_name:
            continue  # built into the kernel
        # modules.dep lists the nearest dependency first.
        for path in [*reversed(needs[by_name[name]]), by_name[name]]:
            if path not in order:
                order.append(path)
    return order


def initramfs(modules, own):
    """Packs busybox, the boot modules and init.sh; the archive's path."""
    tree = own / "initramfs"
    for folder in ("bin", "dev", "proc", "sys", "modules"):
        (tree / folder).mkdir(parents=True)
    shutil.copy2(shutil.which("busybox"), tree / "bin" / "busybox")
    shutil.copy2(ROOT / "tests" / "vm" / "init.sh", tree / "init")
    order = in_load_order(modules, BOOT_MODULES)
    for path in order:
        shutil.copy2(modules / path, tree / "modules")
    (tree / "modules" / "order").write_text("".join(f"{Path(path).name}\n" for path in order))
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*"))) + "\n"
    archive = own / "initramfs.cpio"
    with archive.open("wb") as out:
        run("busybox", "cpio", "-o", "-H", "newc", "-R", "0:0", cwd=tree, input=names.encode(), stdout=out,
            stderr=subprocess.DEVNULL)
    return archive


def gpio_table(own):
    """gpio.asl as the firmware's table."""
    run("iasl", "-p", own / "gpio", ROOT / "tests" / "vm" / "gpio.asl", stdout=subprocess.DEVNULL)
    return own / "gpio.aml"


def qemu(accel, image, archive, table, out):
    acceleration = "tcg,thread=multi" if accel == "tcg" else accel
    share = "local,security_model=none,multidevs=remap"
    return ["qemu-system-x86_64", "-accel", acceleration, "-cpu", "max", "-smp", "2", "-m", "2048",
            "-kernel", image, "-initrd", archive,
            "-append", f"console=ttyS0 panic=-1 quiet loglevel=3 memmap=4K${GPIO_PAGE:#x} ka.root={ROOT}",
            "-acpitable", f"file={table}",
            "-virtfs", f"{share},path=/,mount_tag=host,readonly=on",
            "-virtfs", f"{share},path={out},mount_tag=out",
            "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-nic", "none"]


def boot(accel, image, archive, table, out, timeout_s):
    """One life of the guest, console to stdout and a file. False when it never came to its userland."""
    start = time.monotonic()
    guest = subprocess.Popen(qemu(accel, image, archive, table, out), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    seen = b""
    alive = False
    with selectors.DefaultSelector() as selector, (out / "console.log").open("wb") as log:
        selector.register(guest.stdout, selectors.EVENT_READ)
        while True:
            limit = timeout_s if alive else USERLAND_S[accel]
            left = start + limit - time.monotonic()
            if left <= 0:
                print(f"\nvm: killed after {limit} s", flush=True)
                guest.kill()
                break
            if not selector.select(left):
                continue
            data = os.read(guest.stdout.fileno(), 65536)
            if not data:
                break
            log.write(data)
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            if not alive:
                seen += data
                alive = USERLAND in seen
    guest.wait()
    print(f"vm: {accel} guest ran {time.monotonic() - start:.1f} s", flush=True)
    return alive


def run_guest(image, modules, own, options):
    """Boots with hardware virtualisation where that works, else without; the JUnit text the guest left, or None."""
    archive = initramfs(modules, own)
    table = gpio_table(own)
    out = own / "out"
    out.mkdir()
    (out / "arguments").write_text("\n".join(options.tests) + "\n")
    accels = [options.accel]
    if options.accel == "auto":
        accels = ["kvm", "tcg"] if os.access("/dev/kvm", os.R_OK | os.W_OK) else ["tcg"]
    for accel in accels:
        if boot(accel, image, archive, table, out, options.timeout):
            break
    result = out / "junit.xml"
    return result.read_bytes() if result.exists() else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--junit", type=Path, help="copy the result there")
    parser.add_argument("--timeout", type=int, default=1800, metavar="SECONDS")
    parser.add_argument("--accel", choices=("auto", "kvm", "tcg"), default="auto")
    parser.add_argument("tests", nargs="*", default=["tests/vm/guest"], help="pytest arguments")
    options = parser.parse_args()

    WORK.mkdir(parents=True, exist_ok=True)
    image, modules = kernel()
    with tempfile.TemporaryDirectory(dir=WORK, prefix="run-") as folder:
        own = Path(folder)
        result = run_guest(image, modules, own, options)
        shutil.rmtree(OUT, ignore_errors=True)
        shutil.move(own / "out", OUT)
    if result is None:
        print("vm: the guest left no result")
        return 1
    if options.junit:
        options.junit.write_bytes(result)
    return 1 if b"<failure" in result or b"<error" in result else 0


if __name__ == "__main__":
    sys.exit(main())
