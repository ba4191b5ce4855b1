import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modulo.cli.sign_in import SignInLinks, has_desktop, link
from modulo.domain.errors import Unauthenticated

NOW = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


def test_a_code_works_once(tmp_path: Path) -> None:
    links = SignInLinks(tmp_path / "links")
    code = links.create("acme", "ada")
    assert links.claim(code) == ("acme", "ada")
    with pytest.raises(Unauthenticated):
        links.claim(code)
    assert list((tmp_path / "links").iterdir()) == []


def test_of_many_at_once_one_claims_it(tmp_path: Path) -> None:
    links = SignInLinks(tmp_path)
    code = links.create("acme", "ada")

    def claim(_: int) -> bool:
        try:
            return links.claim(code) == ("acme", "ada")
        except Unauthenticated:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(40))) == 1


def test_a_code_expires(tmp_path: Path) -> None:
    code = SignInLinks(tmp_path, lambda: NOW).create("acme", "ada")
    with pytest.raises(Unauthenticated):
        SignInLinks(tmp_path, lambda: NOW + timedelta(minutes=15)).claim(code)
    assert list(tmp_path.iterdir()) == []


def test_codes_that_nobody_used_are_forgotten(tmp_path: Path) -> None:
    SignInLinks(tmp_path).create("acme", "ada")
    SignInLinks(tmp_path, lambda: datetime.now(UTC) + timedelta(hours=1)).create("acme", "bob")
    assert len(list(tmp_path.iterdir())) == 1


def test_the_code_is_stored_nowhere_and_its_file_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "links"
    code = SignInLinks(folder).create("acme", "ada")
    [file] = folder.iterdir()
    assert code not in file.name + file.read_text()
    assert set(json.loads(file.read_text())) == {"tenant", "user", "expires_at"}
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("guess", ["x", "../../etc/passwd", "*", "\0", "\ud800", "x" * 200])
def test_what_was_never_made_is_refused(tmp_path: Path, guess: str) -> None:
    links = SignInLinks(tmp_path)
    links.create("acme", "ada")
    with pytest.raises(Unauthenticated):
        links.claim(guess)


def test_a_link_carries_its_code_behind_the_hash() -> None:
    assert link("http://127.0.0.1:8000/", "abc") == "http://127.0.0.1:8000/#signin=abc"


def test_a_browser_is_opened_for_whoever_sits_here() -> None:
    assert has_desktop({"DISPLAY": ":0"})
    assert has_desktop({"WAYLAND_DISPLAY": "wayland-0"})
    assert not has_desktop({})
    assert not has_desktop({"DISPLAY": ":0", "SSH_CONNECTION": "a b c d"})
    assert not has_desktop({"DISPLAY": ":0", "CI": "true"})
