"""What of the user's own stands beside the synthetic shifts: shifted sources, and columns to slice by?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bronze.build import Examples, Source
from bronze.metadata.build import build_metadata, described_shift, metadata_settings, own_examples
from bronze.readers.files import existing_root
from bronze.shifted.build import Shifted, build_shifted, shifted_examples, shifted_frame, shifted_source
from bronze.specs import METADATA
from gold.build import OwnFrames
from lake.door import Lake
from lake.errors import MissingInputError
from lake.identity import settings_id
from lake.ledger import Ledger
from models.any_scoring import AnyScoring
from models.scored_adapter import ScoredAdapter
from ood.build import build_natural
from ood.shift import Shifts
from pipelines.config import Config


@dataclass(frozen=True)
class OwnData:
    """`shifted`: examples of the shifted sources. `described`: origin -> hash of the metadata of its examples."""

    shifted: Shifted
    described: dict[str, str]

    @property
    def cells(self) -> tuple[tuple[str, int], ...]:
        """(corruption, severity) of every shifted source."""
        return tuple((name, 1) for name in self.shifted.stamps)

    def rests_on(self) -> dict[str, object]:
        """What gold's rows rest on besides what silver and ood hold; nothing where the configuration asks for nothing of it."""
        found: dict[str, object] = {"shifted": self.shifted.stamps} if self.shifted.stamps else {}
        return found | ({"metadata": self.described} if self.described else {})


def source_of(config: Config) -> Source:
    """The dataset's own source as configured."""
    return Source(config.dataset, config.source, config.splits, config.decode, config.execution.max_rejected_share)


def require_shifted(config: Config) -> None:
    """Raises MissingInputError for a shifted source whose folder is not there, before anything is read."""
    for shift in config.shifted:
        if shift.source.root is not None:
            try:
                existing_root(Path(shift.source.root))
            except MissingInputError as error:
                raise MissingInputError(f"shifted {shift.name}: {error}") from error


def build_own_data(lake: Lake, ledger: Ledger, examples: Examples, config: Config, read: bool) -> OwnData:
    """Brings bronze.shifted and bronze.metadata up to date when `read`; else ConfigError where they are not."""
    own = source_of(config)
    shifted = build_shifted(lake, ledger, examples, own, config.shifted, read)
    wanted = [own_examples(lake, examples, own)] if config.source.metadata else []
    wanted += [
        described_shift(lake, shifted, one.corruption, shifted_source(own, one, examples.labels))
        for one in config.shifted
        if one.source.metadata
    ]
    return OwnData(shifted, {one.origin: build_metadata(lake, ledger, examples, one, read) for one in wanted})


def expose_to_shifted(
    lake: Lake,
    ledger: Ledger,
    own: OwnData,
    settings: str,
    scoring: AnyScoring,
    adapters: tuple[ScoredAdapter, ...],
    shifts: Shifts,
    chunk_rows: int,
) -> None:
    """Brings ood.predictions of every shifted source up to date, under the settings_id of the other shifts."""
    for corruption, _ in own.cells:
        inputs = shifted_examples(lake, own.shifted, corruption, chunk_rows)
        build_natural(lake, ledger, inputs, corruption, settings, scoring, adapters, shifts)


def own_frames(lake: Lake, own: OwnData) -> OwnFrames:
    """What gold reads of it."""
    from pyspark.sql import functions as F

    examples, names = own.shifted.examples, list(own.shifted.stamps)
    natural, metadata = None, None
    if names:
        natural = shifted_frame(lake, examples, own.shifted.settings_id, names).select("corruption", "example_id", "label")
    if own.described:
        mine = (F.col("dataset") == examples.dataset) & (F.col("settings_id") == settings_id(metadata_settings(examples)))
        metadata = lake.read(METADATA).where(mine & F.col("origin").isin(list(own.described)))
    return OwnFrames(natural, metadata)
