"""Adapters and corrupted examples -> ood.predictions."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from lake.door import Lake
from lake.fill import Inputs, Stage, Variant, fill
from lake.ledger import Ledger
from lake.rows import ERROR_COLUMNS, Identity
from models.scored_adapter import ScoredAdapter
from models.scoring import Scoring
from ood.picture_shifts import PictureShifts
from ood.score import Exposure, expose
from ood.settings import CorruptionSettings
from ood.specs import PREDICTIONS


def ood_settings(meta: Inputs, scoring: Scoring, corruptions: CorruptionSettings) -> dict[str, object]:
    """What defines a row: examples, scoring, where and with which seed corruptions are applied; not which ones are asked for."""
    return scoring.settings() | {"examples": meta.settings_id, "apply_at": corruptions.apply_at, "seed": corruptions.seed}


def build_ood(
    lake: Lake, ledger: Ledger, meta: Inputs, scoring: Scoring, adapters: tuple[ScoredAdapter, ...], corruptions: CorruptionSettings
) -> str:
    """Brings ood.predictions of these adapters and corruptions up to date; gives the generation's settings_id."""
    identity = lake.settings_id(PREDICTIONS, meta.dataset, ood_settings(meta, scoring, corruptions))
    variants: tuple[Variant, ...] = tuple(
        {"adapter_id": adapter.adapter_id, "corruption": corruption, "severity": severity}
        for adapter in adapters
        for corruption, severity in corruptions.cells()
    )
    plan = Exposure(scoring, adapters, PictureShifts(scoring, corruptions), Identity(meta.dataset, identity, variants))

    def verb(rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return expose(rows, plan)

    stage = Stage(
        table=PREDICTIONS,
        settings_id=identity,
        variants=variants,
        compute=lambda frame: frame.select("example_id", "label_id", "image", "todo").mapInArrow(verb, PREDICTIONS.ddl(ERROR_COLUMNS)),
    )
    fill(lake, ledger, stage, meta)
    return identity
