"""Adapters and shifted examples -> ood.predictions; attacked texts -> ood.attacked_texts; training texts -> what attacks know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from bronze.specs import EMBEDDINGS, EXAMPLES
from lake.audit import REJECTED
from lake.door import Lake
from lake.errors import ConfigError
from lake.fill import Inputs, Stage, Variant, fill
from lake.ledger import Ledger
from lake.rows import ERROR_COLUMNS, Identity
from lake.spec import Table
from models.any_scoring import AnyScoring
from models.scored_adapter import ScoredAdapter
from ood.attack_texts import Audit, audit
from ood.keyword_source import TRAIN, VALIDATION, source_keywords
from ood.natural import expose_natural
from ood.score import Exposure, expose
from ood.shift import Shifts
from ood.specs import ATTACKED_TEXTS, PREDICTIONS
from ood.text_shifts import KeepsLabel, TextShifts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from models.text_scoring import TextScoring
    from ood.attack_settings import AttackSettings

Verb = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def ood_settings(meta: Inputs, scoring: AnyScoring, shifts: Shifts) -> dict[str, object]:
    """What defines a row: examples, scoring, and how inputs are changed; not which changes are asked for."""
    return scoring.settings() | {"examples": meta.settings_id} | shifts.settings()


def build_ood(lake: Lake, ledger: Ledger, meta: Inputs, scoring: AnyScoring, adapters: tuple[ScoredAdapter, ...], shifts: Shifts) -> str:
    """Brings ood.predictions of these adapters and changes up to date; gives the generation's settings_id."""
    identity = lake.settings_id(PREDICTIONS, meta.dataset, ood_settings(meta, scoring, shifts))
    variants: tuple[Variant, ...] = tuple(
        {"adapter_id": adapter.adapter_id, "corruption": name, "severity": severity}
        for adapter in adapters
        for name, severity in shifts.cells()
    )
    plan = Exposure(scoring, adapters, shifts, Identity(meta.dataset, identity, variants))
    fill(lake, ledger, _stage(PREDICTIONS, plan.identity, shifts, lambda rows: expose(rows, plan)), meta)
    return identity


def build_natural(
    lake: Lake,
    ledger: Ledger,
    shifted: Inputs,
    corruption: str,
    settings_id: str,
    scoring: AnyScoring,
    adapters: tuple[ScoredAdapter, ...],
    shifts: Shifts,
) -> None:
    """Brings ood.predictions of these adapters on one shifted source up to date, under the settings_id that `build_ood` gave."""
    variants: tuple[Variant, ...] = tuple({"adapter_id": one.adapter_id, "corruption": corruption, "severity": 1} for one in adapters)
    plan = Exposure(scoring, adapters, shifts, Identity(shifted.dataset, settings_id, variants))
    lake.allow_nulls(PREDICTIONS)
    fill(lake, ledger, _stage(PREDICTIONS, plan.identity, shifts, lambda rows: expose_natural(rows, plan)), shifted)


def build_attacked_texts(lake: Lake, ledger: Ledger, meta: Inputs, scoring: AnyScoring, shifts: TextShifts) -> str:
    """Brings ood.attacked_texts of these attacks up to date: the texts that every adapter meets in `build_ood`.

    Gives the generation's settings_id, the same as that of the predictions: their rows join on it.
    """
    identity = lake.settings_id(ATTACKED_TEXTS, meta.dataset, ood_settings(meta, scoring, shifts))
    variants: tuple[Variant, ...] = tuple({"attack": name, "severity": severity} for name, severity in shifts.cells() if severity)
    plan = Audit(shifts, Identity(meta.dataset, identity, variants))
    fill(lake, ledger, _stage(ATTACKED_TEXTS, plan.identity, shifts, lambda rows: audit(rows, plan)), meta)
    return identity


def _stage(table: Table, identity: Identity, shifts: Shifts, verb: Verb) -> Stage:
    columns, ddl = ("example_id", "label_id", *shifts.columns(), "todo"), table.ddl(ERROR_COLUMNS)
    return Stage(table, identity.settings_id, identity.variants, lambda frame: frame.select(*columns).mapInArrow(verb, ddl))


def text_shifts(
    lake: Lake,
    examples_id: str,
    embeddings_id: str,
    dataset: str,
    labels: tuple[str, ...],
    scoring: TextScoring,
    attacks: AttackSettings,
    keeps_label: KeepsLabel | None = None,
) -> TextShifts:
    """The attacks with keywords from the adapter_train texts and confusions from adapter_val, read from these generations of bronze.

    No other split is read. It fits the baseline anew at each call: call it once per run. Raises ConfigError where bronze.embeddings is not
    complete, since fewer vectors would silently give other keywords.
    """
    learned = _learned(lake, dataset, examples_id, embeddings_id, scoring.backbone.name).toArrow()
    lacking = learned["pooled"].null_count
    if lacking and lacking > _refused(lake, dataset, embeddings_id):
        raise ConfigError(
            f"bronze.embeddings of {dataset} lacks {lacking:,} of the {len(learned):,} examples of {TRAIN} and {VALIDATION}, which attacks "
            f"are chosen from: include bronze in --layers"
        )
    return TextShifts(scoring, attacks, source_keywords(learned, labels, attacks.keywords), labels, keeps_label)


def _learned(lake: Lake, dataset: str, examples_id: str, embeddings_id: str, backbone: str) -> DataFrame:
    """example_id, split, label_id, text of what adapters learn from, with the pooled embedding, null where bronze could make none."""
    from pyspark.sql import functions as F

    def mine(table: Table, identity: str) -> DataFrame:
        return lake.read(table).where((F.col("dataset") == dataset) & (F.col("settings_id") == identity))

    texts = mine(EXAMPLES, examples_id).where(F.col("split").isin(TRAIN, VALIDATION)).select("example_id", "split", "label_id", "text")
    vectors = mine(EMBEDDINGS, embeddings_id).where(F.col("backbone") == backbone).select("example_id", "pooled")
    return texts.join(vectors, "example_id", "left")


def _refused(lake: Lake, dataset: str, embeddings_id: str) -> int:
    """Examples that bronze tried to embed and could not, of whatever split."""
    where = f"dataset = '{dataset}' AND table_name = '{EMBEDDINGS.full_name}' AND settings_id = '{embeddings_id}'"
    return lake.read(REJECTED).where(where).count()
