"""Are embeddings stored as the backbone gave them, and is a non-finite one tried again, then rejected, never zero?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from bronze.embeddings.embed import Embed, PictureReading, embed
from bronze.specs import EMBEDDINGS
from models.decode import DecodeLimits, encode_png
from models.images import Preprocessing

SCHEMA = EMBEDDINGS.arrow_schema([("error_code", "string"), ("message", "string")])
DIM, UNITS, SIZE = 2, 4, 6


@dataclass
class Arithmetic:
    """A backbone whose embedding is known by hand: pooled = (mean, max) of the picture times `scale`; unit j = pooled + j.

    A picture of mean `broken` comes out as NaN.
    """

    scale: float = 1.0
    broken: float | None = None
    batches: list[int] = field(default_factory=list)

    def embed(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.batches.append(len(pixels))
        flat = pixels.reshape(len(pixels), -1)
        pooled = np.stack([flat.mean(axis=1), flat.max(axis=1)], axis=1) * np.float32(self.scale)
        if self.broken is not None:
            pooled[np.isclose(flat.mean(axis=1), self.broken)] = np.nan
        return pooled, pooled[:, None, :] + np.arange(UNITS, dtype=np.float32)[None, :, None]


def examples(values: list[int], rows: int = 3) -> list[pa.RecordBatch]:
    """Plain pictures of one grey value each, in batches of `rows`."""
    images = [encode_png(np.full((SIZE, SIZE, 3), value, dtype=np.uint8)) for value in values]
    table = pa.table({"example_id": [f"id{value}" for value in values], "image": pa.array(images, pa.binary())})
    return table.to_batches(max_chunksize=rows)


@pytest.fixture
def work() -> Embed:
    plain = Preprocessing(size=SIZE, resize_to=SIZE, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), rescale=1.0)  # pixels are grey values
    return Embed(Arithmetic(), None, PictureReading(plain, DecodeLimits()), "pets", "tiny", "s1", keep_units=True, batch_size=4)


def rows(found: Any) -> list[dict[str, Any]]:
    return [row for batch in found for row in batch.to_pylist()]


def test_vectors_are_little_endian_half_precision_row_by_row(work: Embed) -> None:
    (row,) = rows(embed(examples([8]), work, SCHEMA))
    assert np.frombuffer(row["pooled"], "<f2").tolist() == [8.0, 8.0]
    assert np.frombuffer(row["units"], "<f2").reshape(UNITS, DIM).tolist() == [[8.0, 8.0], [9.0, 9.0], [10.0, 10.0], [11.0, 11.0]]
    assert row["pooled"][:2] == bytes([0x00, 0x48])  # 8 = 2^3: exponent 3 + 15 = 18, bits 0 10010 0000000000 = 0x4800
    rest = {name: row[name] for name in row if name not in ("pooled", "units")}
    key = {"dataset": "pets", "example_id": "id8", "backbone": "tiny", "settings_id": "s1"}
    assert rest == key | {"n_units": UNITS, "dim": DIM, "truncated": None, "error_code": None, "message": None}


def test_units_are_left_out_when_they_are_not_kept(work: Embed) -> None:
    (row,) = rows(embed(examples([8]), replace(work, keep_units=False), SCHEMA))
    assert row["units"] is None
    assert (row["n_units"], row["dim"]) == (UNITS, DIM)


def test_model_batches_are_filled_across_input_batches_and_rows_keep_their_order(work: Embed) -> None:
    scorer = Arithmetic()
    found = rows(embed(examples(list(range(10)), rows=3), replace(work, scorer=scorer), SCHEMA))
    assert scorer.batches == [4, 4, 2]
    assert [row["example_id"] for row in found] == [f"id{value}" for value in range(10)]


def test_the_rows_do_not_depend_on_how_the_input_is_cut(work: Embed) -> None:
    values = list(range(11))
    assert rows(embed(examples(values, 1), work, SCHEMA)) == rows(embed(examples(values, 11), replace(work, batch_size=3), SCHEMA))


def test_a_non_finite_row_is_scored_again_in_float32_alone(work: Embed) -> None:
    retried = Arithmetic()
    made: list[int] = []

    def retry() -> Arithmetic:
        made.append(1)
        return retried

    found = rows(embed(examples([1, 2, 3, 4, 5, 2]), replace(work, scorer=Arithmetic(broken=2.0), retry=retry), SCHEMA))
    assert [row["error_code"] for row in found] == [None] * 6
    assert np.frombuffer(found[1]["pooled"], "<f2").tolist() == [2.0, 2.0]
    assert (retried.batches, made) == ([1, 1], [1])  # one doubtful row in each of two chunks, one scorer made for both


@pytest.mark.parametrize("retry", [None, lambda: Arithmetic(broken=2.0)])
def test_a_row_that_stays_non_finite_is_rejected_with_null_vectors(work: Embed, retry: Callable[[], Arithmetic] | None) -> None:
    found = rows(embed(examples([1, 2, 3]), replace(work, scorer=Arithmetic(broken=2.0), retry=retry), SCHEMA))
    assert [row["error_code"] for row in found] == [None, "nonfinite", None]
    assert [found[1][name] for name in ("pooled", "units", "n_units", "dim")] == [None] * 4
    assert found[1]["message"]


def test_a_value_beyond_half_precision_is_rejected_not_stored_as_infinity(work: Embed) -> None:
    # largest half is 65,504; 65,520 and more round to infinity: 255 * 256 = 65,280 fits, 256 * 257 = 65,535 does not
    found = rows(embed(examples([255]), replace(work, scorer=Arithmetic(scale=256.0)), SCHEMA))
    assert [row["error_code"] for row in found] == [None]
    found = rows(embed(examples([255]), replace(work, scorer=Arithmetic(scale=257.0)), SCHEMA))
    assert [row["error_code"] for row in found] == ["nonfinite"]


def test_a_picture_that_no_longer_decodes_is_rejected_and_its_neighbours_are_scored(work: Embed) -> None:
    good = examples([1, 2])
    bad = pa.record_batch({"example_id": ["bad"], "image": pa.array([b"no picture"], pa.binary())})
    found = rows(embed([*good, bad], work, SCHEMA))
    assert [row["error_code"] for row in found] == [None, None, "decode_error"]
    assert [row["error_code"] for row in rows(embed([bad], work, SCHEMA))] == ["decode_error"]


def test_batches_are_bounded_in_rows_and_bytes(work: Embed) -> None:
    per_row = (UNITS + 1) * DIM * 2  # units and pooled, two bytes each
    by_bytes = list(embed(examples(list(range(7))), replace(work, max_bytes=3 * per_row), SCHEMA))
    assert [batch.num_rows for batch in by_bytes] == [3, 3, 1]
    assert [batch.num_rows for batch in embed(examples(list(range(7))), replace(work, max_rows=5), SCHEMA)] == [5, 2]


def test_no_examples_give_no_batches(work: Embed) -> None:
    assert list(embed([], work, SCHEMA)) == []


def test_a_schema_with_a_column_that_is_not_computed_is_refused(work: Embed) -> None:
    with pytest.raises(ValueError, match="lacks colour"):
        list(embed(examples([1]), work, SCHEMA.append(pa.field("colour", pa.string()))))
