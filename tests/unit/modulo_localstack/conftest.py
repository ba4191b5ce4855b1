"""Makes the plugin for LocalStack importable: it is installed beside LocalStack, not here."""

import sys
from pathlib import Path

PLUGIN = Path(__file__).parents[3] / "localstack" / "plugin"
sys.path.append(str(PLUGIN))
