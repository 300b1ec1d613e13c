"""May this adapter be shipped? An exit code for CI: by its failure rate as observed, or as forecast where it was not tried yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gold.forecast.tables.forecasts import SPEC as FORECASTS
from gold.tables.degradation import SPEC as DEGRADATION
from lake.errors import DataRefusedError, MissingInputError
from lake.spec import Table
from silver.specs import ADAPTERS

if TYPE_CHECKING:
    import pandas as pd

CELL = ["corruption", "severity"]


@dataclass(frozen=True)
class Wish:
    """`adapter`: its name or id, a beginning of the id will do. `corruptions`: of these alone (None: all). `worst`: every corruption and
    severity must hold the bound; else their mean must. `cautious`: upper ends of forecasts count."""

    adapter: str
    max_failure: float
    corruptions: tuple[str, ...] | None = None
    worst: bool = False
    cautious: bool = False
    dataset: str | None = None


def gate(root: str, wish: Wish, stream: TextIO) -> int:
    """Prints what was found; 0 when the adapter holds the bound. Raises DataRefusedError (65) when it does not, MissingInputError (66)
    where lake, adapter or any figure of it is missing."""
    adapters = _table(root, ADAPTERS)
    dataset, adapter_id, name = chosen(adapters, wish)
    known = rates(_rows(root, DEGRADATION, dataset, adapter_id), _rows(root, FORECASTS, dataset, adapter_id), wish.cautious)
    if wish.corruptions is not None:
        known = known[known["corruption"].isin(wish.corruptions)]
    if known.empty:
        raise MissingInputError(
            f"{name} ({dataset}) was neither tried nor foretold there: use `assay forecast CONFIG --adapter DIR`, or run"
        )
    cells = sorted(zip(known["rate"], known["corruption"], known["severity"], known["kind"], strict=True))
    most, corruption, severity, kind = cells[-1]
    mean, n_observed = sum(cell[0] for cell in cells) / len(cells), sum(cell[3] == "observed" for cell in cells)
    rate = most if wish.worst else mean
    stream.write(
        f"{name} ({dataset}): mean failure rate {mean:.3f}, worst {most:.3f} ({corruption}, severity {severity}, {kind}); "
        f"{n_observed} of {len(cells)} cells observed, the others forecast\n"
    )
    what = "the worst cell" if wish.worst else "the mean over cells"
    if rate > wish.max_failure:
        raise DataRefusedError(f"{name}: {what} fails at {rate:.3f}, above --max-failure {wish.max_failure:g}")
    stream.write(f"ok: {what} fails at {rate:.3f}, within {wish.max_failure:g}\n")
    return 0


def chosen(adapters: pd.DataFrame, wish: Wish) -> tuple[str, str, str]:
    """(dataset, adapter_id, name) of the one adapter that is meant. Raises MissingInputError when there is none, or more than one."""
    mine = adapters if wish.dataset is None else adapters[adapters["dataset"] == wish.dataset]
    found = mine[(mine["name"] == wish.adapter) | mine["adapter_id"].str.startswith(wish.adapter)]
    pairs = found.drop_duplicates(["dataset", "adapter_id"])
    if len(pairs) == 1:
        one = pairs.iloc[0]
        return str(one["dataset"]), str(one["adapter_id"]), str(one["name"])
    if pairs.empty:
        raise MissingInputError(f"no adapter {wish.adapter!r}; this lake has {', '.join(sorted(set(mine['name'])))[:400]}")
    told = ", ".join(f"{one.adapter_id} ({one.dataset}, {one.name})" for one in pairs.head(5).itertuples())
    raise MissingInputError(f"{wish.adapter!r} means {len(pairs)} adapters: {told}; give more of the id, or --dataset")


def rates(degradation: pd.DataFrame, forecasts: pd.DataFrame, cautious: bool) -> pd.DataFrame:
    """corruption, severity, rate in [0, 1], kind (observed or forecast) of one adapter: what was observed counts where it is there."""
    import pandas as pd

    tried = degradation[degradation["severity"] > 0] if len(degradation) else degradation
    seen = tried.assign(rate=1.0 - tried["accuracy"], kind="observed")[[*CELL, "rate", "kind"]] if len(tried) else pd.DataFrame()
    column = "ci_high" if cautious else "predicted_failure_rate"
    told = forecasts[[*CELL, column]].rename(columns={column: "rate"}).assign(kind="forecast") if len(forecasts) else pd.DataFrame()
    both = pd.concat([seen, told], ignore_index=True)
    if both.empty:
        return pd.DataFrame(columns=[*CELL, "rate", "kind"])
    return both.drop_duplicates(CELL, keep="first").dropna(subset=["rate"]).reset_index(drop=True)


def _rows(root: str, table: Table, dataset: str, adapter_id: str) -> pd.DataFrame:
    frame = _table(root, table)
    return frame[(frame["dataset"] == dataset) & (frame["adapter_id"] == adapter_id)] if len(frame) else frame


def _table(root: str, table: Table) -> pd.DataFrame:
    """All rows of an aggregate, without Spark; empty where the table is not there."""
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    from lake.local_files import local_dataset

    if "://" not in root and not Path(root).is_dir():
        raise MissingInputError(f"no lake at {root}")
    path = f"{root}/{table.layer}/{table.name}"
    try:
        found = DeltaTable(path)
    except TableNotFoundError:
        return _nothing(table)
    rows = found.to_pyarrow_dataset() if "://" in root else local_dataset(found, path)
    frame: pd.DataFrame = rows.to_table().to_pandas()
    return frame


def _nothing(table: Table) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: pd.Series(dtype=object) for name in table.column_names})
