"""Migrations of a test's own, in a folder of their own."""

import shutil
from pathlib import Path

from modulo.cli.build import ROOT

SCRIPT = """
from alembic import op
from modulo.adapters.postgres.concurrent_indexes import add_index, drop_index
revision, down_revision, branch_labels, depends_on = {revision!r}, {down_revision!r}, None, None
def upgrade():
    {upgrade}
"""


def migrations(folder: Path, *upgrades: str) -> Path:
    """Scripts whose revisions are 1, 2, … and run one statement each."""
    versions = folder / "versions"
    versions.mkdir()
    shutil.copy(ROOT / "infra" / "migrations" / "env.py", folder)
    for number, upgrade in enumerate(upgrades, start=1):
        down = str(number - 1) if number > 1 else None
        text = SCRIPT.format(revision=str(number), down_revision=down, upgrade=upgrade)
        (versions / f"{number}.py").write_text(text)
    return folder
