"""What would the ingest make of every text of a source? Read and judged by the run's own verbs, nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from bronze.assign import assign
from bronze.build import Source
from bronze.ingest import Ingest, ingest
from bronze.readers import reader_named
from bronze.reference import Listing, batches
from bronze.specs import OUTSIDE, PLACES
from lake.progress import Progress
from models.label_scorer.settings import LabelPrompt
from silver.priors.scorers import shown_bytes
from silver.priors.words import words_of

TRAIN = "adapter_train"
CONFLICT = "label_conflict"
LONG = "text_truncated"


@dataclass(frozen=True)
class Text:
    """One text of a source as it was read, with its class and its identity in the lake."""

    example_id: str
    text: str
    label: str
    label_id: int


@dataclass
class Judged:
    """`n_places`: references, refused ones too. `codes`: error code -> places rejected; `reasons`: error code -> where it was first met,
    and its message. `labels`, `splits`: examples, each content once, outside ones in `splits` alone. `n_again`: places of a content that
    stood before. `n_long`: texts of more words than BERT and RoBERTa have positions for. `drawn`: those of a class with the lowest hashes.
    `fewest_bytes`: of the training text that takes the least in the label scorer's prompt; None without one.
    """

    n_places: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    labels: Counter[str | None] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    n_again: int = 0
    n_long: int = 0
    drawn: tuple[Text, ...] = ()
    fewest_bytes: int | None = None

    def reject(self, code: str, place: str, message: str) -> None:
        self.codes[code] += 1
        self.reasons.setdefault(code, f"{place}: {message}")


@dataclass
class _Content:
    """What is known of one content: where it stood first, its labels, the split that wins, its bytes in a prompt, and in how many places it
    stands."""

    place: str
    labels: tuple[str, ...]
    rank: int
    n_bytes: int
    n: int = 1

    @property
    def torn(self) -> bool:
        return len(self.labels) > 1


@dataclass
class _Lowest:
    """The `n` texts with the lowest ids so far."""

    n: int
    texts: dict[str, Text] = field(default_factory=dict)
    highest: str = ""

    def offer(self, row: dict[str, Any]) -> None:
        own: str = row["example_id"]
        if len(self.texts) == self.n and own >= self.highest:
            return
        self.texts[own] = Text(own, row["text"], row["label"], row["label_id"])
        if len(self.texts) > self.n:
            del self.texts[self.highest]
        self.highest = max(self.texts)


def judged(source: Source, listing: Listing, labels: tuple[str, ...], n_drawn: int, prompt: LabelPrompt) -> Judged:
    """Every text read, decoded, and given its split; of one content under two labels every place is rejected, as the ingest does it.
    `prompt`: in which the texts are measured."""
    found, contents, lowest = Judged(), dict[str, _Content](), _Lowest(n_drawn)
    with Progress(f"reading texts of {source.root}"):
        for row in _rows(source, listing, labels):
            found.n_places += 1
            if row["kind"] == "rejected":
                found.reject(row["error_code"], row["source_path"], row["message"])
                continue
            _note(contents, row, prompt)
            found.n_long += LONG in row["notes"]
            if row["label"] in labels:
                lowest.offer(row)
    _settle(found, contents.values())
    found.drawn = tuple(text for name, text in sorted(lowest.texts.items()) if not contents[name].torn)
    return found


def _rows(source: Source, listing: Listing, labels: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    own = source.source
    work = Ingest(reader_named(own.reader), source.root, source.limits, source.dataset, "check")
    found: Iterable[pa.RecordBatch] = ingest(batches(listing), work)
    for batch in assign(found, labels, source.splits, own.split_map, own.outside_labels):
        yield from batch.to_pylist()


def _note(contents: dict[str, _Content], row: dict[str, Any], prompt: LabelPrompt) -> None:
    known = contents.get(row["example_id"])
    if known is None:
        n_bytes = shown_bytes(prompt, words_of(row["text"]))
        contents[row["example_id"]] = _Content(row["source_path"], (row["label"],), row["split_rank"], n_bytes)
        return
    known.n += 1
    if row["label"] not in known.labels:
        known.labels += (row["label"],)
    known.rank = min(known.rank, row["split_rank"])


def _settle(found: Judged, contents: Iterable[_Content]) -> None:
    for content in contents:
        if content.torn:
            for _ in range(content.n):
                found.reject(CONFLICT, content.place, f"the same text has the labels {', '.join(content.labels)}")
            continue
        found.splits[PLACES[content.rank]] += 1
        found.labels[content.labels[0]] += PLACES[content.rank] != OUTSIDE
        found.n_again += content.n - 1
        if PLACES[content.rank] == TRAIN:
            found.fewest_bytes = min(content.n_bytes, content.n_bytes if found.fewest_bytes is None else found.fewest_bytes)
    found.labels = +found.labels  # without outside labels, of which 0 were counted
