# SPDX-License-Identifier: GPL-3.0-or-later
"""build/sbom/kvmagent.spdx.json against the rules of SPDX 2.3 and what the programs say themselves."""
import copy
import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = [ROOT / "build" / "release" / "agent" / name for name in ("kvmagent", "kvmagentctl")]
OF_DOCUMENT = {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo", "packages",
               "relationships"}
OF_PACKAGE = {"SPDXID", "name", "downloadLocation", "versionInfo"}
RELATIONS = {"DESCRIBES", "CONTAINS", "DYNAMIC_LINK", "DEPENDS_ON"}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def complaints(spdx):
    """What the standard (clauses 6, 7, 8 and 11) does not allow."""
    found = [f"no {name}" for name in OF_DOCUMENT - set(spdx)]
    if found:
        return found
    if spdx["spdxVersion"] != "SPDX-2.3" or spdx["dataLicense"] != "CC0-1.0" or spdx["SPDXID"] != "SPDXRef-DOCUMENT":
        found.append("no SPDX 2.3 document")
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^#\s]+", spdx["documentNamespace"]):
        found.append("namespace")
    made = spdx["creationInfo"]
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["created"]) or not all(
            re.match(r"(Tool|Organization|Person): ", who) for who in made["creators"]):
        found.append("creation")
    things = [spdx, *spdx["packages"], *spdx.get("files", [])]
    ids = [thing["SPDXID"] for thing in things]
    found += [f"id {name}" for name in ids if not re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name)]
    found += [f"twice {name}" for name in set(ids) if ids.count(name) > 1]
    for package in spdx["packages"]:
        found += [f"{package.get('name')}: no {name}" for name in OF_PACKAGE - set(package)]
        found += [f"purl {ref['referenceLocator']}" for ref in package.get("externalRefs", [])
                  if not re.fullmatch(r"pkg:deb/debian/[a-z0-9.+-]+@[\w.%~-]+\?[\w=&.+-]+", ref["referenceLocator"])]
    for one in spdx["relationships"]:
        if one["relationshipType"] not in RELATIONS:
            found.append(f"relation {one['relationshipType']}")
        found += [f"dangling {one[key]}" for key in ("spdxElementId", "relatedSpdxElement") if one[key] not in ids]
    return found


@pytest.fixture(scope="module")
def spdx():
    return json.loads((ROOT / "build" / "sbom" / "kvmagent.spdx.json").read_text())


def test_document_obeys_the_standard(spdx):
    assert complaints(spdx) == []


@pytest.mark.parametrize("harm, complaint", [
    (lambda d: d.pop("documentNamespace"), "no documentNamespace"),
    (lambda d: d["packages"].pop(), "dangling "),
    (lambda d: d["packages"].append(d["packages"][1]), "twice "),
    (lambda d: d["packages"][1].pop("downloadLocation"), "no downloadLocation"),
    (lambda d: d["creationInfo"].update(created="yesterday"), "creation"),
])
def test_check_refuses_what_the_standard_does_not_allow(spdx, harm, complaint):
    bad = copy.deepcopy(spdx)
    harm(bad)
    assert any(complaint in found for found in complaints(bad))


def test_every_library_of_every_program_is_there_in_the_version_installed(spdx):
    versions = {package["SPDXID"]: (package["name"], package["versionInfo"]) for package in spdx["packages"]}
    for path in PROGRAMS:
        mine = f"SPDXRef-{path.name}-program"
        linked = {versions[r["relatedSpdxElement"]] for r in spdx["relationships"]
                  if r["spdxElementId"] == mine and r["relationshipType"] == "DYNAMIC_LINK"}
        for library in re.findall(r"NEEDED.*\[(.+)\]", run("readelf", "-d", path)):
            owners = {line.split(":")[0] for line in run("dpkg-query", "-S", f"*/{library}").splitlines()}
            found = {name for name, _ in linked} & owners
            assert found, f"{path.name} needs {library}"
        for name, version in linked:
            assert version in run("dpkg-query", "-W", "-f", "${Version}\n", name).split()


def test_programs_are_those_described(spdx):
    told = {file["fileName"]: {sum_["algorithm"]: sum_["checksumValue"] for sum_ in file["checksums"]}
            for file in spdx["files"]}
    assert told == {f"./{path.name}": {"SHA1": hashlib.sha1(path.read_bytes()).hexdigest(),
                                       "SHA256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in PROGRAMS}
