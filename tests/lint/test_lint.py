# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree obeys the house rules; and each rule is seen to refuse a bad example."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import headers  # noqa: E402
import house  # noqa: E402
import layers  # noqa: E402
import tree  # noqa: E402

LICENCE = "/* " + house.LICENCE + " */\n"


def expect_clean(complaints):
    if complaints:
        pytest.fail("\n" + "\n".join(complaints), pytrace=False)


def expect_quiet(command):
    run = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True)
    if run.returncode != 0:
        pytest.fail(f"\n{run.stdout}{run.stderr}", pytrace=False)


def test_tree_includes_along_the_arrows():
    expect_clean(layers.check(tree.ROOT))


def test_tree_keeps_house_rules():
    expect_clean(house.check(tree.ROOT))


def test_tree_headers_compile_alone():
    expect_clean(headers.check(tree.ROOT))


def format_check(sources):
    return ["clang-format", f"--style=file:{tree.ROOT / '.clang-format'}", "--dry-run", "-Werror", *sources]


def cppcheck(cache, folders):
    return ["cppcheck", "--quiet", "--error-exitcode=1", "--enable=warning,performance,portability",
            "--inline-suppr", "--suppressions-list=tests/lint/cppcheck.txt", f"--cppcheck-build-dir={cache}",
            "--std=c11", "--library=posix", "-I.", "-D_GNU_SOURCE", f"-j{os.cpu_count()}", *folders]


def test_tree_is_formatted():
    expect_quiet(format_check(tree.files(tree.ROOT, ".c", ".h")))


def test_tree_passes_cppcheck():
    cache = tree.ROOT / "build" / "cppcheck"
    cache.mkdir(parents=True, exist_ok=True)
    expect_quiet(cppcheck(cache, [f for f in tree.PRODUCT if any((tree.ROOT / f).glob("**/*.c"))]))


def libraries_to_build_with(text):
    """The -dev packages of the group `build`; tests' own and the compiler's are not the package's business."""
    group = re.search(r"^# build:.*\n((?:[^#\n].*\n)+)", text, re.M).group(1).split()
    return {name for name in group if name.endswith("-dev")} - {"libc6-dev", "libcmocka-dev"}


def test_package_asks_for_every_library_it_is_built_with():
    packaging = tree.ROOT / "packaging"
    wanted = libraries_to_build_with((packaging / "build-packages").read_text())
    control = (packaging / "debian" / "control").read_text()
    asked = set(re.findall(r"^ (\S+-dev),$", control[:control.index("\nPackage:")], re.M))
    assert len(wanted) > 10 and wanted == asked


def packages_asked_for(control):
    """Build-Depends and Depends by name, without what dpkg fills in."""
    fields = re.findall(r"^(?:Build-)?Depends:\n((?: .*\n)+)", control, re.M)
    return {line.split(" (")[0].strip(" ,") for field in fields for line in field.splitlines() if "${" not in line}


def packages_explained(text):
    cells = re.findall(r"^\| ([a-z][^|]+?) \|", text, re.M)
    return {name for cell in cells for name in cell.split(", ")}


def test_every_dependency_is_explained():
    control = (tree.ROOT / "packaging" / "debian" / "control").read_text()
    assert packages_explained((tree.ROOT / "docs" / "DEPENDENCIES.md").read_text()) == packages_asked_for(control)


def test_format_check_refuses_spaces(tmp_path):
    put(tmp_path, "a.c", "int f(void)\n{\n    return 1;\n}\n")
    with pytest.raises(pytest.fail.Exception, match="clang-format-violations"):
        expect_quiet(format_check([tmp_path / "a.c"]))


def test_cppcheck_refuses_a_write_past_the_end(tmp_path):
    put(tmp_path, "a.c", "int f(void)\n{\n\tint a[2];\n\n\ta[2] = 0;\n\treturn a[2];\n}\n")
    with pytest.raises(pytest.fail.Exception, match="arrayIndexOutOfBounds"):
        expect_quiet(cppcheck(tmp_path, [tmp_path / "a.c"]))


BAD_INCLUDES = [
    ("base/a.c", '#include "capture/capture.h"', "base/ may not include capture/"),
    ("capture/a.c", '#include "hid/hid.h"', "capture/ may not include hid/"),
    ("hid/a.c", '#include "rustdesk/rustdesk.h"', "hid/ may not include rustdesk/"),
    ("rustdesk/wire/a.c", '#include "agent/app.h"', "rustdesk/ may not include agent/"),
    ("capture/a.c", '#include "proto/message.pb-c.h"', "capture/ may not include proto/"),
    ("agent/a.c", '#include "hid/report.h"', "private to hid/"),
    ("agent/a.c", '# include "app.h"', "written from the root"),
    ("rustdesk/a.c", "#include <libconfig.h>", "belongs to agent/"),
]


@pytest.mark.parametrize("name, line, why", BAD_INCLUDES)
def test_layers_refuses(tmp_path, name, line, why):
    put(tmp_path, name, LICENCE + line + "\n")
    assert [c for c in layers.check(tmp_path) if why in c and f"{name}:2:" in c]


def test_layers_accepts_every_arrow(tmp_path):
    put(tmp_path, "agent/a.c", '#include "capture/capture.h"\n#include "agent/b.h"\n#include "base/log.h"\n')
    put(tmp_path, "rustdesk/reach/a.c", '#include "rustdesk/wire/conn.h"\n#include "proto/x.pb-c.h"\n')
    assert layers.check(tmp_path) == []


BAD_TEXTS = [
    ("base/a.c", "int f(void)\n{\n\treturn atoi(x);\n}\n", "atoi() is banned"),
    ("tests/unit/a.c", "void f(void)\n{\n\tusleep(10);\n}\n", "usleep() is banned"),
    ("hid/a.c", "void f(void)\n{\n\tstatic char b[9];\n}\n", "state hidden in a function"),
    ("hid/a.c", "static int count;\n", "global state"),
    ("hid/a.c", "struct ka_x *ka_all[4] = { NULL };\n", "global state"),
    ("base/a.c", "int x(void);\t\n", "trailing blanks"),
    ("base/a.c", "/* end */", "no newline at the end"),
    ("base/a.c", "/* TO" "DO: later */\n", "unfinished"),
    ("docs/a.md", "see /home/" "me/tree/file\n", "place of one machine"),
    ("base/a.c", 'x = "ka-name-too-long-%u";\n', "thread name"),
    ("base/a.c", "int f(void)\n{\n" + "\tx();\n" * 79 + "}\n", "function of 81 lines"),
    ("base/a.c", "/* x */\n" * 500, "501 lines"),
    ("base/string.h", "\n", "libc has a header of this name"),
    ("tests/a.py", "def f():\n" + "    x()\n" * 80, "function of 81 lines"),
    ("tests/a.py", "x = 1  # " + "x" * 112 + "\n", "longer than 120"),
]


@pytest.mark.parametrize("name, text, why", BAD_TEXTS)
def test_house_refuses(tmp_path, name, text, why):
    licence = f"# {house.LICENCE}\n" if name.endswith(".py") else LICENCE
    put(tmp_path, name, licence + text)
    found = house.check(tmp_path)
    assert len(found) == 1 and why in found[0]


def test_house_refuses_missing_licence(tmp_path):
    put(tmp_path, "base/a.c", "int x(void);\n")
    put(tmp_path, "tool", "#!/bin/sh\nexit 0\n")
    assert len(house.check(tmp_path)) == 2


def test_house_refuses_the_same_name_twice(tmp_path):
    put(tmp_path, "hid/report.c", LICENCE)
    put(tmp_path, "capture/report.c", LICENCE)
    assert "same name" in house.check(tmp_path)[0]


def test_house_accepts_what_only_looks_bad(tmp_path):
    text = ('static const char *const names[] = { "sleep(1)", "gets(x)" };\n/* strcpy(a, b) */\nstruct ka_x;\n'
            "extern int ka_y;\nint ka_f(int a, int b);\ntypedef void (*ka_fn)(void);\n"
            "int ka_f(int a, int b)\n{\n\tint sum = a + b;\n\tstatic const int one = 1;\n\n\treturn sum + one;\n}\n"
            "struct ka_z {\n\tint value;\n};\n")
    put(tmp_path, "base/a.c", LICENCE + text)
    put(tmp_path, "base/big_table.c", LICENCE + "/* x */\n" * 600)
    assert house.check(tmp_path) == []


def test_headers_refuses_one_that_needs_another(tmp_path):
    put(tmp_path, "base/good.h", "#ifndef A\n#define A\n#include <stdint.h>\nuint8_t ka_a(void);\n#endif\n")
    put(tmp_path, "base/bad.h", "uint8_t ka_b(void);\n")
    found = headers.check(tmp_path)
    assert len(found) == 1 and found[0].startswith("base/bad.h: does not compile alone")


def put(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
