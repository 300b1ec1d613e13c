"""What does a forecast of failure see? One row per (example, adapter, corruption, severity), features of the clean input only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gold.design import ORDER, codes, numbers
from gold.forecast.settings import ForecastSettings
from gold.statistics.estimate import Codes, Floats
from silver.specs import INVERSION, PROVENANCE

Bools = npt.NDArray[np.bool_]
CONFIDENCE = ("confidence", "margin", "softmax_entropy", "energy", "pnorm_logit")
EMBEDDING = ("knn_distance", "centroid_margin")
SHIFTED = "shifted_confidence"
KEYS = (*ORDER, "is_correct")
XAI = "xai__"  # begins the names of explanation metrics: xai__<method>__<group>__<metric>


@dataclass(frozen=True)
class Rows:
    """The complete rows in the order of their keys.

    failed bool[n]: the corrupted input is answered wrongly (the positive class). examples, adapters, corruptions, cells int64[n] codes;
    a cell is a (corruption, severity). columns: float64[n] by feature name, all finite. `left_out`: features that are null too often, each
    with why. `n_incomplete`: rows left out because they lack a feature that stayed. `adapter_ids`, `cell_names`: what the codes stand for.
    """

    failed: Bools
    examples: Codes
    adapters: Codes
    corruptions: Codes
    cells: Codes
    columns: Mapping[str, Floats]
    example_ids: tuple[str, ...]
    adapter_ids: tuple[str, ...]
    cell_names: tuple[tuple[str, int], ...]
    left_out: Mapping[str, str]
    n_incomplete: int

    def __len__(self) -> int:
        return len(self.failed)

    def matrix(self, names: tuple[str, ...]) -> Floats:
        """float64[n, names], in their order."""
        return np.column_stack([self.columns[name] for name in names]) if names else np.zeros((len(self), 0))

    def named(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the wanted features that are there."""
        return tuple(name for name in wanted if name in self.columns)

    @property
    def xai(self) -> tuple[str, ...]:
        """Names of the explanation metrics, sorted."""
        return tuple(sorted(name for name in self.columns if name.startswith(XAI)))

    @property
    def attributions(self) -> tuple[str, ...]:
        """Those of them that are not about exemplars (group provenance)."""
        return tuple(name for name in self.xai if group_of(name) != PROVENANCE)


def group_of(name: str) -> str:
    """The metric group of an explanation metric's column."""
    return name.split("__")[-2]


def rows_of(frame: pd.DataFrame, settings: ForecastSettings) -> Rows:
    """Rows of a frame with `KEYS` and any feature columns; other columns are features as they are. Nulls are NaN.

    Rows without any clean feature (data of the user's own have no clean counterpart) are left out and counted first. A feature that is null
    in more than `max_null_share` of the others, or constant, is left out with its reason; rows that lack one of the rest are left out and
    counted. A feature of group inversion, which is asked of a sub-sample, costs no row: it is left out where a row lacks it that has all
    others. Deterministic in the set of rows.
    """
    every = frame.sort_values(ORDER, ignore_index=True)
    clean = [name for name in every.columns if name not in (*KEYS, SHIFTED)]
    ordered = every[every[clean].notna().any(axis=1)].reset_index(drop=True) if clean else every
    found = {name: numbers(ordered[name]) for name in ordered.columns if name not in KEYS}
    left_out, kept = {}, {}
    for name, values in found.items():
        finite = np.isfinite(values)
        share = 1.0 - float(finite.mean()) if len(values) else 1.0
        if share > settings.max_null_share:
            left_out[name] = f"null in {share:.0%} of the rows"
        elif finite.any() and np.ptp(values[finite]) == 0.0:
            left_out[name] = "the same in every row"
        else:
            kept[name] = values
    costly = _costly(kept, len(ordered))
    left_out |= costly
    kept = {name: values for name, values in kept.items() if name not in costly}
    complete = _complete(kept, len(ordered))
    rows = ordered[complete]
    cells = pd.MultiIndex.from_arrays([rows["corruption"].astype(str), rows["severity"].astype(int)])
    names = sorted(set(cells))
    adapters = tuple(sorted(set(rows["adapter_id"].astype(str))))
    place = {cell: code for code, cell in enumerate(names)}
    return Rows(
        failed=~rows["is_correct"].to_numpy(dtype=np.bool_),
        examples=codes(rows["example_id"]),
        adapters=codes(rows["adapter_id"]),
        corruptions=codes(rows["corruption"]),
        cells=np.asarray([place[cell] for cell in cells], dtype=np.int64),
        columns={name: values[complete] for name, values in kept.items()},
        example_ids=tuple(sorted(set(rows["example_id"].astype(str)))),
        adapter_ids=adapters,
        cell_names=tuple((str(name), int(severity)) for name, severity in names),
        left_out=left_out,
        n_incomplete=len(every) - int(complete.sum()),
    )


def _complete(columns: Mapping[str, Floats], n: int) -> Bools:
    """The rows that lack none of the columns, bool[n]."""
    return np.all([np.isfinite(values) for values in columns.values()], axis=0) if columns else np.ones(n, dtype=np.bool_)


def _costly(columns: Mapping[str, Floats], n: int) -> dict[str, str]:
    """Features of group inversion that would cost rows, each with its reason."""
    poked = [name for name in columns if name.startswith(XAI) and group_of(name) == INVERSION]
    others = _complete({name: values for name, values in columns.items() if name not in poked}, n)
    lacking = {name: int((others & ~np.isfinite(columns[name])).sum()) for name in poked}
    total = f"of {int(others.sum()):,} rows, which it may not cost: of a sub-sample"
    return {name: f"null in {count:,} {total}" for name, count in lacking.items() if count}
