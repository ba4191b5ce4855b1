"""Write a software bill of materials in CycloneDX 1.6 JSON, from the hashed locks: what a built layer or stack holds.

python -m docs.sbom [layers|app|local] > sbom.cdx.json

Its content depends on the locks alone, so that two runs can be compared.
"""

import json
import re
import sys
from typing import Any
from uuid import UUID, uuid5

from docs.third_party import Package, locked, text_of
from modulo import __version__

NAMESPACE = UUID("5d1f0b52-6b0e-4d0e-8a3f-6f6f3a1c2b7d")
SPDX = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense"),
}
"""Identifiers that occur; an expression with any other is given as a name."""
_PIN = re.compile(
    r"^(?P<name>[\w.-]+)(?:\[[\w,]+\])?==(?P<version>\S+)(?P<hashes>(?: *\\\n +--hash=sha256:\w+)+)", re.M
)


def hashes(lock: str) -> dict[tuple[str, str], list[str]]:
    """The SHA-256 hashes of each package's distributions, by name and version."""
    pins = _PIN.finditer(text_of(lock))
    return {(pin["name"], pin["version"]): re.findall(r"sha256:(\w+)", pin["hashes"]) for pin in pins}


def component(package: Package, sums: list[str]) -> dict[str, Any]:
    """A package as a component; each hash is that of one of its distributions."""
    url = f"pkg:pypi/{re.sub(r'[-_.]+', '-', package.name).lower()}@{package.version}"
    files = [
        {"type": "distribution", "url": f"https://pypi.org/project/{package.name}/{package.version}/", "hashes": [one]}
        for one in ({"alg": "SHA-256", "content": each} for each in sums)
    ]
    return {
        "type": "library",
        "bom-ref": url,
        "name": package.name,
        "version": package.version,
        "purl": url,
        "licenses": licences(package.licence),
        "externalReferences": files,
    }


def licences(stated: str) -> list[dict[str, Any]]:
    """A licence as CycloneDX has it: an SPDX expression, or the name that the package gives it."""
    words = set(re.findall(r"[\w.+-]+", stated)) - {"AND", "OR", "WITH"}
    if words <= SPDX and "," not in stated:
        return [{"expression": stated}]
    return [{"license": {"name": stated}}]


def bill(lock: str) -> dict[str, Any]:
    """The bill of the `layers`, or of one lock: `app` is what a process needs, `local` adds the embedded stack."""
    packages, sums = locked(lock), hashes(lock)
    components = [component(package, sums[package.name, package.version]) for package in packages]
    product = f"pkg:pypi/modulo@{__version__}"
    listed = json.dumps(components)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE, listed)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": product,
                "name": "modulo",
                "version": __version__,
                "purl": product,
                "licenses": [{"expression": "Apache-2.0"}],
            }
        },
        "components": components,
        "dependencies": [{"ref": product, "dependsOn": [each["bom-ref"] for each in components]}],
    }


if __name__ == "__main__":
    (chosen,) = sys.argv[1:] or ["local"]
    sys.stdout.write(json.dumps(bill(chosen), indent=1) + "\n")
