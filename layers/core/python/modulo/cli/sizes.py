"""`modulo sizes`: the unzipped size of each function with its layers, compared with Lambda's limit."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

LIMIT_BYTES = 250 * 1024**2
"""Unzipped, function and layers together: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class TooLarge(Exception):
    """A function with its layers exceeds Lambda's size limit."""


def folder_bytes(folder: Path) -> int:
    """Total size of all files below a folder, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def unzipped_sizes(build: Path) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Size in bytes of each layer, and of each function with its layers, in the output directory of `sam build`."""
    of_kind: dict[str, dict[Path, list[str]]] = {}
    for path in (build / "template.yaml", *sorted(build.glob("*/template.yaml"))):
        template = yaml.safe_load(path.read_text())
        everywhere = template.get("Globals", {}).get("Function", {}).get("Layers", [])
        for name, resource in template["Resources"].items():
            if isinstance(resource, dict):  # and no loop
                layers = [*everywhere, *resource.get("Properties", {}).get("Layers", [])]
                folders = of_kind.setdefault(resource["Type"], {})
                folders[path.parent / name] = [layer["Ref"] for layer in layers]
    layer_bytes = {folder.name: folder_bytes(folder) for folder in of_kind.get("AWS::Serverless::LayerVersion", {})}
    functions = {
        folder.name: folder_bytes(folder) + sum(layer_bytes[layer] for layer in layers)
        for folder, layers in of_kind.get("AWS::Serverless::Function", {}).items()
    }
    return layer_bytes, functions


def print_sizes(build: Path) -> None:
    """Print all sizes, largest first.

    Raises:
        TooLarge: a function exceeds the limit.
    """
    layers, functions = unzipped_sizes(build)
    table = Table("", "MB unzipped", "of the limit")
    for found in (layers, functions):
        for name, size in sorted(found.items(), key=lambda entry: -entry[1]):
            table.add_row(name, f"{size / 1024**2:.1f}", f"{size / LIMIT_BYTES:.0%}")
        table.add_section()
    Console().print(table)
    too_large = [name for name, size in functions.items() if size > LIMIT_BYTES]
    if too_large:
        raise TooLarge(f"larger than {LIMIT_BYTES} bytes with their layers: {', '.join(too_large)}")
