"""What does the bare backbone make of each example, stored in half precision?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bronze.bounded import MAX_BYTES, MAX_ROWS, bounded
from models.decode import DecodeLimits, decode
from models.errors import RejectedInput
from models.images import Preprocessing, normalise, to_model_resolution
from models.stored_vectors import HALF
from models.texts import Texts

HALF_END = 65_520  # half way from the largest half-precision number, 65,504, to the next power of two: rounds to infinity


class Embedder(Protocol):
    """A backbone without head."""

    def embed(self, inputs: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Prepared examples -> pooled [n, dim] and units [n, most units, dim]."""


class Reading(Protocol):
    """How a column of bronze.examples becomes inputs of an embedder."""

    @property
    def column(self) -> str: ...

    @property
    def chunk(self) -> int:
        """How many examples are handed to the embedder at once, in batches."""

    def read(self, content: Any) -> Any:
        """One example. Raises RejectedInput."""

    def inputs(self, read: list[Any]) -> Any:
        """Examples that were read, as the embedder takes them."""

    def units(self, inputs: Any) -> list[int] | None:
        """How many of the units are each example's own, the first ones; None: all."""

    def truncated(self, inputs: Any) -> list[bool] | None:
        """Which examples were cut at the model's limit; None where none can be."""


@dataclass(frozen=True)
class PictureReading:
    """Pictures at model resolution, normalised."""

    preprocessing: Preprocessing
    limits: DecodeLimits
    column: str = "image"
    chunk: int = 1

    def read(self, content: bytes) -> NDArray[np.uint8]:
        return to_model_resolution(decode(content, self.limits).image, self.preprocessing)

    def inputs(self, read: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return normalise(np.stack(read), self.preprocessing)

    def units(self, inputs: NDArray[np.float32]) -> None:
        """All pictures have as many."""

    def truncated(self, inputs: NDArray[np.float32]) -> None:
        """A picture is whole."""


@dataclass(frozen=True)
class TextReading:
    """Texts as `prepare` (models.text_scoring) tokenises them. Many batches at once: each is of one length bucket, and should be full."""

    prepare: Callable[[list[str]], Texts]
    column: str = "text"
    chunk: int = 16

    def read(self, content: str) -> str:
        return content

    def inputs(self, read: list[str]) -> Texts:
        return self.prepare(read)

    def units(self, inputs: Texts) -> list[int]:
        counts: list[int] = inputs.included.sum(axis=1).tolist()
        return counts

    def truncated(self, inputs: Texts) -> list[bool]:
        cut: list[bool] = inputs.truncated.tolist()
        return cut


@dataclass(frozen=True)
class Embed:
    """What defines and bounds the embeddings of one backbone.

    `retry`: makes the float32 scorer, called at most once and only when a row came out non-finite; None where scores are float32.
    `batch_size`: rows of a forward. `max_rows`, `max_bytes`: bounds of an output batch.
    """

    scorer: Embedder
    retry: Callable[[], Embedder] | None
    reading: Reading
    dataset: str
    backbone: str
    settings_id: str
    keep_units: bool
    batch_size: int = 32
    max_rows: int = MAX_ROWS
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True)
class _Vectors:
    pooled: NDArray[np.float16]  # [dim], little-endian
    units: NDArray[np.float16] | None  # [n_units, dim]; None unless they are kept: casting 2 MB a picture only to look is not free
    n_units: int
    truncated: bool | None
    finite: bool  # pooled and units, in half precision


_Input = tuple[str, Any, RejectedInput | None]


def embed(examples: Iterable[pa.RecordBatch], work: Embed, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Batches with `example_id` and `image` (encoded bytes) or `text` in, one row of `schema` out per example, in order.

    `schema`: bronze.embeddings with `error_code` and `message` behind. `pooled`, `units`: float16, little-endian, row by row.
    Where the vectors stay non-finite in float32, or go beyond half precision (65,504), the row has code `nonfinite` and null vectors.
    """
    return bounded(_rows(examples, work), schema, work.max_rows, work.max_bytes)


def _rows(examples: Iterable[pa.RecordBatch], work: Embed) -> Iterator[dict[str, Any]]:
    inputs = _inputs(examples, work)
    retry: Embedder | None = None
    while chunk := list(islice(inputs, work.batch_size * work.reading.chunk)):
        vectors = _embedded(work.scorer, chunk, work)
        doubtful = [item for item in chunk if item[0] in vectors and not vectors[item[0]].finite]
        if doubtful and work.retry is not None:
            retry = retry or work.retry()
            vectors |= _embedded(retry, doubtful, work)
        for example_id, _, refusal in chunk:
            yield _row(example_id, vectors.get(example_id), refusal, work)


def _inputs(examples: Iterable[pa.RecordBatch], work: Embed) -> Iterator[_Input]:
    for batch in examples:
        for example_id, content in zip(batch.column("example_id").to_pylist(), batch.column(work.reading.column), strict=True):
            try:
                read = work.reading.read(content.as_py())
            except RejectedInput as refusal:  # the limits may have been lowered since the example was read
                yield example_id, None, refusal
            else:
                yield example_id, read, None


def _embedded(scorer: Embedder, chunk: list[_Input], work: Embed) -> dict[str, _Vectors]:
    readable = {example_id: read for example_id, read, _ in chunk if read is not None}
    if not readable:
        return {}
    inputs = work.reading.inputs(list(readable.values()))
    pooled, units = scorer.embed(inputs)
    own = work.reading.units(inputs) or [units.shape[1]] * len(readable)
    cut: Sequence[bool | None] = work.reading.truncated(inputs) or [None] * len(readable)
    finite = _fits(pooled) & _fits(units)
    with np.errstate(over="ignore"):  # beyond half precision becomes inf: `finite` says so
        kept = [row[:n] for row, n in zip(units.astype(HALF), own, strict=True)] if work.keep_units else [None] * len(readable)
        rows = zip(pooled.astype(HALF), kept, own, cut, finite, strict=True)
    return {example_id: _Vectors(p, u, n, c, bool(f)) for example_id, (p, u, n, c, f) in zip(readable, rows, strict=True)}


def _fits(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Per example: every number is finite in half precision too. NaN is below nothing."""
    largest: NDArray[np.float32] = np.abs(vectors).reshape(len(vectors), -1).max(axis=1)
    return np.asarray(largest < HALF_END)


def _row(example_id: str, vectors: _Vectors | None, refusal: RejectedInput | None, work: Embed) -> dict[str, Any]:
    row: dict[str, Any] = {"dataset": work.dataset, "example_id": example_id, "backbone": work.backbone, "settings_id": work.settings_id}
    row |= dict.fromkeys(("pooled", "units", "n_units", "dim", "truncated", "error_code", "message"))
    if vectors is None:
        code, message = (refusal.code, refusal.message) if refusal else ("decode_error", "nothing to read")
        return row | {"error_code": code, "message": message}
    if not vectors.finite:
        message = "embedding must be finite and within 65,504 also in float32: check the backbone's weights"
        return row | {"error_code": "nonfinite", "message": message}
    units = None if vectors.units is None else vectors.units.tobytes()
    row["truncated"] = vectors.truncated
    return row | {
        "pooled": vectors.pooled.tobytes(),
        "units": units,
        "n_units": vectors.n_units,
        "truncated": vectors.truncated,
        "dim": vectors.pooled.size,
    }
