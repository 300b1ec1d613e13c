"""How many rows do shifted sources of the user's own ask for, and how many are done?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bronze.build import Examples
from bronze.readers import reader_named
from bronze.readers.fingerprint import fingerprint
from bronze.shifted.build import cell_of, list_shifted, shifted_settings, shifted_source, stamps_of
from bronze.specs import SHIFTED
from lake.identity import settings_id
from lake.ledger import Cell
from ood.specs import PREDICTIONS
from pipelines.own_data import source_of

if TYPE_CHECKING:
    from pipelines.run import Pipeline


@dataclass(frozen=True)
class ShiftedCount:
    """One shifted source: how many examples, which ones (`unread` where bronze has not read them), and whether it is read already."""

    corruption: str
    n: int
    sha256: str
    is_read: bool


def count_shifted(pipeline: Pipeline, examples: Examples) -> tuple[ShiftedCount, ...]:
    """Every shifted source of the configuration; of one that is not read the usable places count. MissingInputError where one is absent."""
    config, identity = pipeline.config, settings_id(shifted_settings(examples))
    found = []
    for shift in config.shifted:
        source = shifted_source(source_of(config), shift, examples.labels)
        listing = list_shifted(source, shift.name)
        inputs = fingerprint(listing, reader_named(source.source.reader), source.root)
        if pipeline.ledger.complete(SHIFTED, identity, cell_of(shift.corruption), inputs):
            n, mark = stamps_of(pipeline.lake, examples, identity, [shift.corruption])[shift.corruption]
            found.append(ShiftedCount(shift.corruption, n, mark, True))
        else:
            n = sum(reference.error_code is None for reference in listing)
            found.append(ShiftedCount(shift.corruption, n, "unread", False))
    return tuple(found)


def read_rows(counts: Collection[ShiftedCount]) -> tuple[int, int]:
    """Rows of bronze.shifted (to do, done)."""
    return sum(one.n for one in counts if not one.is_read), sum(one.n for one in counts if one.is_read)


def predicted_rows(
    pipeline: Pipeline, counts: Collection[ShiftedCount], identity: str | None, adapter_ids: Collection[str], n_adapters: int
) -> tuple[int, int]:
    """Rows of ood.predictions (to do, done) that they add. `identity`: of its planned generation, None where it is not known yet."""
    if identity is None:
        return sum(one.n for one in counts) * n_adapters, 0
    done = 0
    for one in counts:
        wanted = {Cell(adapter_id, one.corruption, 1): one.n for adapter_id in adapter_ids}
        done += pipeline.ledger.rows_done(PREDICTIONS, identity, one.sha256, wanted)
    return sum(one.n for one in counts) * n_adapters - done, done
