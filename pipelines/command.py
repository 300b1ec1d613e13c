"""What happens around one run: lease, audit row, highlights, and the JSON line?"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gold.inversion.adult_files import require_adult
from lake.audit import RUNS
from lake.door import Lake
from lake.errors import ConfigError, MissingInputError
from lake.identity import canonical_json
from lake.lease import lease
from lake.peek import small_frame
from lake.session import open_session
from pipelines.arrival import forecast_adapter
from pipelines.config import Config, load_config
from pipelines.exits import EXPECTED
from pipelines.foretold import show
from pipelines.language_model import require_language_model
from pipelines.own_data import require_shifted
from pipelines.redact import redacted
from pipelines.rooms import own_rooms
from pipelines.run import LAYERS, Outcome, Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gold.forecast.arrival.build import Arrival

RUN_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
VERSIONED = ("pyspark", "delta-spark", "torch", "transformers", "peft", "xgboost-cpu", "scikit-learn", "numpy", "pyarrow", "assay")


def run(options: argparse.Namespace) -> int:
    """`assay run` and jobs/run_pipeline.py: every configuration in turn, on one session; the first that fails is the last.

    What a file itself tells is told of all of them before the first is run.
    """
    if options.run_id and len(options.configs) > 1:
        raise ConfigError(f"--run-id names one run, found {len(options.configs)} configurations: run them one by one, or leave it out")
    layers = tuple(options.layers.split(","))
    if unknown := [layer for layer in layers if layer not in LAYERS]:
        raise ConfigError(f"--layers takes {', '.join(LAYERS)}; found {', '.join(unknown)}")
    each = [argparse.Namespace(**vars(options) | {"config": path}) for path in options.configs]
    for one in each:
        _checked(one, LAYERS if options.dry_run else layers)
    for one in each:
        if code := _run_one(one, layers):
            return code
    return 0


def _run_one(options: argparse.Namespace, layers: Sequence[str]) -> int:
    if options.dry_run:
        from pipelines.plan.dry_run import dry_run

        config, root = _configured(options)
        return dry_run(config, root, sys.stdout, options.calibrate_seconds)
    line, lake, dataset = _performed(options, lambda pipeline: pipeline.run(layers), layers)
    root = lake.storage.root
    if "gold" in layers and not options.quiet:
        from pipelines.highlights import highlights
        from pipelines.told_of_provenance import tell_of_provenance
        from pipelines.told_of_worlds import tell

        highlights(lambda table: small_frame(lake, table, dataset), shown(root), dataset, sys.stdout)
        config = _configured(options)[0]
        tell(lambda table, world: small_frame(lake, table, world), config.inversion.worlds, sys.stdout)
        if "://" not in root and (config.exemplars.heads or config.provenance.arms):
            names = [head.name for head in config.exemplars.heads]
            tell_of_provenance(root, dataset, names, config.provenance.arms, sys.stdout)
    return _reported(line)


def train(options: argparse.Namespace) -> int:
    """`assay train` and jobs/train_adapters.py."""
    line, _, _ = _performed(options, lambda pipeline: pipeline.train(), ("silver",))
    return _reported(line)


def forecast(options: argparse.Namespace) -> int:
    """`assay forecast` and jobs/forecast.py."""
    folder = Path(options.adapter).expanduser().resolve()
    if not folder.is_dir():
        raise MissingInputError(f"--adapter: no folder at {folder}; give the adapter's own folder, the one that holds adapter_config.json")
    _require_lake(_configured(options)[1])
    told: list[Arrival] = []

    def work(pipeline: Pipeline) -> Outcome:
        outcome, arrival = forecast_adapter(pipeline, folder)
        told.append(arrival)
        return outcome

    line, _, _ = _performed(options, work, ("silver",))
    show(told[0].rows, folder.name, told[0].is_tried, sys.stdout)
    return _reported(line)


def _require_lake(root: str) -> None:
    """Raises MissingInputError where a command that needs a finished lake is given none; writes nothing."""
    from pipelines.sql.answer import require_lake
    from pipelines.sql.duck import exists

    require_lake(root, lambda table: exists(root, table))


def _configured(options: argparse.Namespace) -> tuple[Config, str]:
    config = load_config(options.config, tuple(options.overrides))
    root = options.lake or config.lake
    if not root:
        raise ConfigError("no lake: give --lake DIR, or `lake:` in the configuration")
    return config, root if "://" in root else str(Path(root).resolve())


def _checked(options: argparse.Namespace, layers: Sequence[str]) -> tuple[Config, str]:
    """The configuration and its lake's place, when the file is right and the language model that these layers ask is in reach."""
    own_rooms()
    config, root = _configured(options)
    require_language_model(config, layers)
    require_shifted(config)
    if "gold" in layers:
        require_adult(config.inversion)
    return config, root


def _performed(options: argparse.Namespace, work: Callable[[Pipeline], Outcome], layers: Sequence[str]) -> tuple[dict[str, Any], Lake, str]:
    """Opens session and lake under a lease, does the work of these layers, leaves an audit row when something was written."""
    from lake.describe import describe
    from lake.format import check_format
    from pipelines.tables import TABLES, VIEWS

    config, root = _checked(options, layers)
    if options.run_id and not RUN_ID.match(options.run_id):
        raise ConfigError(f"--run-id must match {RUN_ID.pattern}, found {options.run_id!r}")
    run_id = options.run_id or f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    started = time.monotonic()
    lake = Lake(open_session(), root, run_id, config.sha256)
    line: dict[str, Any] = {"run_id": run_id, "verdict": "failed", "seconds": 0.0, "ignored": 0, "tables": {}}
    try:
        with lease(lake.storage, run_id) as check:
            lake.before_commit = check
            _refuse_known(lake, options.run_id)
            check_format(lake.storage)
            lake.storage.delete(f"{lake.storage.root}/_staging")  # under the lease, staging can only be a dead run's
            outcome = work(Pipeline(lake, config))
            describe(lake, TABLES, VIEWS)
            line |= {"verdict": outcome.verdict, "seconds": round(time.monotonic() - started, 1), "ignored": outcome.ignored}
            if outcome.verdict == "done":
                _record(lake, options.command, config, outcome, time.monotonic() - started)
    except EXPECTED:
        _reported(line | {"seconds": round(time.monotonic() - started, 1), "tables": lake.report()})  # what was done, and rejected, so far
        raise
    return line | {"tables": lake.report()}, lake, config.dataset


def _refuse_known(lake: Lake, run_id: str | None) -> None:
    """A run id names one run: a second one under it would leave two rows of one key."""
    if run_id is not None and not lake.read(RUNS).where(f"run_id = '{run_id}'").isEmpty():
        raise ConfigError(f"--run-id {run_id} is in audit.runs already: choose another, or leave it out")


def shown(root: str) -> str:
    """A lake's place as a person would type it: relative where that is shorter."""
    local = os.path.relpath(root) if "://" not in root else root
    return min(root, local, key=len)


def _record(lake: Lake, command: str, config: Config, outcome: Outcome, seconds: float) -> None:
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in VERSIONED:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    text = redacted(canonical_json(config))
    row = (
        lake.run_id,
        command,
        config.dataset,
        config.sha256,
        text,
        versions,
        outcome.verdict,
        seconds,
        datetime.now(UTC),
        json.dumps(outcome.tables),
    )
    lake.append(RUNS, lake.spark.createDataFrame([row], RUNS.ddl()), 1)


def _reported(line: dict[str, Any]) -> int:
    sys.stdout.flush()
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return 0
