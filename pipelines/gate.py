"""May this adapter be shipped? An exit code for CI: by its failure rate as observed, or as forecast where it was not tried yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from gold.forecast.tables.forecasts import SPEC as FORECASTS
from gold.tables.degradation import SPEC as DEGRADATION
from lake.errors import DataRefusedError, MissingInputError
from lake.spec import Table
from silver.specs import ADAPTERS

if TYPE_CHECKING:
    import pandas as pd

CELL = ["corruption", "severity"]
ROUNDING = 1e-9  # 1 - 0.7 is a little more than 0.3


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
    where lake, adapter or any figure that was asked for is missing."""
    from pipelines.sql.answer import require_lake
    from pipelines.sql.duck import exists, lake_format

    require_lake(root, lambda table: exists(root, table))
    lake_format(root)
    dataset, adapter_id, name = chosen(_table(root, ADAPTERS), wish)
    known = rates(_rows(root, DEGRADATION, dataset, adapter_id), _rows(root, FORECASTS, dataset, adapter_id), wish.cautious)
    cells = asked(known, wish, f"{name} ({dataset})")
    worst = cells.iloc[-1]
    mean, n_observed = float(cells["rate"].mean()), int((cells["kind"] == "observed").sum())
    rate = float(worst["rate"]) if wish.worst else mean
    n_forecast = len(cells) - n_observed
    kinds = [f"{n} {kind}" for n, kind in ((n_observed, "observed"), (n_forecast, "forecast")) if n]
    stream.write(
        f"{name} ({dataset}): mean failure rate {mean:.3f}, worst {worst['rate']:.3f} ({worst['corruption']}, severity "
        f"{worst['severity']}, {worst['kind']}); cells: {', '.join(kinds)}\n"
    )
    what = "the worst cell" if wish.worst else "the mean over cells"
    if rate > wish.max_failure + ROUNDING:
        raise DataRefusedError(f"{name}: {what} fails at {rate:.3f}, above --max-failure {wish.max_failure:g}")
    stream.write(f"ok: {what} fails at {rate:.3f}, within {wish.max_failure:g}\n")
    return 0


def asked(known: pd.DataFrame, wish: Wish, who: str) -> pd.DataFrame:
    """The cells that count, the worst last. Raises MissingInputError where one has no figure: what is not known holds no bound."""
    if known.empty:
        raise MissingInputError(f"{who} was neither tried nor foretold: use `assay forecast CONFIG --adapter DIR`, or run")
    there = sorted(set(known["corruption"].astype(str)))
    if lacking := sorted(set(wish.corruptions or ()) - set(there)):
        raise MissingInputError(f"{who} was neither tried nor foretold under {', '.join(lacking)}; there is {', '.join(there)}")
    mine = known if wish.corruptions is None else known[known["corruption"].isin(wish.corruptions)]
    if unknown := int(mine["rate"].isna().sum()):
        why = "no interval, for which eight adapters or more must have been tried; leave out --cautious" if wish.cautious else "no forecast"
        raise MissingInputError(f"{who}: {unknown} of {len(mine)} cells have {why}")
    return mine.sort_values(["rate", *CELL], ignore_index=True)


def chosen(adapters: pd.DataFrame, wish: Wish) -> tuple[str, str, str]:
    """(dataset, adapter_id, name) of the one adapter that is meant: a rejected one only where no other is. Raises MissingInputError when
    there is none, more than one, or one that was rejected."""
    if wish.dataset is not None and wish.dataset not in set(adapters["dataset"]):
        raise MissingInputError(
            f"no adapter of a dataset {wish.dataset!r}; this lake has {', '.join(sorted(set(adapters['dataset']))) or 'none'}"
        )
    mine = adapters if wish.dataset is None else adapters[adapters["dataset"] == wish.dataset]
    whole = (mine["name"] == wish.adapter) | (mine["adapter_id"] == wish.adapter)
    found = mine[whole] if whole.any() else mine[mine["adapter_id"].astype(str).str.startswith(wish.adapter)]
    is_ready = found["status"] == "ready"
    pairs = (found[is_ready] if is_ready.any() else found).drop_duplicates(["dataset", "adapter_id"])
    if len(pairs) == 1:
        one = pairs.iloc[0]
        if not is_ready.any():
            raise MissingInputError(f"{one['name']} ({one['dataset']}) was rejected: {one['reason']}")
        return str(one["dataset"]), str(one["adapter_id"]), str(one["name"])
    if pairs.empty:
        where = "this lake" if wish.dataset is None else f"dataset {wish.dataset}"
        names = ", ".join(sorted(set(mine.loc[mine["status"] == "ready", "name"])))[:400]
        raise MissingInputError(f"no adapter {wish.adapter!r}; {where} has {names or 'none'}")
    told = ", ".join(f"{one.adapter_id} ({one.dataset}, {one.name})" for one in pairs.head(5).itertuples())
    raise MissingInputError(f"{wish.adapter!r} means {len(pairs)} adapters: {told}; give more of the id, or --dataset")


def rates(degradation: pd.DataFrame, forecasts: pd.DataFrame, cautious: bool) -> pd.DataFrame:
    """corruption, severity, rate in [0, 1], kind (observed or forecast) of one adapter: what was observed counts where it is there.
    A rate is NaN where the forecast, or with `cautious` its interval, is withheld."""
    import pandas as pd

    tried = degradation[degradation["severity"] > 0] if len(degradation) else degradation
    seen = tried.assign(rate=1.0 - tried["accuracy"], kind="observed")[[*CELL, "rate", "kind"]] if len(tried) else pd.DataFrame()
    column = "ci_high" if cautious else "predicted_failure_rate"
    told = forecasts[[*CELL, column]].rename(columns={column: "rate"}).assign(kind="forecast") if len(forecasts) else pd.DataFrame()
    both = pd.concat([seen, told], ignore_index=True)
    if both.empty:
        return pd.DataFrame(columns=[*CELL, "rate", "kind"])
    return both.drop_duplicates(CELL, keep="first").reset_index(drop=True)


def _rows(root: str, table: Table, dataset: str, adapter_id: str) -> pd.DataFrame:
    frame = _table(root, table)
    return frame[(frame["dataset"] == dataset) & (frame["adapter_id"] == adapter_id)] if len(frame) else frame


def _table(root: str, table: Table) -> pd.DataFrame:
    """All rows of an aggregate, without Spark; empty where the table is not there."""
    import pandas as pd

    from pipelines.sql.duck import dataset, exists

    if not exists(root, table):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in table.column_names})
    frame: pd.DataFrame = dataset(root, table, None).to_table().to_pandas()
    return frame
