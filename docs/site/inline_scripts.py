"""A hook of MkDocs: move scripts that stand in a page into files, so that the page may be served with a strict CSP."""

import hashlib
import re
from pathlib import Path
from posixpath import relpath
from typing import Any

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
FOLDER = "assets/inline"


def on_post_page(output: str, *, page: Any, config: Any) -> str:
    """Replace each script of a page by a reference to a file with its text."""
    return moved(output, page.file.dest_uri, Path(config["site_dir"]))


def moved(html: str, address: str, site: Path) -> str:
    """A page without scripts in it, whose texts are written into the site."""

    def written(found: re.Match[str]) -> str:
        name = f"{FOLDER}/{hashlib.sha256(found[1].encode()).hexdigest()[:16]}.js"
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(found[1])
        return f'<script src="{relpath(name, str(Path(address).parent))}"></script>'

    return _INLINE.sub(written, html)
