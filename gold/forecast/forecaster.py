"""What is kept of a trained forecast, so that it can score an adapter that comes tomorrow? A booster, its features, maps and versions."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gold.forecast.calibrated import Map
from gold.forecast.cells import Cell, Spread
from gold.forecast.features import cell_logit
from gold.forecast.learners import scored
from gold.statistics.estimate import Floats
from lake.identity import canonical_json
from models.atomic import write_folder, write_text
from models.errors import ArtifactError

MODEL, SPEC = "model.ubj", "forecaster.json"
FORMAT = 1


@dataclass(frozen=True)
class Spec:
    """All of a forecaster but its trees.

    `columns`: features in order, the cell's logit behind them. `cells`: per corruption and severity the failure rate of the adapters it was
    trained on. `residuals`: per cell those of held-out adapters. `versions`: of the tables it was trained from. `settings_id`: of the
    forecast's settings; `n`, `n_adapters`, `n_examples`: what it was trained on. `calibrated_on`: the protocol of the examples held back,
    whose forecasts `map` fits.
    """

    dataset: str
    columns: tuple[str, ...]
    n_trees: int
    cells: tuple[tuple[str, int, float], ...]
    residuals: tuple[tuple[str, int, tuple[float, ...]], ...]
    map: Map
    calibrated_on: str
    versions: Mapping[str, int]
    settings_id: str
    level: float
    bound_level: float
    n: int
    n_adapters: int
    n_examples: int
    format: int = FORMAT


@dataclass(frozen=True)
class Forecaster:
    """`identity`: the hash of trees and spec; its folder's name."""

    spec: Spec
    model: bytes
    identity: str

    def spread(self, cell: Cell) -> Spread:
        """Residuals of held-out adapters in a cell; none where it was not seen."""
        return next((Spread(tuple(values)) for name, severity, values in self.spec.residuals if (name, severity) == cell), Spread(()))

    def scorer(self) -> Scorer:
        """The trees, loaded once."""
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(bytearray(self.model))
        return Scorer(self.spec, booster)


@dataclass(frozen=True)
class Scorer:
    """Trees in memory."""

    spec: Spec
    booster: Any

    def risk(self, x: Floats, cell: Cell) -> Floats:
        """Calibrated probability of failure in a cell for clean rows x float64[n, columns], float64[n] in [0, 1].

        Raises ArtifactError for another number of columns, or a cell that no adapter it was trained on was tried under.
        """
        if x.ndim != 2 or x.shape[1] != len(self.spec.columns):
            raise ArtifactError(
                "feature_mismatch", f"the forecaster reads {len(self.spec.columns)} features, got an array of shape {x.shape}"
            )
        rate = next((rate for name, severity, rate in self.spec.cells if (name, severity) == cell), None)
        if rate is None:
            raise ArtifactError(
                "unknown_cell", f"the forecaster was not trained on {cell[0]} at severity {cell[1]}; run gold on a lake that has it"
            )
        logits = np.broadcast_to(cell_logit(np.asarray([rate])), (len(x), 1))
        return self.spec.map(scored(self.booster, np.hstack([x, logits]), self.spec.n_trees, 1))


def pack(spec: Spec, model: bytes) -> Forecaster:
    """The forecaster with its identity: hex sha256 of trees and spec, cut to 16 characters."""
    digest = hashlib.sha256(hashlib.sha256(model).digest() + canonical_json(asdict(spec)).encode()).hexdigest()
    return Forecaster(spec, model, digest[:16])


def unpacked(model: bytes, spec: Mapping[str, Any]) -> Forecaster:
    """The forecaster of trees and a spec that was told as plain JSON. Raises KeyError, TypeError or ValueError when it is none."""
    return pack(_spec(dict(spec)), model)


def save(forecaster: Forecaster, root: Path) -> Path:
    """Writes `root/<identity>/` with model.ubj and forecaster.json, whole or not at all; one that is there and whole stays, a damaged one
    is made anew."""
    folder = root / forecaster.identity

    def fill(pending: Path) -> None:
        (pending / MODEL).write_bytes(forecaster.model)
        (pending / SPEC).write_text(json.dumps(asdict(forecaster.spec), indent=1, sort_keys=True) + "\n", encoding="utf-8")

    if folder.is_dir() and not _is_whole(folder):
        shutil.rmtree(folder)
    if not folder.is_dir():
        with suppress(FileExistsError):  # another run was first, with the same
            write_folder(folder, fill)
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        load(folder)
    except ArtifactError:
        return False
    return True


CURRENT, NONE = "current", "none"  # the file that names the forecaster that was made last, and what it says where none could be


def point(root: Path, identity: str | None) -> None:
    """Makes `identity` the one that `newest` gives; None: none could be trained."""
    root.mkdir(parents=True, exist_ok=True)
    write_text(root / CURRENT, (identity or NONE) + "\n")


def is_pointed(root: Path) -> bool:
    """True when `point` was called there and what it names is whole, so that `newest` can answer."""
    try:
        newest(root)
    except ArtifactError:
        return False
    return (root / CURRENT).is_file()


def newest(root: Path) -> Forecaster | None:
    """The forecaster that was made last; None where there is none. Raises ArtifactError as `load` does."""
    if not (root / CURRENT).is_file():
        return None
    identity = (root / CURRENT).read_text(encoding="utf-8").strip()
    return None if identity == NONE else load(root / Path(identity).name)


def load(folder: Path, columns: tuple[str, ...] | None = None) -> Forecaster:
    """The forecaster of a folder. Raises ArtifactError when a file is missing or damaged (its hash is its name), its format is newer, or
    its features are not `columns`, where they are given. Nothing is unpickled.
    """
    try:
        model = (folder / MODEL).read_bytes()
        told = json.loads((folder / SPEC).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError("bad_forecaster", f"{folder} is no forecaster ({MODEL} and {SPEC}): {error}") from error
    given = told.get("format") if isinstance(told, dict) else None
    if given != FORMAT:
        raise ArtifactError("bad_forecaster", f"{folder} has format {given!r}; this version reads {FORMAT}")
    try:
        found = unpacked(model, told)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError("bad_forecaster", f"{folder}/{SPEC} is not a forecaster's: {error}") from error
    spec = found.spec
    if found.identity != folder.name:
        raise ArtifactError(
            "bad_forecaster", f"{folder} is damaged: its content is that of {found.identity}; run gold again to make it anew"
        )
    if columns is not None and columns != spec.columns:
        lacking, unknown = sorted(set(spec.columns) - set(columns)), sorted(set(columns) - set(spec.columns))
        order = "" if lacking or unknown else "; their order differs"
        raise ArtifactError(
            "feature_mismatch", f"the forecaster {found.identity} reads other features: lacking {lacking}, unknown {unknown}{order}"
        )
    return found


def _spec(told: dict[str, Any]) -> Spec:
    curve = told["map"]
    return Spec(**told | {
        "columns": tuple(told["columns"]),
        "cells": tuple((str(name), int(severity), float(rate)) for name, severity, rate in told["cells"]),
        "residuals": tuple((str(name), int(severity), tuple(float(x) for x in values)) for name, severity, values in told["residuals"]),
        "map": Map(curve["kind"], tuple(curve["x"]), tuple(curve["y"])),
    })  # fmt: skip
