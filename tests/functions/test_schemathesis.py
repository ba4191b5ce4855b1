"""What openapi.json says is what a server does: schemathesis sends what it allows and what it forbids."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modulo.domain.tenancy.quota import Quotas
from tests.architecture.sources import ROOT
from tests.functions.served import key_of, served

COMMAND = str(Path(sys.executable).with_name("schemathesis"))
CONFIG = Path(__file__).with_name("schemathesis.toml")
SECONDS = 1_800
UNBOUNDED = dict.fromkeys(Quotas.model_fields, 10**9)
"""Quotas that no run uses up: what is refused for them is not looked at."""


@pytest.mark.parametrize("settings", [{"quotas": UNBOUNDED}], indirect=True)
def test_every_check_finds_nothing(api, tmp_path):
    with served() as address:
        command = [COMMAND, "--config-file", str(CONFIG), "run", str(ROOT / "infra" / "openapi.json")]
        command += ["--url", address, "--no-color"]
        environment = {**os.environ, "MODULO_API_KEY": key_of(api)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    tested = [line for line in done.stdout.splitlines() if line.strip().startswith(("✅", "❌", "⏭"))]
    assert tested, done.stdout
    assert not [line for line in tested if "disabled" in line], done.stdout
