"""In which order is a lake brought up to date, and what does the run leave behind?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bronze.build import Examples, build_examples, examples_of, first_examples, first_rows, split_frame
from bronze.embeddings.build import build_embeddings, embedding_settings
from bronze.specs import EMBEDDINGS, OUTSIDE
from gold.build import GoldInputs, build_gold
from gold.forecast.build import build_forecasts
from gold.forecast.inputs import ForecastInputs
from gold.inversion.build import build_inversion
from gold.provenance.build import build_provenance
from lake.audit import TABLES as AUDIT_TABLES
from lake.door import Lake
from lake.errors import ConfigError
from lake.fill import Inputs
from lake.identity import settings_id
from lake.ledger import Ledger
from lake.remember import remember
from ood.build import build_attacked_texts, build_ood, ood_settings, text_shifts
from ood.picture_shifts import PictureShifts
from ood.shift import Shifts
from ood.shift_rows import shift_rows
from ood.specs import TABLES as OOD_TABLES
from ood.text_shifts import TextShifts
from pipelines.backbones import TRAINING, obtain_backbone, pretrained_note
from pipelines.config import Config
from pipelines.embedded_gold import outside_inputs, require_embedded
from pipelines.modality import label_proof
from pipelines.own_data import OwnData, build_own_data, expose_to_shifted, own_frames, source_of
from pipelines.poked import poked_examples
from pipelines.provenance import provenance_inputs
from pipelines.text_gold import text_inputs
from silver.adapters.build import Registered, build_adapters
from silver.adapters.offers import Zoo
from silver.build import SilverIds, build_silver, silver_ids
from silver.exemplars.build import planned
from silver.exemplars.plan import ExemplarPlan
from silver.specs import TABLES as SILVER_TABLES

if TYPE_CHECKING:
    from models.backbone_record import AnyBackbone
    from models.scoring import Scoring
    from models.text_scoring import TextScoring

LAYERS = ("bronze", "silver", "ood", "gold")
META = ("meta",)
MODEL_TABLES = {"bronze": (EMBEDDINGS,), "silver": SILVER_TABLES, "ood": OOD_TABLES}


@dataclass
class Outcome:
    """What a run did. `verdict`: done, or nothing_to_do when no table got a row and nothing was trained."""

    verdict: str
    seconds: float
    ignored: int
    tables: dict[str, dict[str, Any]]


def artifacts_folder(config: Config, lake: Lake) -> Path:
    """Where models and training data lie: a folder that driver and workers share."""
    if config.artifacts:
        return Path(config.artifacts)
    if "://" in lake.storage.root:
        raise ConfigError(f"the lake {lake.storage.root} is no local folder, so `artifacts` must name one that all workers can reach")
    return Path(lake.storage.root) / "_artifacts"


class Pipeline:
    """One configuration on one lake. Each step brings its tables up to date and hands on what the next one needs."""

    def __init__(self, lake: Lake, config: Config) -> None:
        self.lake, self.config = lake, config
        self.ledger = Ledger(lake, config.dataset)
        self.artifacts = artifacts_folder(config, lake)
        self._exemplars: ExemplarPlan | None = None

    def run(self, layers: Sequence[str] = LAYERS) -> Outcome:
        """Brings the chosen layers up to date, in order; layers left out are taken as they are."""
        started = time.monotonic()
        examples = self.examples("bronze" in layers)
        own = build_own_data(self.lake, self.ledger, examples, self.config, "bronze" in layers)
        if "bronze" not in layers and self.known_backbone(examples) is None:
            raise ConfigError("the backbone is not pre-trained yet: include bronze in --layers")
        with ThreadPoolExecutor(1) as pool:
            prepared = pool.submit(self._create_tables, layers)  # while the driver reads, or trains, the backbone
            backbone = self.backbone(examples)
            prepared.result()
        if "bronze" in layers:
            self.embeddings(examples, backbone)
        scoring = self.scoring(backbone, self.config.scoring.dtype, self.config.scoring.batch_size)
        if "gold" in layers and (self.config.modality == "text" or examples.count(OUTSIDE)):
            require_embedded(self.ledger, examples, self.embeddings_id(examples, scoring))
        found = self.adapters(examples, scoring, "silver" in layers) if {"silver", "ood", "gold"} & set(layers) else Registered((), {})
        meta = examples_of(self.lake, examples, META, self.config.execution.chunk_rows)
        examined = first_examples(meta, self.config.examined)
        if "silver" in layers:
            explanations, outside = self.config.explanations, self.outside(examples)
            poked = poked_examples(examined, explanations)
            exemplars = self.exemplars(examples, scoring)
            build_silver(self.lake, self.ledger, meta, scoring, found.adapters, explanations, examined, outside, poked, exemplars)
        shifts = self.shifts(examples, scoring) if {"ood", "gold"} & set(layers) else None
        if "ood" in layers and shifts is not None:
            if isinstance(shifts, TextShifts):
                build_attacked_texts(self.lake, self.ledger, examined, shifts.scoring, shifts)
            identity = build_ood(self.lake, self.ledger, examined, scoring, found.adapters, shifts)
            expose_to_shifted(self.lake, self.ledger, own, identity, scoring, found.adapters, shifts, self.config.execution.chunk_rows)
        if "gold" in layers and shifts is not None:
            self.gold(examples, meta, scoring, found, shifts, own)
            inputs = self.forecast_inputs(examples, meta, scoring, found, shifts)
            build_forecasts(self.lake, self.ledger, inputs, self.config.forecast, self.forecasters)
            build_inversion(self.lake, self.config.inversion)
            networks = provenance_inputs(self.lake, self.ledger, examples, self.config, self.artifacts, self.exemplars(examples, scoring))
            build_provenance(self.lake, self.ledger, networks, self.config.provenance)
        return self.finished(started, examples)

    def finished(self, started: float, examples: Examples) -> Outcome:
        """Commits what the ledger noted, and says what was done since `started` on time.monotonic."""
        self.ledger.commit()
        remember(self.lake)
        written = sum(row["rows_written"] for row in self.lake.report().values())
        return Outcome("done" if written else "nothing_to_do", time.monotonic() - started, examples.ignored, self.lake.report())

    def _create_tables(self, layers: Sequence[str]) -> None:
        """Creates the tables of these layers that are not there: half a second each, better spent while something else runs."""
        for table in (*AUDIT_TABLES, *(table for layer in layers for table in MODEL_TABLES.get(layer, ()))):
            self.lake.create(table)

    def train(self) -> Outcome:
        """Trains and registers adapters, and no more."""
        started = time.monotonic()
        examples = self.examples()
        config = self.config.scoring
        self.adapters(examples, self.scoring(self.backbone(examples), config.dtype, config.batch_size))
        return self.finished(started, examples)

    def examples(self, read: bool = True) -> Examples:
        """The dataset's examples, brought up to date when `read`; else as they are, ConfigError when the source has moved on."""
        return build_examples(self.lake, self.ledger, source_of(self.config), read)

    def outside(self, examples: Examples) -> Inputs | None:
        """The inputs of no class; None where there are none."""
        return examples_of(self.lake, examples, (OUTSIDE,), self.config.execution.chunk_rows) if examples.count(OUTSIDE) else None

    def backbone(self, examples: Examples) -> AnyBackbone:
        """The configured backbone; a small one is pre-trained here the first time."""
        return obtain_backbone(self.lake, self.config, examples, self.artifacts)

    def known_backbone(self, examples: Examples) -> AnyBackbone | None:
        """The backbone if it is there already, without training or downloading it."""
        known = self.config.backbone.name is not None or pretrained_note(self.config, examples, self.artifacts).exists()
        return self.backbone(examples) if known else None

    def scoring(self, backbone: AnyBackbone, dtype: str, batch_size: int) -> Scoring | TextScoring:
        from models.backbone_record import TextBackbone
        from models.dtype import resolve_dtype
        from models.images import preprocessing_of
        from models.scoring import Scoring
        from models.text_scoring import TextScoring

        cache = int(self.config.execution.cache_gb * 2**30)
        if isinstance(backbone, TextBackbone):
            return TextScoring(backbone, resolve_dtype(dtype), batch_size, cache_bytes=cache)
        return Scoring(backbone, preprocessing_of(backbone.folder), self.config.decode.limits(), resolve_dtype(dtype), batch_size, cache)

    def embeddings(self, examples: Examples, backbone: AnyBackbone) -> None:
        config = self.config.embeddings
        scoring = self.scoring(backbone, config.dtype, config.batch_size)
        build_embeddings(self.lake, self.ledger, examples, scoring, config.keep_units, self.config.execution.chunk_rows)

    def adapters(self, examples: Examples, scoring: Scoring | TextScoring, train: bool = True) -> Registered:
        inputs = examples_of(self.lake, examples, TRAINING, self.config.execution.chunk_rows)
        return build_adapters(self.lake, self.ledger, inputs, self.zoo(examples, scoring), train)

    def shifts(self, examples: Examples, scoring: Scoring | TextScoring) -> Shifts:
        """How inputs are changed: corruptions of pictures, attacks on texts with keywords from the training split."""
        from models.text_scoring import TextScoring

        config = self.config
        if not isinstance(scoring, TextScoring):
            return PictureShifts(scoring, config.corruptions)
        vectors, proof = self.embeddings_id(examples, scoring), label_proof(config.source.reader)
        return text_shifts(
            self.lake, examples.settings_id, vectors, config.dataset, examples.labels, scoring, config.attacks, keeps_label=proof
        )

    def embeddings_id(self, examples: Examples, scoring: Scoring | TextScoring) -> str:
        """settings_id of this configuration's rows of bronze.embeddings."""
        own = self.config.embeddings
        return settings_id(embedding_settings(examples, self.scoring(scoring.backbone, own.dtype, own.batch_size), own.keep_units))

    def exemplars(self, examples: Examples, scoring: Scoring | TextScoring) -> ExemplarPlan | None:
        """What is asked of the dataset's exemplars; None where no head is configured. Asked for once: it reads the training examples."""
        config = self.config
        if config.exemplars.heads and self._exemplars is None:
            own, vectors = self.artifacts / "heads" / config.dataset, self.embeddings_id(examples, scoring)
            asked = (scoring.backbone.name, examples.settings_id, vectors, config.exemplars, own)
            self._exemplars = planned(self.lake, config.dataset, examples.labels, *asked)
        return self._exemplars

    def silver_ids(self, examples: Examples, meta: Inputs, scoring: Scoring | TextScoring) -> SilverIds:
        """The generations of silver under this configuration."""
        return silver_ids(meta, scoring, self.config.explanations, self.exemplars(examples, scoring))

    def zoo(self, examples: Examples, scoring: Scoring | TextScoring) -> Zoo:
        return Zoo(examples.dataset, examples.labels, scoring, self.config.adapters, self.artifacts, self.config.priors)

    @property
    def forecasters(self) -> Path:
        """Where trained forecasters of this dataset are kept."""
        return self.artifacts / "forecasters" / self.config.dataset

    def forecast_inputs(
        self, examples: Examples, meta: Inputs, scoring: Scoring | TextScoring, found: Registered, shifts: Shifts
    ) -> ForecastInputs:
        """The generations that forecasts of failure rest on."""
        config, silver = self.config, self.silver_ids(examples, meta, scoring)
        rests_on = {
            "work": self.ledger.state(*SILVER_TABLES, *OOD_TABLES, EMBEDDINGS),
            "meta": [meta.sha256, config.examined],
            "libraries": {name: version(name) for name in ("scikit-learn", "scipy", "xgboost-cpu")},
        } | {part.name: part.settings_id for part in silver.parts}
        return ForecastInputs(
            dataset=config.dataset,
            adapter_ids=tuple(adapter.adapter_id for adapter in found.adapters),
            predictions_id=silver.predictions,
            metrics_id=silver.explanation_metrics,
            parts=silver.parts,
            ood_id=settings_id(ood_settings(meta, scoring, shifts)),
            examples_id=examples.settings_id,
            embeddings_id=self.embeddings_id(examples, scoring),
            cells=shifts.cells(),
            sha256=settings_id(rests_on),
        )

    def gold(
        self, examples: Examples, meta: Inputs, scoring: Scoring | TextScoring, found: Registered, shifts: Shifts, own: OwnData
    ) -> None:
        config = self.config
        silver = self.silver_ids(examples, meta, scoring)
        ood = settings_id(ood_settings(meta, scoring, shifts))
        zoo = self.zoo(examples, scoring)
        training = examples_of(self.lake, examples, TRAINING, config.execution.chunk_rows)
        names, embeddings_id = tuple(adapter.adapter_id for adapter in found.adapters), self.embeddings_id(examples, scoring)
        cells = (*shifts.cells(), *own.cells)
        rests_on = {
            "silver": silver.told(),
            "ood": ood,
            "adapters": names,
            "zoo": zoo.settings_id(training),
            "cells": cells,
            "meta": meta.sha256 if config.examined is None else [meta.sha256, config.examined],
            "work": self.ledger.state(*SILVER_TABLES, *OOD_TABLES),  # what is there, not only what was asked for
            "libraries": {name: version(name) for name in ("scikit-learn", "scipy", "xgboost-cpu")},
        } | own.rests_on()
        inputs = GoldInputs(
            dataset=config.dataset,
            labels=examples.labels,
            adapters_id=zoo.settings_id(training),
            predictions_id=silver.predictions,
            metrics_id=silver.explanation_metrics,
            parts=silver.parts,
            ood_id=ood,
            adapter_ids=names,
            cells=cells,
            corruptions=shift_rows(shifts, tuple(own.shifted.stamps)),
            metric_group=config.gold_metric_group,
            sha256=settings_id(rests_on),
            outside=outside_inputs(examples, embeddings_id),
            text=None
            if config.modality == "image"
            else text_inputs(config, examples.settings_id, embeddings_id, silver.attributions, found.priors),
        )
        labels_of = split_frame(self.lake, config.dataset, examples.settings_id, *META).select("example_id", "label")
        examined = first_rows(labels_of, config.examined)
        build_gold(self.lake, self.ledger, inputs, labels_of, examined, config.gold, own_frames(self.lake, own))
