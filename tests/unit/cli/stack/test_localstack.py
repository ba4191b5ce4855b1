"""How LocalStack's environments are put in place: what is missing, once, and nothing that is there."""

from pathlib import Path

import pytest

from modulo.cli.stack import localstack
from modulo.cli.stack.process import Program, StackError


def install(home: Path) -> list[str]:
    """Run what is missing, as far as files show; the directories concerned."""
    made = []
    for program in localstack.missing_installs(home):
        for argument in program.argv:
            if Path(argument).parent == home:
                Path(argument).mkdir(parents=True, exist_ok=True)
                made.append(Path(argument).name.partition("-")[0])
        if program.argv[-1] == "localstack.aws.spec":
            made.append("index")
    return made


class TestMissing:
    def test_everything_is_made_once(self, tmp_path: Path) -> None:
        assert install(tmp_path) == ["server", "functions", "index", "plugin"]
        assert install(tmp_path) == []

    def test_what_was_interrupted_is_made_again(self, tmp_path: Path) -> None:
        interrupted = localstack.missing_installs(tmp_path)
        next(interrupted)
        (tmp_path / "server").mkdir()
        assert install(tmp_path)[0] == "server"

    def test_an_edited_plugin_is_installed_beside_the_one_in_use(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plugin = tmp_path / "source"
        (plugin / "modulo_localstack").mkdir(parents=True)
        (plugin / "pyproject.toml").touch()
        (plugin / "modulo_localstack/a.py").write_text("1")
        monkeypatch.setattr(localstack, "PLUGIN", plugin)
        home = tmp_path / "home"
        install(home)
        (plugin / "modulo_localstack/a.py").write_text("2")
        assert install(home) == ["plugin"]
        assert len(list(home.glob("plugin-*"))) == 2

    def test_functions_get_what_lambda_brings_and_no_more(self, tmp_path: Path) -> None:
        wanted = []
        for program in localstack.missing_installs(tmp_path):
            for name in ("server", "functions", "index"):
                (tmp_path / name).mkdir(exist_ok=True)
            if "--constraints" in program.argv:
                wanted = [argument.partition("==")[0] for argument in program.argv if "==" in argument]
            if "--target" in program.argv:
                Path(program.argv[-2]).mkdir()
        assert wanted == ["awslambdaric", "boto3"]


def test_pins_come_from_the_lock() -> None:
    lock = "boto3==1.2 \\\n    --hash=sha256:0\nboto3-stubs==9 \\\nawslambdaric==4.5.6\n"
    assert localstack.pinned(lock, ["awslambdaric", "boto3"]) == ["awslambdaric==4.5.6", "boto3==1.2"]


def test_the_place_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODULO_LOCALSTACK_VENV", str(tmp_path))
    assert localstack.environments_directory() == tmp_path
    monkeypatch.delenv("MODULO_LOCALSTACK_VENV")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert localstack.environments_directory().parent == tmp_path / "modulo"


def test_without_the_installer_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="pip install uv"):
        next(localstack.missing_installs(tmp_path))


def test_the_server_listens_on_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(program: Program) -> None:
        raise AssertionError(program)

    monkeypatch.setenv("MODULO_LOCALSTACK_VENV", str(tmp_path))
    environment = localstack.Localstack(tmp_path, run=run, durable=False).program(1234).environment
    assert environment["GATEWAY_LISTEN"] == "127.0.0.1:1234"
    assert environment["GATEWAY_SERVER"] == "loopback"
    assert environment["DISABLE_EVENTS"] == "1"
    assert environment["DNS_ADDRESS"] == "0"
