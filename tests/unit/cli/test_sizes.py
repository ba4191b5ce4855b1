"""What functions weigh with their layers."""

from pathlib import Path

import pytest

from modulo.cli import sizes
from modulo.cli.sizes import TooLarge, print_sizes, unzipped_sizes

TEMPLATE = """
Globals: {Function: {Layers: [{Ref: Core}]}}
Resources:
  Core: {Type: "AWS::Serverless::LayerVersion"}
  Parsing: {Type: "AWS::Serverless::LayerVersion"}
  Search: {Type: "AWS::Serverless::Function", Properties: {}}
  Ingest: {Type: "AWS::Serverless::Function", Properties: {Layers: [{Ref: Parsing}]}}
  Uploads: {Type: "AWS::S3::Bucket"}
"""
DOOR = """
Globals: {Function: {Layers: [{Ref: Core}]}}
Resources:
  Fn::ForEach::Alarms: [Function, [one, two], {}]
  Answer: {Type: "AWS::Serverless::Function", Properties: {Layers: [{Ref: Parsing}]}}
"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "Door").mkdir()
    (tmp_path / "Door" / "template.yaml").write_text(DOOR)
    for name, size in {"Core": 100, "Parsing": 1_000, "Search": 1, "Ingest": 2, "Door/Answer": 3}.items():
        (tmp_path / name / "python").mkdir(parents=True)
        (tmp_path / name / "python" / "content").write_bytes(bytes(size))
    return tmp_path


def test_a_function_weighs_with_all_its_layers(built: Path) -> None:
    """Also where its template is nested, and the layers are handed on by their names."""
    functions = {"Search": 101, "Ingest": 1_102, "Answer": 1_103}
    assert unzipped_sizes(built) == ({"Core": 100, "Parsing": 1_000}, functions)


def test_what_lambda_would_refuse_is_refused(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    print_sizes(built)
    assert "Parsing" in capsys.readouterr().out
    monkeypatch.setattr(sizes, "LIMIT_BYTES", 1_000)
    with pytest.raises(TooLarge, match="Ingest"):
        print_sizes(built)
