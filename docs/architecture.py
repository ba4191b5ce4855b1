"""Draw `architecture.svg` from the code: what starts each function, what it may use, and the layers of the package.

python -m docs.architecture > docs/architecture.svg

The triggers come from `template.yaml`, the dots from the services that each `app.py` names, the layers from
import-linter's contract in `pyproject.toml`.
"""

import ast
import sys
import tomllib
from html import escape

from tests.architecture.sources import FUNCTIONS, PACKAGE, ROOT, api_routes, properties

COLUMNS = {
    "metadata": "Postgres",
    "blobs": "S3",
    "queue": "SQS",
    "vectors": "Milvus",
    "cache": "Valkey",
    "models": "models",
    "parsing": "parsers",
    "web": "the web",
    "websockets": "WebSocket",
}
"""What is drawn for each package or module of `modulo.ports`; `clock`, `metrics` and `tokens` are everywhere."""
KINDS = ("HTTP requests", "messages of a queue", "schedules", "by hand, once for each deployment")
ROW, LEFT, NAME, DOTS, COLUMN, TOP, WIDTH = 19, 24, 400, 610, 70, 74, 1240
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2933}.h{font-weight:600;font-size:15px}.s{fill:#616e7c}"
    ".l{stroke:#e4e7eb}.d{fill:#2563a8}.b{fill:#eef3f8;stroke:#2563a8}.m{text-anchor:middle}rect.w{fill:#fff}"
)


def ports_of_services() -> dict[str, str]:
    """For each property of the services that returns a port, the module of that port."""
    found: dict[str, str] = {}
    for path in sorted((PACKAGE / "services").rglob("*.py")):
        tree = ast.parse(path.read_text())
        homes = {
            alias.asname or alias.name: str(node.module).split(".")[2]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("modulo.ports.")
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.returns is not None:
                returned = ast.unparse(node.returns)
                for name, home in homes.items():
                    if name in returned.replace('"', " ").replace("'", " ").replace("[", " ").replace("]", " ").split():
                        found[node.name] = home
    return found


def uses(function: str, ports: dict[str, str]) -> set[str]:
    """The ports whose services a function's `app.py` names."""
    tree = ast.parse((ROOT / "functions" / function / "app.py").read_text())
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {ports[name] for name in named if name in ports}


def trigger(function: str) -> tuple[str, str]:
    """The kind of event that starts a function, and which."""
    for _, path, method in api_routes(function):
        return KINDS[0], f"{method.upper()} {path.replace('{collection_id}', '{id}')}"
    for event in properties(function).get("Events", {}).values():
        about = event["Properties"]
        match event["Type"]:
            case "SQS":
                return KINDS[1], about["Queue"]["Fn::GetAtt"][0]
            case "ScheduleV2":
                return KINDS[2], about["ScheduleExpression"]
    return KINDS[3], "aws lambda invoke"


def sorted_functions() -> dict[str, list[tuple[str, str]]]:
    """The functions by the kind of their trigger, each with it; requests by path and method."""
    kinds: dict[str, list[tuple[str, str]]] = {kind: [] for kind in KINDS}
    for name in FUNCTIONS:
        kind, what = trigger(name)
        kinds[kind].append((name, what))
    for rows in kinds.values():
        rows.sort(key=lambda row: (row[1].partition(" ")[2], row[1].partition(" ")[0].lower(), row[0]))
    return kinds


def layers() -> list[list[str]]:
    """The package's layers from the top, each with the packages that stand beside each other in it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    names = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[part.strip(" ()") for part in layer.split("|")] for layer in names]


def text(x: float, y: float, words: str, style: str = "") -> str:
    """A line of text."""
    return f'<text x="{x:g}" y="{y:g}"{f""" class="{style}" """.rstrip() if style else ""}>{escape(words)}</text>'


def functions_part() -> tuple[list[str], int]:
    """The table of functions, and where it ends."""
    ports = ports_of_services()
    drawn = [text(LEFT, 30, "What starts each function, and what its app.py may use", "h")]
    drawn += [text(DOTS + COLUMN * at, TOP - 20, title, "m") for at, title in enumerate(COLUMNS.values())]
    y = TOP
    for kind, rows in sorted_functions().items():
        y += ROW // 2
        drawn.append(text(LEFT, y, kind, "s"))
        y += ROW
        for name, what in rows:
            drawn.append(f'<line class="l" x1="{LEFT}" x2="{WIDTH - LEFT}" y1="{y + 5}" y2="{y + 5}"/>')
            drawn += [text(LEFT + 12, y, what), text(NAME, y, name)]
            used = uses(name, ports)
            drawn += [
                f'<circle class="d" cx="{DOTS + COLUMN * at}" cy="{y - 4}" r="5"/>'
                for at, port in enumerate(COLUMNS)
                if port in used
            ]
            y += ROW
    return drawn, y


def layers_part(y: int) -> tuple[list[str], int]:
    """The layers of the package, the top one on the left, and where they end."""
    shown = layers()
    width, gap = (WIDTH - 2 * LEFT) / len(shown), 26
    drawn = [
        text(
            LEFT,
            y + 30,
            "The layers of the package modulo: an arrow means “may import”, and whatever is right of it",
            "h",
        )
    ]
    middle = y + 78
    for at, names in enumerate(shown):
        x = LEFT + at * width
        height = 34 * len(names)
        for place, name in enumerate(names):
            top = middle - height / 2 + 34 * place
            drawn.append(f'<rect class="b" x="{x:g}" y="{top + 2:g}" width="{width - gap:g}" height="30" rx="4"/>')
            drawn.append(text(x + (width - gap) / 2, top + 22, name, "m"))
        if at + 1 < len(shown):
            drawn.append(text(x + width - gap / 2, middle + 5, "→", "m"))
    return drawn, middle + 50


def picture() -> str:
    """The whole picture, as SVG."""
    functions, end = functions_part()
    package, end = layers_part(end)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {end:g}" width="{WIDTH}" height="{end:g}">'
    ground = f'<rect class="w" width="{WIDTH}" height="{end:g}"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", ground, *functions, *package, "</svg>", ""])


if __name__ == "__main__":
    sys.stdout.write(picture())
