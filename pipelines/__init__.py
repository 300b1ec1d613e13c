"""The command line and the order of the stages. Importing it puts our own rooms before any packages of the same name."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parent.parent)

# `models` or `gold` of some folder on PYTHONPATH, or of the working folder, would otherwise be imported, and so run, in place of ours.
if sys.path[:1] != [_ROOT]:
    sys.path.insert(0, _ROOT)
