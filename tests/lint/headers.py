#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every header compiles alone."""
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", '-DKA_VERSION="0"', "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c"]


def generate(root, into):
    """C headers of proto/*.proto, as the build makes them."""
    (into / "proto").mkdir()
    protos = sorted((root / "proto").glob("*.proto"))
    if protos:
        subprocess.run(["protoc-c", f"--proto_path={root / 'proto'}", f"--c_out={into / 'proto'}", *protos], check=True)


def compile_alone(root, where, generated):
    """What the compiler says about one header, '' when it is content."""
    source = f'#include "{where}"\n#include "{where}"\nint ka_header_alone(void);\n'
    run = subprocess.run(["gcc", *FLAGS, f"-I{root}", f"-I{generated}", f"-I{generated / 'proto'}", "-"],
                         input=source, capture_output=True, text=True, cwd=root)
    if run.returncode == 0:
        return ""
    return f"{where}: does not compile alone\n{run.stderr.rstrip()}"


def check(root):
    """All complaints about the tree under root."""
    headers = [p.relative_to(root) for p in tree.files(root, ".h")]
    headers = [h for h in headers if h.parts[0] in tree.PRODUCT]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        generate(root, Path(folder))
        found = pool.map(lambda h: compile_alone(root, h, Path(folder)), headers)
        return [text for text in found if text]


if __name__ == "__main__":
    complaints = check(Path(sys.argv[1]) if len(sys.argv) > 1 else tree.ROOT)
    print("\n".join(complaints))
    sys.exit(1 if complaints else 0)
