"""What is to be expected of one new adapter? Registers it, computes its clean rows, stores what the forecaster says of it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from bronze.build import examples_of, first_examples
from gold.forecast.arrival.build import Arrival, forecast_arrival
from lake.errors import ConfigError, DataRefusedError
from pipelines.backbones import TRAINING
from pipelines.poked import poked_examples
from pipelines.run import META, Outcome, Pipeline
from silver.adapters.build import build_adapters
from silver.adapters.offers import Offer, judge
from silver.build import build_silver
from silver.settings import AdapterSettings


def forecast_adapter(pipeline: Pipeline, folder: Path) -> tuple[Outcome, Arrival]:
    """The adapter of a folder, on a lake that its configuration has been run on; nothing corrupted is looked at.

    Raises ConfigError where there is no backbone yet, DataRefusedError with the reason when the adapter cannot be used.
    """
    started = time.monotonic()
    config, lake, ledger = pipeline.config, pipeline.lake, pipeline.ledger
    examples = pipeline.examples(read=False)
    if pipeline.known_backbone(examples) is None:
        raise ConfigError("the backbone is not pre-trained yet: run `assay run` with this configuration first")
    scoring = pipeline.scoring(pipeline.backbone(examples), config.scoring.dtype, config.scoring.batch_size)
    alone = replace(pipeline.zoo(examples, scoring), settings=AdapterSettings(labels=config.adapters.labels), guest=folder)
    found = build_adapters(lake, ledger, examples_of(lake, examples, TRAINING, config.execution.chunk_rows), alone, train=False)
    if not found.adapters:
        row, _ = judge(Offer(folder, folder.parent, folder.name), alone, set())
        raise DataRefusedError(f"the adapter in {folder} cannot be used: {row['reason']}")
    meta = examples_of(lake, examples, META, config.execution.chunk_rows)
    examined = first_examples(meta, config.examined)
    poked, exemplars = poked_examples(examined, config.explanations), pipeline.exemplars(examples, scoring)
    build_silver(lake, ledger, meta, scoring, found.adapters, config.explanations, examined, poked=poked, exemplars=exemplars)
    inputs = pipeline.forecast_inputs(examples, meta, scoring, found, pipeline.shifts(examples, scoring))
    arrival = forecast_arrival(lake, ledger, inputs, config.forecast, pipeline.forecasters)
    return pipeline.finished(started, examples), arrival
