"""What did a trained label scorer see? Written beside its weights, so that a prior that knows more than its target is found out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import ArtifactError
from models.hashing import hash_of
from models.label_scorer.training_settings import LabelScorerTraining
from models.strict_json import read_object

FILE_NAME = "label_scorer.json"
FORMAT: Literal[2] = 2
MAX_BYTES = 128 << 20  # a million texts are about 60 MB of hashes and labels


class Seen(BaseModel):
    """The labelled texts of a training set, without the texts: `labels` is the label space of the prompt, `texts` has of every distinct
    text its hash and the places in `labels` it was seen with, both ascending; `fingerprint` is the hash of all (text, label) pairs
    whatever their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: tuple[str, ...]
    examples_per_label: dict[str, int]
    n_examples: int
    texts: dict[str, tuple[int, ...]]
    fingerprint: str

    def among(self, texts: Iterable[Sequence[str]]) -> int:
        """How many of these texts it was trained on, whatever their label: must be 0 for validation and test."""
        return sum(text_id(words) in self.texts for words in texts)

    def beyond(self, texts: Iterable[Sequence[str]], true_labels: Iterable[str], labels: Iterable[str]) -> int:
        """On how many pairs of text and label of this label space it was trained that are none of these: above 0 for what a target is
        trained on, its prior is leaky. A scorer that saw the true label of a text whose label the target has wrong knows more than the
        target; one that saw texts under labels of another space does not."""
        asked = set(labels)
        own = {(text, self.labels[place]) for text, places in self.texts.items() for place in places if self.labels[place] in asked}
        return len(own - {(text_id(words), label) for words, label in zip(texts, true_labels, strict=True)})


class Record(BaseModel):
    """label_scorer.json: how the scorer was trained and what it saw."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[2] = FORMAT
    training: LabelScorerTraining
    seen: Seen


def text_id(words: Sequence[str]) -> str:
    """Hash (128 bits, hex) of a text given as words."""
    return hash_of(word.encode("utf-8", "surrogatepass") for word in words)


def seen_of(texts: Sequence[Sequence[str]], true_labels: Sequence[str], labels: Sequence[str]) -> Seen:
    """The record of a training set; labels without an example count 0."""
    ids = [text_id(words) for words in texts]
    counts = Counter(true_labels)
    pairs = sorted(zip(ids, true_labels, strict=True))
    places: dict[str, set[int]] = defaultdict(set)
    for text, label in pairs:
        places[text].add(labels.index(label))
    return Seen(
        labels=tuple(labels),
        examples_per_label={label: counts[label] for label in labels},
        n_examples=len(ids),
        texts={text: tuple(sorted(own)) for text, own in places.items()},
        fingerprint=hash_of(part.encode() for pair in pairs for part in pair),
    )


def read_record(folder: Path) -> Record | None:
    """What stands in the scorer's folder; None where there is nothing: a model from elsewhere, of which it is not known what it saw.

    Raises ArtifactError `bad_config` for a file of another format.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        return Record.model_validate(read_object(path, MAX_BYTES))
    except ValidationError as error:
        raise ArtifactError(
            "bad_config", f"{path} must be a label scorer's record of format {FORMAT}: {error}. Train the scorer again."
        ) from error
