"""The reference of the settings: `infra/settings.md`, with what each variable may be, which its definition says."""

import re
from typing import Any

from docs.site.repository import ROOT
from modulo.settings import Settings

_ROW = re.compile(r"^\| `([A-Z_0-9]+)` \| (.*?) ?\| (.+) \|$", re.MULTILINE)
HEAD = "| variable | default | meaning |\n|---|---|---|\n"
LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def settings_page() -> str:
    """The page with a column for what is allowed."""
    schema = Settings.model_json_schema()
    text = (ROOT / "infra" / "settings.md").read_text()
    text = text.replace(HEAD, HEAD.replace("variable |", "variable | allowed |").replace("|---", "|---|---", 1))

    def row(found: re.Match[str]) -> str:
        return f"| `{found[1]}` | {allowed(schema['properties'][found[1].lower()])} | {found[2]} | {found[3]} |"

    return _ROW.sub(row, text)


def allowed(schema: dict[str, Any]) -> str:
    """What a variable's text may be, in a few words."""
    for alternative in schema.get("anyOf", ()):
        if alternative.get("type") != "null":
            return allowed(alternative)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") in ("array", "object") or "$ref" in schema:
        return "JSON"
    kind = {"boolean": "`true`, `false`", "integer": "a whole number", "number": "a number"}.get(schema["type"], "text")
    if "minLength" in schema and schema["minLength"] > 1:
        kind = f"{kind} of {schema['minLength']} characters or more"
    limits = [f"{sign} {schema[name]:,}" for name, sign in LIMITS.items() if name in schema]
    return ", ".join([kind, *limits])
