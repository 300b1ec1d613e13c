"""Sentences of the intent grammar, whose decisive words are known, behind one neutral word that is the slot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.world import Inputs, PerUnit, Rows, Setup, World, told_by
from lake.identity import rng
from models.probes import NetProbe, ProbeTraining, WordNet, train_probe
from xai.worlds.grammar import LABELS, GrammarSettings, parse, texts

TRAINING = ProbeTraining(epochs=10, batch_size=64, learning_rate=5e-3)
WIDTH, LONGEST, TEST = 32, 9, 200
SLOT, UNKNOWN, NEUTRAL = 0, 0, 1  # the slot is the first word; ids of words that are not known and of the neutral one
EASY = GrammarSettings(
    rarity=2.5, topic_bait=0.03, act_bait=0.03, idioms=0.0, negation=0.05, turning=0.05, waking=0.05, context=0.3, foreign_context=0.05,
    adjectives=0.15, politeness=0.15,
)  # fmt: skip


def make(model: str, seed: int, n: int, settings: InversionSettings) -> Setup:
    """A WordNet of this seed, trained on sentences of at most nine words, asked about others; which are which is drawn with the seed."""
    drawn = texts(2 * (settings.trained_on + max(TEST, n)), 1, EASY)
    short = [(text.lower().split(), label, text) for text, label in drawn if len(text.split()) <= LONGEST]
    order = rng(seed, "grammar", "split").permutation(len(short))
    test, train = ([short[place] for place in part] for part in (order[: max(TEST, n)], order[max(TEST, n) :][: settings.trained_on]))
    known = {word: place + 2 for place, word in enumerate(sorted({word for words, *_ in train for word in words}))}
    ids, included = _ids([words for words, *_ in train], known)
    labels = torch.tensor([LABELS.index(label) for _, label, _ in train])
    amounts = torch.from_numpy(rng(seed, "grammar", "slot", "train").standard_normal((len(train), 1)).astype(np.float32))

    def batch_of(net: nn.Module, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return _embedded(net, ids[rows], amounts[rows]), included[rows]

    net = train_probe(lambda: WordNet(len(known) + 2, WIDTH, len(LABELS)), batch_of, labels, seed, TRAINING)
    probe = NetProbe(net, batch_size=2048)
    with torch.inference_mode():
        learned = _embedded(net, ids, amounts).numpy()
        asked_ids, inside = _ids([words for words, *_ in test], known)
        free = rng(seed, "grammar", "slot", "test").standard_normal((len(test), 1)).astype(np.float32)
        asked = _embedded(net, asked_ids, torch.from_numpy(free)).numpy()
        direction = _neutral(net).numpy()
    true_units = _true([text for *_, text in test], inside.numpy())
    told = probe.outputs(asked, inside.numpy())
    right = np.array([LABELS.index(label) for _, label, _ in test])
    mean = np.repeat(learned[included.numpy()].mean(axis=0, keepdims=True), learned.shape[1], axis=0)

    def oracle(inputs: Inputs, outputs: np.ndarray, rows: Rows) -> PerUnit:
        return told_by(outputs, true_units[rows])

    return Setup(
        probe=probe,
        inputs=asked[:n],
        included=inside.numpy()[:n],
        slot=SLOT,
        mean=mean,
        background=np.where(included.numpy()[..., None], learned, mean)[: settings.background],
        spread=np.zeros(learned.shape[1:], dtype=np.float32),
        output_sd=float(probe.outputs(learned, included.numpy()).max(axis=1).std()),
        score=float((told.argmax(axis=1) == right).mean()),
        true_units=true_units[:n],
        oracle=oracle,
        direction=direction,
        by_norm=True,
    )


def _ids(words: Sequence[Sequence[str]], known: dict[str, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids [n, 1 + longest] behind the neutral word, and which places are words."""
    ids = torch.zeros(len(words), 1 + LONGEST, dtype=torch.int64)
    included = torch.zeros(ids.shape, dtype=torch.bool)
    for row, text in enumerate(words):
        ids[row, : 1 + len(text)] = torch.tensor([NEUTRAL, *(known.get(word, UNKNOWN) for word in text)])
        included[row, : 1 + len(text)] = True
    return ids, included


def _embedded(net: nn.Module, ids: torch.Tensor, amounts: torch.Tensor) -> torch.Tensor:
    """Words' embeddings; the neutral word's by an amount that says nothing, so that nothing can be learned of it."""
    found: torch.Tensor = net.words(ids)  # type: ignore[operator]  # nn.Module's attributes have no type
    return torch.cat([amounts[:, :, None] * _neutral(net).expand_as(found[:, :1]), found[:, 1:]], dim=1)


def _neutral(net: nn.Module) -> torch.Tensor:
    """The neutral word's embedding at the mean length of all words': one that nothing is learned of would fade away."""
    table: torch.Tensor = net.words.weight  # type: ignore[union-attr,assignment]  # nn.Module's attributes have no type
    own = table[NEUTRAL]
    found: torch.Tensor = own / own.norm() * table.detach().norm(dim=1).mean()
    return found


def _true(sentences: Sequence[str], inside: np.ndarray) -> np.ndarray:
    """Words that decide, behind the neutral one, by the grammar's own parser."""
    found = np.zeros(inside.shape, dtype=bool)
    for row, text in enumerate(sentences):
        parsed = parse(text)
        if parsed is not None:
            found[row, [1 + place for place in parsed.decisive]] = True
    return found


WORLD = World("grammar", "text", ("roberta",), make)
