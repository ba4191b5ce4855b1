"""Gather the pages of the website into a folder that MkDocs builds: python -m docs.site <folder>."""

import sys
from pathlib import Path

from docs.site.pages import gather

if __name__ == "__main__":
    gather(Path(sys.argv[1]))
