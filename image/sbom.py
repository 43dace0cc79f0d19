"""What the image is made of: `sbom.py PACKAGES.TSV ROOT` prints it as SPDX 2.3 (ISO/IEC 5962)."""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import distributions
from os import environ
from pathlib import Path
from typing import Any


def package(name: str, version: str, locator: str, license_id: str) -> dict[str, Any]:
    """Return the entry of a package (SPDX 2.3, clause 7)."""
    return {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", locator.partition(":")[2]),
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": license_id,
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator}
        ],
    }


def of_debian(listing: str) -> Iterator[dict[str, Any]]:
    """Yield the packages of dpkg's list: name, version, architecture, parted by tabs."""
    for line in listing.splitlines():
        name, version, architecture = line.split("\t")
        yield package(name, version, f"pkg:deb/debian/{name}@{version}?arch={architecture}", "NOASSERTION")


def of_python(root: Path) -> Iterator[dict[str, Any]]:
    """Yield the distributions that are in the product's environment."""
    for site in sorted(root.glob("opt/otppi/lib/python3*/site-packages")):
        for one in sorted(distributions(path=[str(site)]), key=lambda one: one.name):
            expression = str(one.metadata.json.get("license_expression", "NOASSERTION"))
            yield package(one.name, one.version, f"pkg:pypi/{one.name.lower()}@{one.version}", expression)


def main(listing: Path, root: Path) -> None:
    """Print the document."""
    packages = [*of_debian(listing.read_text()), *of_python(root)]
    digest = hashlib.sha256(json.dumps(packages).encode()).hexdigest()
    made = datetime.fromtimestamp(int(environ.get("SOURCE_DATE_EPOCH", "1767225600")), UTC)
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "otppi-card",
        "documentNamespace": f"urn:otppi:sbom:{digest}",
        "creationInfo": {"created": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: otppi-image-sbom"]},
        "packages": packages,
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": one["SPDXID"]}
            for one in packages
        ],
    }
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
