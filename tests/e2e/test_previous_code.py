"""The check of the previous release's code: which one that is, and that a migration can fail it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from modulo.cli.build import ROOT
from tests.conftest import NOT_PROVED

SCRIPT = Path(".ci", "previous-code")
MIGRATIONS = Path("infra", "migrations", "versions")
DROPS = """
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999", {newest!r}, None, None
def upgrade():
    op.drop_column("collections", "description")
"""
SECONDS = 1_000  # more than the script gives what it runs
Git = Callable[..., str]


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A clone with the script and no history yet."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / MIGRATIONS).mkdir(parents=True)
    shutil.copy(ROOT / SCRIPT, tmp_path / SCRIPT)
    git_in(tmp_path)("init", "--quiet", "--initial-branch=main")
    return tmp_path


def git_in(folder: Path) -> Git:
    def git(*command: str) -> str:
        person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
        done = run(folder, "git", *person, *command)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return git


def commit(folder: Path, *, migration: str | None = None) -> str:
    """Commit a change, of the schema or of something else; its id."""
    git = git_in(folder)
    if migration is not None:
        (folder / MIGRATIONS / f"{migration}.py").write_text("")
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message", "Change something")
    return git("rev-parse", "HEAD")


def chosen(folder: Path) -> str:
    done = run(folder, str(SCRIPT), "--ref")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_release_before_is_the_newest_tag_before_the_commit(history: Path) -> None:
    git = git_in(history)
    for version in ("v1.0.0", "v1.1.0"):
        commit(history, migration=f"000{version[3]}_a")
        git("tag", version)
        git("tag", f"other-{version}")
    assert chosen(history) == "v1.0.0", "a commit is not compared with itself"
    commit(history)
    assert chosen(history) == "v1.1.0"


def test_without_tags_it_is_the_last_commit_with_another_newest_migration(history: Path) -> None:
    commit(history, migration="0001_a")
    before = commit(history)
    commit(history, migration="0002_b")
    commit(history)
    assert chosen(history) == before
    (history / MIGRATIONS / "0003_c.py").write_text("")
    assert chosen(history) == git_in(history)("rev-parse", "HEAD"), "what is not committed yet counts"


@pytest.mark.parametrize("shallow", [False, True])
def test_a_history_that_does_not_reach_it_proves_nothing_and_says_why(
    history: Path, tmp_path_factory: pytest.TempPathFactory, shallow: bool
) -> None:
    commit(history, migration="0001_a")
    if shallow:
        commit(history, migration="0002_b")
        clone = tmp_path_factory.mktemp("clones") / "shallow"
        git_in(history)("clone", "--quiet", "--depth=1", history.as_uri(), str(clone))
        history = clone
    done = run(history, str(SCRIPT))
    assert done.returncode == 0, done.stderr
    assert "NOT PROVED" in done.stdout
    assert ("git fetch --unshallow" in done.stdout) == shallow


def test_the_same_migrations_need_no_proof(history: Path) -> None:
    commit(history, migration="0001_a")
    git_in(history)("tag", "v1.0.0")
    commit(history)
    done = run(history, str(SCRIPT))
    assert (done.returncode, done.stdout) == (
        0,
        "v1.0.0 has the same migrations: there is no other schema to run it on\n",
    )


def test_a_migration_that_takes_something_away_fails_it(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip(f"{NOT_PROVED} the previous release's code: this is no clone")
    clone = tmp_path / "clone"
    git_in(tmp_path)("clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone))
    (clone / ".venv").symlink_to(ROOT / ".venv")
    newest = max((clone / MIGRATIONS).glob("*.py")).name.partition("_")[0]
    (clone / MIGRATIONS / "9999_drops.py").write_text(DROPS.format(newest=newest))
    done = run(clone, str(SCRIPT), "HEAD", "tests/contracts/adapters/postgres/test_collections.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert '"description"' in done.stdout
    assert "does not exist" in done.stdout
