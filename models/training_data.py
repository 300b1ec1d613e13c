"""Which pictures train an adapter, and how do tasks on other machines get them?"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from safetensors import safe_open
from safetensors.torch import save_file

from models.atomic import write_folder
from models.errors import ArtifactError
from models.hashing import hash_of, seed_of
from models.images import Preprocessing

FILE_NAME = "examples.safetensors"


@dataclass(frozen=True)
class TrainingSet:
    """Pictures at the model's resolution (or at the crop's, see `Augmentation`), their label ids (positions in the dataset's
    ordered labels) and their example ids. Raises ValueError when the three do not describe the same examples."""

    images: UInt8[np.ndarray, "n s s 3"]
    label_ids: Int64[np.ndarray, " n"]
    example_ids: tuple[str, ...]

    def __post_init__(self) -> None:
        shape = self.images.shape
        if self.images.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or shape[1] != shape[2]:
            raise ValueError(f"images must be uint8[n, s, s, 3], found {self.images.dtype}{list(shape)}")
        if self.label_ids.dtype != np.int64 or self.label_ids.shape != shape[:1]:
            raise ValueError(f"label_ids must be int64[{shape[0]}], found {self.label_ids.dtype}{list(self.label_ids.shape)}")
        if len(self.example_ids) != shape[0] or len(set(self.example_ids)) != shape[0]:
            found = f"{len(self.example_ids)}, {len(set(self.example_ids))} of them distinct"
            raise ValueError(f"example_ids must be {shape[0]} distinct ids, found {found}")

    def __len__(self) -> int:
        return len(self.example_ids)

    def take(self, positions: Sequence[int] | np.ndarray) -> TrainingSet:
        """The examples at these positions, in this order."""
        index = np.asarray(positions, dtype=np.int64)
        return TrainingSet(self.images[index], self.label_ids[index], tuple(self.example_ids[i] for i in index))

    def save(self, folder: Path) -> None:
        """Write the set as a new folder holding one safetensors file, whole or not at all. Raises FileExistsError."""
        tensors = {
            "images": torch.from_numpy(np.ascontiguousarray(self.images)),
            "label_ids": torch.from_numpy(np.ascontiguousarray(self.label_ids)),
            "example_ids": torch.frombuffer(bytearray("\n".join(self.example_ids).encode()), dtype=torch.uint8)
            if self.example_ids
            else torch.empty(0, dtype=torch.uint8),
        }
        write_folder(folder, lambda pending: save_file(tensors, pending / FILE_NAME))

    @staticmethod
    def load(folder: Path) -> TrainingSet:
        """Map a saved set: the pictures are read from the file as they are touched, so many tasks of one machine share its pages."""
        with safe_open(folder / FILE_NAME, framework="pt") as file:
            ids = bytes(file.get_tensor("example_ids").numpy()).decode()
            images, label_ids = file.get_tensor("images").numpy(), file.get_tensor("label_ids").numpy()
        return TrainingSet(images, label_ids, tuple(ids.split("\n")) if ids else ())


class Examples(Protocol):
    """Examples of either modality: their ids, label ids, and any of them in any order."""

    @property
    def example_ids(self) -> tuple[str, ...]: ...
    @property
    def label_ids(self) -> Int64[np.ndarray, " n"]: ...
    def __len__(self) -> int: ...
    def take(self, positions: Sequence[int] | np.ndarray) -> Self: ...


Set = TypeVar("Set", bound=Examples)


def in_canonical_order(examples: Set) -> Set:
    """The set sorted by example id: training then depends on which examples there are, not on how they were listed."""
    return examples.take(sorted(range(len(examples)), key=examples.example_ids.__getitem__))


def keep_share(examples: Set, share: float) -> Set:
    """The ceil(share * n) examples whose ids hash lowest, in canonical order. Fixed by content, and nested: what a smaller share
    keeps, a larger one keeps too."""
    if share >= 1:
        return in_canonical_order(examples)
    ranked = sorted(range(len(examples)), key=lambda i: seed_of("train_share", examples.example_ids[i]))
    return in_canonical_order(examples.take(ranked[: math.ceil(share * len(examples))]))


def fingerprint(labels: Sequence[str], preprocessing: Preprocessing, train: TrainingSet, val: TrainingSet) -> str:
    """Hash (128 bits, hex) of everything on the data's side that decides a trained adapter: ordered labels, preprocessing, and each
    split's ids, pictures and label names. The order in which examples are listed does not matter."""
    head = [label.encode() for label in labels] + [preprocessing.model_dump_json().encode()]
    return hash_of([*head, *_digests("train", labels, train), *_digests("val", labels, val)])


def check_labels(labels: Sequence[str], examples: Examples) -> None:
    """Raise ArtifactError `label_unknown` when a label id has no label."""
    if len(examples) and not 0 <= examples.label_ids.min() <= examples.label_ids.max() < len(labels):
        found = f"{examples.label_ids.min()} to {examples.label_ids.max()}"
        raise ArtifactError("label_unknown", f"label ids must be 0 to {len(labels) - 1}, found {found}: give every label of the data")


def _digests(split: str, labels: Sequence[str], examples: TrainingSet) -> list[bytes]:
    check_labels(labels, examples)
    rows = zip(examples.example_ids, examples.images, examples.label_ids, strict=True)
    return split_digest(
        split, ([i.encode(), str(x.shape).encode(), np.ascontiguousarray(x).tobytes(), labels[y].encode()] for i, x, y in rows)
    )


def split_digest(split: str, examples: Iterable[Sequence[bytes]]) -> list[bytes]:
    """Name of a split and the hash of its examples, each as its parts; their order does not matter."""
    return [split.encode(), hashlib.sha256("".join(sorted(hash_of(parts) for parts in examples)).encode()).digest()]
