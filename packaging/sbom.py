#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""sbom.py VERSION DATE PROGRAM...: what the programs consist of, as SPDX 2.3 in JSON, on standard output.

From what the loader takes for them on this machine, and what dpkg knows of those files. The same programs and packages
give the same bytes.
"""
import email.utils
import hashlib
import json
import re
import subprocess
import sys
from datetime import timezone
from pathlib import Path

FIELDS = ("Package", "Version", "Architecture", "source:Package", "source:Version", "Homepage", "Maintainer")
OWN = "SPDXRef-kvmagent"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def needed(path):
    """Libraries that a program names itself."""
    return set(re.findall(r"NEEDED.*\[(.+)\]", run("readelf", "-d", path)))


def loaded(path):
    """{library: its file} of all that the loader takes, directly or not."""
    found = {}
    for line in run("ldd", path).splitlines():
        words = line.split()
        if "=>" in words:
            found[words[0]] = words[2]
        elif words[0].startswith("/"):
            found[Path(words[0]).name] = words[0]
    return found


def owner(path):
    """The installed package of a file. dpkg knows it by the place it was unpacked to, before /lib became a link."""
    real = Path(path).resolve()
    for name in (str(real), str(real).removeprefix("/usr"), path):
        done = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(": ")[0].split(", ")[0]
    raise SystemExit(f"sbom: no package has {path}")


def facts(package):
    values = run("dpkg-query", "-W", "-f", "\\n".join(f"${{{name}}}" for name in FIELDS), package).split("\n")
    return dict(zip(FIELDS, values))


def described(package):
    """A package of Debian in SPDX's words. Licences stand in its copyright file; nobody here has judged them."""
    known = facts(package)
    name = known["Package"]
    purl = (f"pkg:deb/debian/{name}@{known['Version'].replace(':', '%3A').replace('+', '%2B')}"
            f"?arch={known['Architecture']}&upstream={known['source:Package']}")
    return {
        "SPDXID": f"SPDXRef-{re.sub(r'[^A-Za-z0-9.-]', '-', name)}",
        "name": name,
        "versionInfo": known["Version"],
        "supplier": "Organization: Debian",
        "originator": "NOASSERTION",
        "downloadLocation": "NOASSERTION",
        "homepage": known["Homepage"] or "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "comment": f"/usr/share/doc/{name}/copyright; source {known['source:Package']} {known['source:Version']}",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}],
    }


def program(path):
    return {
        "SPDXID": f"SPDXRef-{path.name}-program",
        "fileName": f"./{path.name}",
        "fileTypes": ["BINARY"],
        "checksums": [{"algorithm": name, "checksumValue": hashlib.new(name.lower(), path.read_bytes()).hexdigest()}
                      for name in ("SHA1", "SHA256")],
        "licenseConcluded": "GPL-3.0-or-later",
        "copyrightText": "NOASSERTION",
    }


def own_package(version):
    return {
        "SPDXID": OWN, "name": "kvmagent", "versionInfo": version, "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False, "licenseConcluded": "GPL-3.0-or-later", "licenseDeclared": "GPL-3.0-or-later",
        "copyrightText": "NOASSERTION", "primaryPackagePurpose": "APPLICATION",
    }


def related(one, how, other):
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}


def document(version, date, paths):
    packages, relations = {}, []
    for path in paths:
        own = program(path)["SPDXID"]
        direct = needed(path)
        relations.append(related(OWN, "CONTAINS", own))
        for library, file in sorted(loaded(path).items()):
            name = owner(file)
            packages.setdefault(name, described(name))
            how = "DYNAMIC_LINK" if library in direct else "DEPENDS_ON"
            relations.append(related(own, how, packages[name]["SPDXID"]))
    relations = [dict(pairs) for pairs in sorted({tuple(sorted(r.items())) for r in relations})]
    content = {
        "packages": [own_package(version), *(packages[name] for name in sorted(packages))],
        "files": [program(path) for path in paths],
        "relationships": [related("SPDXRef-DOCUMENT", "DESCRIBES", OWN), *relations],
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    made = email.utils.parsedate_to_datetime(date).astimezone(timezone.utc)
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"kvmagent-{version}",
        "documentNamespace": f"https://kvmagent.example/spdx/kvmagent-{version}-{digest}",
        "creationInfo": {"created": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: kvmagent-sbom"]},
        **content,
    }


if __name__ == "__main__":
    print(json.dumps(document(sys.argv[1], sys.argv[2], [Path(name) for name in sys.argv[3:]]), indent=1))
