"""What stands for modules that no function uses; whole functions run so in tests/functions/test_lean_imports.py."""

import runpy
import sys

import pytest

from modulo.runtime.lean_imports import LAMBDA, PLACEHOLDERS, in_lambda

THIS = "modulo.runtime.lean_imports"


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PLACEHOLDERS:
        __import__(name)  # so that the real module is put back
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.filterwarnings("ignore:'modulo.runtime.lean_imports' found in sys.modules")
@pytest.mark.usefixtures("unloaded")
def test_in_lambda_any_public_name_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LAMBDA, "list_members")
    runpy.run_module(THIS)
    for name in PLACEHOLDERS:
        module = sys.modules[name]
        assert isinstance(module.BaseModel("anything"), module.BaseModel)
        assert module.BaseModel is module.BaseModel
        with pytest.raises(AttributeError):
            module._private  # noqa: B018 - reading it is the test


@pytest.mark.filterwarnings("ignore:'modulo.runtime.lean_imports' found in sys.modules")
def test_what_is_loaded_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = [sys.modules.setdefault(name, __import__(name, fromlist=["_"])) for name in PLACEHOLDERS]
    monkeypatch.setenv(LAMBDA, "list_members")
    runpy.run_module(THIS)
    assert [sys.modules[name] for name in PLACEHOLDERS] == loaded


def test_only_lambda_names_a_function() -> None:
    assert in_lambda({LAMBDA: "search"})
    assert not in_lambda({})
    assert not in_lambda({LAMBDA: ""})
