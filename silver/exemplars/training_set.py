"""Which examples do heads learn from and name? Their ids, labels and vectors as one folder that every task reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from models.atomic import write_folder
from models.errors import ArtifactError
from models.hashing import hash_of
from models.provenance.neighbours import unit
from models.stored_vectors import HALF, vectors_of
from silver.exemplars.manifest import TRAINING, TrainingManifest, checked, sealed, write_manifest

STAMP_SCHEMA = pa.schema([("fingerprint", pa.string()), ("n_train", pa.int64()), ("unknown", pa.list_(pa.string()))])
VECTORS = "vectors.safetensors"


@dataclass(frozen=True)
class TrainingExamples:
    """`ids` ascending, `labels` int64[N], `vectors` float32[N, dim]."""

    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    vectors: NDArray[np.float32]

    @cached_property
    def places(self) -> dict[str, int]:
        return {example_id: place for place, example_id in enumerate(self.ids)}

    @cached_property
    def directions(self) -> NDArray[np.float32]:
        """The vectors at length 1."""
        return unit(self.vectors)

    def closed(self, withdrawn: Iterable[str]) -> NDArray[np.bool_]:
        """bool[N]: examples that may not be named."""
        shut = np.zeros(len(self.ids), dtype=bool)
        shut[[self.places[example_id] for example_id in withdrawn if example_id in self.places]] = True
        return shut


def fingerprint_of(ids: Sequence[str], labels: Sequence[int]) -> str:
    """Hash of which examples these are and of their labels, whatever their order."""
    return hash_of(f"{example_id}\0{label}".encode() for example_id, label in sorted(zip(ids, labels, strict=True)))


def stamp(batches: Iterator[pa.RecordBatch], withdrawn: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """All (example_id, label_id) of the training examples -> one row: fingerprint, number, and which of `withdrawn` are none of them."""
    rows = [row for batch in batches for row in batch.to_pylist()]
    ids = [row["example_id"] for row in rows]
    unknown = sorted(set(withdrawn) - set(ids))
    told = {"fingerprint": fingerprint_of(ids, [row["label_id"] for row in rows]), "n_train": len(ids), "unknown": unknown}
    yield pa.RecordBatch.from_pylist([told], schema=STAMP_SCHEMA)


def collect(batches: Iterator[pa.RecordBatch], folder: Path, expected: str) -> Iterator[pa.RecordBatch]:
    """All (example_id, label_id, pooled) of the training examples -> the folder, whole or not at all; gives one row as `stamp` does."""
    rows = sorted((row for batch in batches for row in batch.to_pylist()), key=lambda row: str(row["example_id"]))
    ids, labels = tuple(str(row["example_id"]) for row in rows), [int(row["label_id"]) for row in rows]
    found = fingerprint_of(ids, labels)
    if found != expected:
        raise ArtifactError("training_mismatch", f"training examples changed while they were read ({found}, not {expected}): run again")
    half = torch.from_numpy(vectors_of([row["pooled"] for row in rows]).astype(HALF))

    def fill(pending: Path) -> None:
        save_file({"vectors": half}, pending / VECTORS)
        told = TrainingManifest(example_ids=ids, label_ids=tuple(labels), fingerprint=found, weights_sha256=sealed(pending / VECTORS))
        write_manifest(told, pending)

    with suppress(FileExistsError):  # another run was first, with the same
        write_folder(folder, fill)
    yield pa.RecordBatch.from_pylist([{"fingerprint": found, "n_train": len(ids), "unknown": []}], schema=STAMP_SCHEMA)


@lru_cache(maxsize=2)
def load(folder: Path, expected: str) -> TrainingExamples:
    """The examples of a folder, read once per process. Raises ArtifactError when it is damaged, or holds other examples than `expected`."""
    manifest, tensors = checked(folder, TrainingManifest, VECTORS, expected, TRAINING)
    vectors = tensors.get("vectors")
    if vectors is None or vectors.ndim != 2 or len(vectors) != len(manifest.example_ids):
        raise ArtifactError(
            "tensor_mismatch", f"{folder / VECTORS} must hold one vector per training example: remove the folder, run again"
        )
    return TrainingExamples(manifest.example_ids, np.asarray(manifest.label_ids, dtype=np.int64), vectors.float().numpy())
