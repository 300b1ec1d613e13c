"""What is kept of a trained forecast, so that it can score an adapter that comes tomorrow? Trees, their features, maps and versions."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gold.forecast.calibrated import Map
from gold.forecast.cells import Cell, Spread
from gold.forecast.features import cell_logit
from gold.forecast.learners import scored
from gold.forecast.regimes import parts_of
from gold.statistics.estimate import Codes, Floats
from lake.identity import canonical_json
from models.atomic import write_folder, write_text
from models.errors import ArtifactError

SPEC = "forecaster.json"
FORMAT = 2


@dataclass(frozen=True)
class Origin:
    """What a forecaster was trained from: versions of the tables it read, and the settings_id of the rows it `reads` of each: rows of an
    adapter that were made by other settings are other features, whatever their names."""

    dataset: str
    versions: Mapping[str, int]
    reads: Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """Trees for the examples of one part, learned from those of all others. `rates`: failure rates that they saw, one per cell in the
    spec's order. `map`: of their forecasts, learned on examples held back from them."""

    n_trees: int
    rates: tuple[float, ...]
    map: Map


@dataclass(frozen=True)
class Spec:
    """All of a forecaster but its trees.

    `columns`: features in order, the cell's logit behind them. `cells`: per corruption and severity the failure rate of the adapters it was
    trained on. `parts`: an example is scored by trees that have not seen what it did to other adapters, as those that gave the `residuals`
    (per cell, of held-out adapters) had not; which part it is in is fixed by its id and `seed`. `settings_id`: of the forecast's settings;
    `n`, `n_adapters`, `n_examples`: what it was trained on.
    """

    origin: Origin
    columns: tuple[str, ...]
    cells: tuple[tuple[str, int, float], ...]
    residuals: tuple[tuple[str, int, tuple[float, ...]], ...]
    parts: tuple[Part, ...]
    seed: int
    settings_id: str
    level: float
    bound_level: float
    n: int
    n_adapters: int
    n_examples: int
    format: int = FORMAT


@dataclass(frozen=True)
class Forecaster:
    """`models`: trees of each part. `identity`: the hash of trees and spec; its folder's name."""

    spec: Spec
    models: tuple[bytes, ...]
    identity: str

    def spread(self, cell: Cell) -> Spread:
        """Residuals of held-out adapters in a cell; none where it was not seen."""
        return next((Spread(tuple(values)) for name, severity, values in self.spec.residuals if (name, severity) == cell), Spread(()))

    def require(self, columns: Iterable[str]) -> None:
        """Raises ArtifactError when a feature that it reads is not among these."""
        if lacking := sorted(set(self.spec.columns) - set(columns)):
            raise ArtifactError("feature_mismatch", f"the forecaster {self.identity} reads features that are not there: {lacking}")

    def scorer(self) -> Scorer:
        """The trees, loaded once."""
        import xgboost

        boosters = []
        for model in self.models:
            boosters.append(xgboost.Booster())
            boosters[-1].load_model(bytearray(model))
        return Scorer(self.spec, tuple(boosters))


@dataclass(frozen=True)
class Scorer:
    """Trees in memory."""

    spec: Spec
    boosters: tuple[Any, ...]

    def parts_of(self, example_ids: Iterable[str]) -> Codes:
        """The part of each example, int64[n]."""
        return parts_of(example_ids, len(self.spec.parts), self.spec.seed)

    def risk(self, x: Floats, cell: Cell, parts: Codes) -> Floats:
        """Calibrated probability of failure in a cell for clean rows x float64[n, columns] of examples in `parts`: float64[n] in [0, 1].

        Raises ArtifactError for another number of columns, or a cell that no adapter it was trained on was tried under.
        """
        if x.ndim != 2 or x.shape[1] != len(self.spec.columns):
            raise ArtifactError(
                "feature_mismatch", f"the forecaster reads {len(self.spec.columns)} features, got an array of shape {x.shape}"
            )
        place = next((place for place, (name, severity, _) in enumerate(self.spec.cells) if (name, severity) == cell), None)
        if place is None:
            raise ArtifactError(
                "unknown_cell", f"the forecaster was not trained on {cell[0]} at severity {cell[1]}; run gold on a lake that has it"
            )
        found = np.empty(len(x))
        for number, (part, booster) in enumerate(zip(self.spec.parts, self.boosters, strict=True)):
            mine = parts == number
            if mine.any():
                logits = np.broadcast_to(cell_logit(np.asarray([part.rates[place]])), (int(mine.sum()), 1))
                found[mine] = part.map(scored(booster, np.hstack([x[mine], logits]), part.n_trees, 1))
        return found


def pack(spec: Spec, models: Sequence[bytes]) -> Forecaster:
    """The forecaster with its identity: hex sha256 of trees and spec, cut to 16 characters."""
    digest = hashlib.sha256()
    for model in models:
        digest.update(hashlib.sha256(model).digest())
    digest.update(canonical_json(asdict(spec)).encode())
    return Forecaster(spec, tuple(models), digest.hexdigest()[:16])


def unpacked(models: Sequence[bytes], spec: Mapping[str, Any]) -> Forecaster:
    """The forecaster of trees and a spec that was told as plain JSON. Raises KeyError, TypeError or ValueError when it is none."""
    return pack(_spec(dict(spec)), models)


def model_name(part: int) -> str:
    """The file of one part's trees."""
    return f"model-{part}.ubj"


def save(forecaster: Forecaster, root: Path) -> Path:
    """Writes `root/<identity>/` with model-0.ubj, … and forecaster.json, whole or not at all; one that is there and whole stays, a damaged
    one is made anew."""
    folder = root / forecaster.identity

    def fill(pending: Path) -> None:
        for part, model in enumerate(forecaster.models):
            (pending / model_name(part)).write_bytes(model)
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


def point(root: Path, identity: str | None, reason: str | None = None) -> None:
    """Makes `identity` the one that `newest` gives; None: none could be trained, and why."""
    root.mkdir(parents=True, exist_ok=True)
    write_text(root / CURRENT, f"{identity or NONE}\n" + (f"{reason}\n" if reason and identity is None else ""))


def is_pointed(root: Path) -> bool:
    """True when `point` was called there and what it names is whole, so that `newest` can answer."""
    try:
        newest(root)
    except ArtifactError:
        return False
    return (root / CURRENT).is_file()


def newest(root: Path) -> Forecaster | None:
    """The forecaster that was made last; None where there is none. Raises ArtifactError as `load` does."""
    identity, _ = _pointer(root)
    return None if identity == NONE else load(root / Path(identity).name)


def why_none(root: Path) -> str | None:
    """Why none could be trained the last time; None where nobody tried."""
    return _pointer(root)[1] or None


def _pointer(root: Path) -> tuple[str, str]:
    if not (root / CURRENT).is_file():
        return NONE, ""
    identity, _, reason = (root / CURRENT).read_text(encoding="utf-8").partition("\n")
    return identity.strip(), reason.strip()


def load(folder: Path) -> Forecaster:
    """The forecaster of a folder. Raises ArtifactError when a file is missing or damaged (its hash is its name), or its format is another.
    Nothing is unpickled.
    """
    try:
        told = json.loads((folder / SPEC).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError("bad_forecaster", f"{folder} is no forecaster ({SPEC}): {error}") from error
    given = told.get("format") if isinstance(told, dict) else None
    if given != FORMAT:
        raise ArtifactError("bad_forecaster", f"{folder} has format {given!r}; this version reads {FORMAT}; run gold again to make it anew")
    try:
        models = [(folder / model_name(part)).read_bytes() for part in range(len(told["parts"]))]
        found = unpacked(models, told)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError("bad_forecaster", f"{folder} is not a forecaster's: {error}") from error
    if found.identity != folder.name:
        raise ArtifactError(
            "bad_forecaster", f"{folder} is damaged: its content is that of {found.identity}; run gold again to make it anew"
        )
    return found


def _spec(told: dict[str, Any]) -> Spec:
    return Spec(**told | {
        "origin": Origin(**told["origin"]),
        "columns": tuple(told["columns"]),
        "cells": tuple((str(name), int(severity), float(rate)) for name, severity, rate in told["cells"]),
        "residuals": tuple((str(name), int(severity), tuple(float(x) for x in values)) for name, severity, values in told["residuals"]),
        "parts": tuple(_part(one) for one in told["parts"]),
    })  # fmt: skip


def _part(told: dict[str, Any]) -> Part:
    curve = told["map"]
    return Part(int(told["n_trees"]), tuple(float(x) for x in told["rates"]), Map(curve["kind"], tuple(curve["x"]), tuple(curve["y"])))
