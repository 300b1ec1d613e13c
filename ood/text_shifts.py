"""How are texts attacked before an adapter sees them?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from lake.identity import rng, settings_id
from models.text_scoring import TextScoring
from models.texts import Texts
from models.words import word_spans
from ood.attack_settings import AttackSettings
from ood.attacks import ENGINE, Attacked, attack, by_name
from ood.keywords import Keywords
from ood.settings import CLEAN
from ood.shift import Shift

# (label, edited text) -> whether the text still has this label
KeepsLabel = Callable[[str, str], bool]
Labelled = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class TextShifts:
    """Attacks with the keywords of the training split. `labels`: the dataset's, in order. `keeps_label`: the proof that an edit leaves the
    label true, where the truth is known; None for the plain rules."""

    scoring: TextScoring
    attacks: AttackSettings
    keywords: Keywords
    labels: tuple[str, ...]
    keeps_label: KeepsLabel | None = None

    def settings(self) -> dict[str, object]:
        """Seed, keywords, whether edits are proved, and the version of the edits: what decides how a text is edited."""
        return {
            "attack_engine": ENGINE,
            "attack_seed": self.attacks.seed,
            "keywords": settings_id(self.keywords),
            "label_proof": self.keeps_label is not None,
        }

    def cells(self) -> tuple[tuple[str, int], ...]:
        """(attack, severity), clean first."""
        return self.attacks.cells()

    def by_name(self, name: str) -> Shift:
        """The record of an attack."""
        return by_name(name)

    def columns(self) -> tuple[str, ...]:
        """The text; its label comes with every batch."""
        return ("text",)

    def read(self, batch: pa.RecordBatch) -> Labelled:
        """(text, label) of each example."""
        names = [self.labels[label_id] for label_id in batch.column("label_id").to_pylist()]
        return list(zip(batch.column("text").to_pylist(), names, strict=True))

    def changed(self, read: Labelled, ids: Sequence[str], name: str, severity: int) -> Texts:
        """The edited texts; edits are keyed by the example, so every adapter meets the same text (paired design)."""
        return self.scoring.prepare(
            [self.attacked(*row, example_id, name, severity).edited for row, example_id in zip(read, ids, strict=True)]
        )

    def attacked(self, text: str, label: str, example_id: str, name: str, severity: int) -> Attacked:
        """One text under one attack, in words that the model reads; ("none", 0) leaves it alone.

        Of a text that is cut at the model's limit only the words that are read whole are attacked: as many of them, from the front, as the
        edits leave inside the limit.
        """
        if (name, severity) == CLEAN:
            return Attacked(text, text, "none", ())
        ends = [end for _, end in word_spans(text)]
        n_words = self._n_read(text)
        while n_words:
            reach = len(text) if n_words == len(ends) else ends[n_words - 1]
            found = self._attacked(text, reach, label, rng(self.attacks.seed, example_id, name, severity), name, severity)
            if len(word_spans(found.edited)) < len(ends):  # deleted words were read before
                return found
            if max(found.positions, default=-1) < (n_read := self._n_read(found.edited)):
                return found
            n_words = min(n_words - 1, n_read)
        return Attacked(text, text, "not_editable: no word whose edit the model reads", ())

    def _attacked(self, text: str, reach: int, label: str, generator: np.random.Generator, name: str, severity: int) -> Attacked:
        """The attack on the first `reach` characters, what follows unchanged behind them."""
        rest, proof = text[reach:], self.keeps_label
        preserves = None if proof is None else lambda edited: proof(label, edited + rest)
        found = attack(text[:reach], name, label, severity, generator, self.keywords, preserves)
        rule = found.rule if found.is_edited or not rest else f"{found.rule}, as far as the model reads"
        return Attacked(text, found.edited + rest, rule, found.positions)

    def _n_read(self, text: str) -> int:
        """How many words of a text, the first ones, are read whole: the last one inside a cut text may not be."""
        read = self.scoring.prepare([text])
        return int(read.included.sum() - read.truncated.sum())

    def value(self, name: str, severity: int) -> float | None:
        """The attack's leading parameter; None for the clean row."""
        return None if (name, severity) == CLEAN else by_name(name).value(severity)
