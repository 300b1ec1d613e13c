"""A lake on which a new adapter was foretold, foretold again, and brought through: made once for the tests that look at it."""

from __future__ import annotations

import io
import runpy
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gold.forecast.arrival.build as arrival_build
import gold.forecast.build as build
import pipelines.run as run_module
from gold.forecast.arrival.build import Arrival
from gold.forecast.inputs import ForecastInputs
from gold.forecast.settings import ForecastSettings
from gold.forecast.tables.forecasts import SPEC as FORECASTS
from lake.audit import CELLS
from lake.door import Lake
from lake.errors import ContractError, MissingInputError
from pipelines.arrival import forecast_adapter
from pipelines.run import Outcome, Pipeline
from tests.adapter_folders import edit_tensors
from tests.conftest import Built
from tests.lakes import GOOD_FOREIGN, config_of, files_of, rows_of, stored

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Arrived:
    """A copy of the finished lake: an adapter is foretold, foretold again, and brought through by a run that fails in gold and one more."""

    root: Path
    adapter_id: str
    without: str
    bare: str
    stale: str
    first: tuple[Outcome, Arrival]
    ahead: list[dict[str, Any]]
    again: tuple[int, str, str]
    changed: bool
    tried: Arrival
    refused: tuple[int, str, str]
    after_failure: list[dict[str, Any]]
    last: Outcome
    inputs: ForecastInputs
    settings: ForecastSettings


def told(root: Path) -> list[dict[str, Any]]:
    """gold.forecasts, volatile columns too."""
    return stored(root, FORECASTS).to_pylist()


def computed(root: Path) -> dict[str, object]:
    """Files of the lake but those of the audit and of the meta tables, which a command writes once."""
    return {
        name: found for name, found in files_of(root).items() if name.split("/")[0] in ("bronze", "silver", "ood", "gold", "_artifacts")
    }


@contextmanager
def handled() -> Iterator[None]:
    """What a command does to SIGTERM is undone."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def bring(spark: SparkSession, built: Built, run: Callable[..., Outcome], tmp_path_factory: pytest.TempPathFactory) -> Arrived:
    folder = tmp_path_factory.mktemp("arrived")
    root = Path(shutil.copytree(built.root, folder / "lake"))
    fresh = Path(shutil.copytree(Path(built.tree["adapters"]["folders"][0]) / GOOD_FOREIGN, folder / "offered" / "fresh"))
    edit_tensors(fresh, lambda tensors: {name: 0.5 * t if "lora_B" in name else t for name, t in tensors.items()})
    config = config_of(folder / "config.yaml", built.tree)

    def foretold(adapter: Path, run_id: str) -> tuple[Outcome, Arrival]:
        return forecast_adapter(Pipeline(Lake(spark, str(root), run_id, config.sha256), config), adapter)

    kept = root / "_artifacts" / "forecasters"
    kept.rename(folder / "aside")
    with pytest.raises(MissingInputError) as without:
        foretold(fresh, "run-without")
    (folder / "aside").rename(kept)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(arrival_build, "clean_rows", lambda *given, **how: build.clean_rows(*given, **how).where("false"))
        with pytest.raises(ContractError) as bare:
            foretold(fresh, "run-bare")
    first = foretold(fresh, "run-ahead")
    ahead = [row for row in told(root) if row["origin"] == "ahead"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ForecastInputs, "reads", property(lambda inputs: {"silver.explanation_metrics": "made otherwise"}))
        with pytest.raises(MissingInputError) as stale:
            foretold(fresh, "run-stale")
    before = computed(root)
    with handled(), pytest.MonkeyPatch.context() as patched:
        again = _command(patched, folder / "config.yaml", root, fresh)
        changed = computed(root) != before
        (folder / "nothing").mkdir()
        refused = _command(patched, folder / "config.yaml", root, folder / "nothing")
    trained = next(path for path in sorted((root / "_artifacts" / "adapters" / "small").iterdir()) if path.name.startswith("r2-s1"))
    tried = foretold(trained, "run-tried")[1]
    more = built.tree | {"adapters": built.tree["adapters"] | {"folders": [*built.tree["adapters"]["folders"], str(fresh.parent)]}}
    caught: list[tuple[Any, ...]] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_module, "build_gold", _fails)
        with pytest.raises(ContractError):
            run(root, more, "run", "run-failing")
        after_failure = rows_of(root, CELLS)
        patched.undo()
        patched.setattr(run_module, "build_forecasts", lambda *given: (caught.append(given), build.build_forecasts(*given)))
        last = run(root, more, "run", "run-truth")
    _, _, inputs, settings, _ = caught[0]
    return Arrived(
        root, first[1].rows["adapter_id"].iloc[0], str(without.value), str(bare.value), str(stale.value), first, ahead, again, changed,
        tried, refused, after_failure, last, inputs, settings,
    )  # fmt: skip


def _fails(*_: object) -> None:
    raise ContractError("as if gold were broken")


def _command(patched: pytest.MonkeyPatch, config: Path, root: Path, adapter: Path) -> tuple[int, str, str]:
    """What jobs/forecast.py answers: exit code, stdout, stderr."""
    main = runpy.run_path(str(ROOT / "jobs" / "forecast.py"))["main"]
    out, err = io.StringIO(), io.StringIO()
    patched.setattr(sys, "stdout", out)
    patched.setattr(sys, "stderr", err)
    code = main([str(config), "--adapter", str(adapter), "--lake", str(root)])
    patched.undo()
    return code, out.getvalue(), err.getvalue()
