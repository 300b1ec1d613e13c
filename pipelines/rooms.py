"""Are the rooms that Python found ours, or packages of the same name from somewhere else?"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from lake.jars import DependencyError

ROOMS = ("bronze", "gold", "lake", "models", "ood", "pipelines", "silver", "xai")
ROOT = Path(__file__).resolve().parent.parent


def own_rooms() -> None:
    """Raises DependencyError when a room's name leads to a foreign package."""
    for room in ROOMS:
        spec = importlib.util.find_spec(room)
        place = Path(spec.origin).resolve().parent.parent if spec is not None and spec.origin else None
        if place != ROOT:
            raise DependencyError(
                f"the package {room!r} that Python finds is {place}, not Assay's in {ROOT}. Remove it from PYTHONPATH, "
                f"or start Assay from {ROOT}."
            )
