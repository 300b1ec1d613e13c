"""Which texts train an adapter, with which priors, and how do tasks on other machines get them?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from models.atomic import write_folder
from models.hashing import canonical_json, hash_of
from models.training_data import FILE_NAME, check_labels, split_digest
from models.words import word_spans

Prior = Float32[NDArray[np.float32], " words"]
NORM_TOLERANCE = 1e-4  # float32 rounding over 10,000 words stays below a tenth of it
ENGINE = 2  # counts changes of the arithmetic of training: 2 pads a batch to its longest text


@dataclass(frozen=True)
class TextTrainingSet:
    """Texts, their label ids (positions in the dataset's ordered labels) and their example ids; and where a prior steers the training,
    one per text: for each word of the text (models.words) a number >= 0, together of L2 norm 1, or None for a text without a prior.

    Raises ValueError when the parts do not describe the same examples, and for a prior that is none, naming the example.
    """

    texts: tuple[str, ...]
    label_ids: Int64[NDArray[np.int64], " n"]
    example_ids: tuple[str, ...]
    priors: tuple[Prior | None, ...] | None = None

    def __post_init__(self) -> None:
        n = len(self.texts)
        if self.label_ids.dtype != np.int64 or self.label_ids.shape != (n,):
            raise ValueError(f"label_ids must be int64[{n}], found {self.label_ids.dtype}{list(self.label_ids.shape)}")
        if len(self.example_ids) != n or len(set(self.example_ids)) != n:
            raise ValueError(f"example_ids must be {n} distinct ids, found {len(self.example_ids)}, {len(set(self.example_ids))} distinct")
        if self.priors is not None:
            if len(self.priors) != n:
                raise ValueError(f"priors must be {n}, one per text or None for it, found {len(self.priors)}")
            for example_id, text, prior in zip(self.example_ids, self.texts, self.priors, strict=True):
                check_prior(example_id, text, prior)

    def __len__(self) -> int:
        return len(self.example_ids)

    def take(self, positions: Sequence[int] | np.ndarray) -> TextTrainingSet:
        """The examples at these positions, in this order."""
        index = np.asarray(positions, dtype=np.int64)
        return TextTrainingSet(
            tuple(self.texts[i] for i in index),
            self.label_ids[index],
            tuple(self.example_ids[i] for i in index),
            None if self.priors is None else tuple(self.priors[i] for i in index),
        )

    def with_priors(self, priors: Mapping[str, Prior]) -> TextTrainingSet:
        """The same examples, each with its prior by example id; a text that none is given for has none."""
        return replace(self, priors=tuple(priors.get(example_id) for example_id in self.example_ids))

    def save(self, folder: Path) -> None:
        """Write the set as a new folder holding one safetensors file, whole or not at all. Raises FileExistsError."""
        tensors = {"label_ids": torch.from_numpy(np.ascontiguousarray(self.label_ids))}
        tensors |= _packed("texts", self.texts) | _packed("example_ids", self.example_ids)
        if self.priors is not None:
            empty = np.zeros(0, dtype=np.float32)
            flat = [empty if prior is None else prior.astype(np.float32) for prior in self.priors]
            tensors["priors"] = torch.from_numpy(np.concatenate([empty, *flat]))
            tensors["prior_lengths"] = torch.tensor([len(prior) for prior in flat], dtype=torch.int64)
        write_folder(folder, lambda pending: save_file(tensors, pending / FILE_NAME))

    @staticmethod
    def load(folder: Path) -> TextTrainingSet:
        """A set that was saved. Raises ValueError where the parts are not of the same examples, and for a prior that is none."""
        tensors = load_file(folder / FILE_NAME)
        priors = None
        if "priors" in tensors:
            lengths, numbers = int(tensors["prior_lengths"].sum()), len(tensors["priors"])
            if lengths != numbers:
                raise ValueError(
                    f"{folder / FILE_NAME} must hold as many numbers as its priors are long, {lengths}, found {numbers}. Delete the folder "
                    "and run again."
                )
            parts = torch.split(tensors["priors"], tensors["prior_lengths"].tolist())
            priors = tuple(part.numpy() if len(part) else None for part in parts)  # every text has a word
        return TextTrainingSet(_unpacked("texts", tensors), tensors["label_ids"].numpy(), _unpacked("example_ids", tensors), priors)


def check_prior(example_id: str, text: str, prior: Prior | None) -> None:
    """Raise ValueError unless the prior has a finite number >= 0 for each word of the text and L2 norm 1."""
    if prior is None:
        return
    n_words = len(word_spans(text))
    if prior.shape != (n_words,):
        raise ValueError(f"example {example_id}: a prior must have one number per word, {n_words}, found shape {list(prior.shape)}")
    if not np.isfinite(prior).all() or (prior < 0).any():
        raise ValueError(f"example {example_id}: a prior must be finite and 0 or more, found {prior.tolist()[:5]}; leave it out if unknown")
    norm = float(np.sqrt(np.square(prior.astype(np.float64)).sum()))
    if abs(norm - 1) > NORM_TOLERANCE:
        raise ValueError(f"example {example_id}: a prior must have L2 norm 1, found {norm:.6g}: normalise it")


def text_fingerprint(labels: Sequence[str], buckets: Sequence[int], train: TextTrainingSet, val: TextTrainingSet) -> str:
    """Hash (128 bits, hex) of everything on the data's side that decides a trained adapter: ordered labels, the lengths inputs are padded
    to (the last one cuts), the number of the arithmetic, each split's ids, texts and label names, and the priors of training where there
    are any. The order in which examples are listed does not matter."""
    head = [label.encode() for label in labels] + [canonical_json({"buckets": list(buckets), "engine": ENGINE}).encode()]
    return hash_of([*head, *_digests("train", labels, train), *_digests("val", labels, replace(val, priors=None))])


def _digests(split: str, labels: Sequence[str], examples: TextTrainingSet) -> list[bytes]:
    check_labels(labels, examples)
    priors = examples.priors or (None,) * len(examples)
    rows = zip(examples.example_ids, examples.texts, examples.label_ids, priors, strict=True)
    return split_digest(split, ([i.encode(), t.encode(), labels[y].encode(), *_prior_bytes(p)] for i, t, y, p in rows))


def _prior_bytes(prior: Prior | None) -> list[bytes]:
    return [] if prior is None else [prior.astype("<f4").tobytes()]


def _packed(name: str, texts: Iterable[str]) -> dict[str, torch.Tensor]:
    parts = [text.encode() for text in texts]
    joined = torch.from_numpy(np.frombuffer(b"".join(parts), dtype=np.uint8).copy())
    return {name: joined, f"{name}_bytes": torch.tensor([len(part) for part in parts], dtype=torch.int64)}


def _unpacked(name: str, tensors: Mapping[str, torch.Tensor]) -> tuple[str, ...]:
    parts = torch.split(tensors[name], tensors[f"{name}_bytes"].tolist())
    return tuple(bytes(part.numpy()).decode() for part in parts)
