"""Archives of what is deployed: equal contents are equal bytes, and the template's folders are found."""

import os
import zipfile
from pathlib import Path

from modulo.cli import build
from modulo.cli.build import CONTENT, Build, archive_folder


def test_equal_contents_make_equal_archives(tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / str(number) / "python"
        folder.mkdir(parents=True)
        for name in ("b.py", "a.py")[:: (-1) ** number]:
            (folder / name).write_text(name)
        os.utime(folder / "a.py", (number * 1e9, number * 1e9))
        archive_folder(tmp_path / str(number), tmp_path / f"{number}.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.namelist() == ["python/a.py", "python/b.py"]


def test_the_folders_of_a_built_template_are_found() -> None:
    built = (
        "      CodeUri: Search\n      ContentUri: CoreLayer\n      TemplateURL: Data/template.yaml\n      Runtime: x\n"
    )
    assert [name for _, name in CONTENT.findall(built)] == ["Search", "CoreLayer"]


def test_nested_templates_are_kept_with_the_folders_they_refer_to(tmp_path: Path) -> None:
    for place, folder in ((tmp_path / "tree", "Search"), (tmp_path / "tree" / "V1Door", "V1GetModel")):
        (place / folder).mkdir(parents=True)
        (place / folder / "app.py").write_text(folder)
        (place / "template.yaml").write_text(f"      CodeUri: {folder}\n")
    build._archive(tmp_path)
    built = Build(tmp_path)
    assert (built.template, built.nested) == ("      CodeUri: Search\n", {"V1Door": "      CodeUri: V1GetModel\n"})
    assert built.archives == {name: tmp_path / f"{name}.zip" for name in ("Search", "V1GetModel")}
