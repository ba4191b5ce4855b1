"""The bill of materials says what the locks say, and the audit does not pass where it could not look."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from docs import sbom
from docs.third_party import locked, text_of
from tests.architecture.sources import ROOT


@pytest.mark.parametrize("lock", ["layers", "app", "local"])
def test_every_locked_package_is_listed_with_all_its_hashes(lock: str) -> None:
    bill = sbom.bill(lock)
    assert [(each["name"], each["version"]) for each in bill["components"]] == [
        (each.name, each.version) for each in locked(lock)
    ]
    listed = [one["hashes"][0]["content"] for each in bill["components"] for one in each["externalReferences"]]
    assert len(listed) == text_of(lock).count("--hash=sha256:") > 100
    assert bill["dependencies"][0]["dependsOn"] == [each["bom-ref"] for each in bill["components"]]
    assert len({each["bom-ref"] for each in bill["components"]}) == len(bill["components"])


def test_it_is_the_same_each_time() -> None:
    assert json.dumps(sbom.bill("app")) == json.dumps(sbom.bill("app"))


@pytest.mark.parametrize(
    ("stated", "listed"),
    [
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", {"expression": "MPL-2.0 AND (Apache-2.0 OR MIT)"}),
        ("BSD", {"license": {"name": "BSD"}}),
        ("BSD-3-Clause, Apache-2.0", {"license": {"name": "BSD-3-Clause, Apache-2.0"}}),
    ],
)
def test_only_identifiers_make_an_expression(stated: str, listed: object) -> None:
    assert sbom.licences(stated) == [listed]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("echo 'no route to host' >&2; exit 1", 2),
        ('echo \'{"dependencies": [{"name": "jinja2", "vulns": []}]}\'', 2),
        ('case "$*" in *json*) echo \'{"id": "CVE"}\'; exit 1;; *app.txt*) exit 1;; esac', 1),
        ('case "$*" in *json*) echo \'{"id": "CVE"}\'; exit 1;; esac', 0),
    ],
    ids=["unreachable", "no advisories", "vulnerable", "clean"],
)
def test_an_audit_passes_only_where_advisories_were_there(tmp_path: Path, answer: str, code: int) -> None:
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\n{answer}\n")
    uv.chmod(0o700)
    done = subprocess.run(
        [ROOT / ".ci" / "audit"], env={**os.environ, "UV": str(uv)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert ("NOT AUDITED" in done.stderr) is (code == 2)
