"""Does the verb of silver.attributions give what peers, enumeration and a model of known weights say, from text to stored row?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
import torch
from captum.attr import IntegratedGradients
from numpy.typing import NDArray
from safetensors.torch import save_file
from sklearn.linear_model import Ridge
from torch import nn

from lake.identity import rng
from lake.rows import Identity
from models.classifier import new_classifier
from models.scored_adapter import ScoredAdapter
from models.text_backbone import resolve_text_backbone
from models.text_families import text_family_named
from models.text_scoring import TextScoring
from models.texts import Texts
from silver.attribute import Attribution, attribute
from silver.methods import MethodSettings
from silver.settings import COMPUTED
from tests.text_folders import save_family
from xai.fits import CapFit, LimeFit
from xai.masks import Masking, drawn_masks

TEXTS = ("i lost my card", "which alarm is set", "lost", "please block my card 👍🏽 today")
IDS = tuple(f"t{row}" for row in range(len(TEXTS)))
ORDER = (2, 0, 1)  # the adapter's label 2 is the dataset's first


def rows_of(scoring: TextScoring, adapter: ScoredAdapter, methods: tuple[str, ...], settings: MethodSettings) -> dict[tuple[str, str], Any]:
    identity = Identity("d", "s", tuple({"adapter_id": adapter.adapter_id, "method": method} for method in methods))
    columns = {"example_id": list(IDS), "text": list(TEXTS), "todo": [list(range(len(methods)))] * len(TEXTS)}
    made = attribute(iter([pa.RecordBatch.from_pydict(columns)]), Attribution(scoring, (adapter,), identity, settings))
    return {(row["example_id"], row["method"]): row for part in made for row in part.to_pylist()}


@dataclass(frozen=True)
class Real:
    """A small RoBERTa with a head that answers, as the pipeline scores it and as the library's own model."""

    scoring: TextScoring
    adapter: ScoredAdapter
    model: nn.Module

    def asked(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits of one text's tokens by the library, in the dataset's label order."""
        with torch.no_grad():
            logits: torch.Tensor = self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        return logits[:, list(ORDER)]

    def naive(self, text: str, keep: NDArray[np.bool_], target: int, baseline: str = "mask") -> float:
        """p(target), one forward of one text: hidden words' tokens replaced by the mask token, or left out."""
        texts = self.scoring.prepare([text])
        hidden = torch.tensor([word >= 0 and not keep[word] for word in texts.word_of[0].tolist()])
        ids = torch.from_numpy(texts.ids)
        shown = ids[:, ~hidden] if baseline == "drop" else torch.where(hidden, texts.mask_id, ids)
        return float(self.asked(shown).softmax(dim=1)[0, target])


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Real:
    folder = tmp_path_factory.mktemp("real")
    backbone = resolve_text_backbone(str(save_family(folder / "roberta", "roberta")))
    model = new_classifier(backbone, ["x", "y", "z"], seed=4).requires_grad_(False)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("classifier."):
                parameter.mul_(20)
    save_file({n: t.clone() for n, t in model.state_dict().items() if n.startswith("classifier.")}, folder / "m.safetensors")
    return Real(TextScoring(backbone, "float32", 4, (16, 32)), ScoredAdapter("a", str(folder / "m.safetensors"), ORDER), model.eval())


def test_integrated_gradients_of_a_row_are_captums_summed_into_words(real: Real) -> None:
    rows = rows_of(real.scoring, real.adapter, ("ig",), MethodSettings(ig_steps=12))
    family = text_family_named("roberta")
    for name, text in zip(IDS, TEXTS, strict=True):
        texts = real.scoring.prepare([text])
        embedded = real.model.get_input_embeddings()(torch.from_numpy(texts.ids)).detach()

        def forward(points: torch.Tensor, texts: Texts = texts) -> torch.Tensor:
            attended = torch.from_numpy(texts.attended).repeat(len(points), 1)
            positions = family.positions(attended, real.model.config)
            return real.model(inputs_embeds=points, attention_mask=attended.long(), position_ids=positions).logits

        own = int(forward(embedded).argmax())
        found = IntegratedGradients(forward).attribute(
            embedded, torch.zeros_like(embedded), target=own, n_steps=12, method="riemann_middle"
        )
        expected = np.bincount(texts.word_of[0][texts.word_of[0] >= 0], weights=found.sum(-1)[0].numpy()[texts.word_of[0] >= 0])
        assert ORDER[rows[name, "ig"]["target_id"]] == own
        np.testing.assert_allclose(rows[name, "ig"]["values"], expected, atol=2e-5, rtol=1e-4)
        assert np.abs(expected).max() > 0.05


@pytest.mark.parametrize("baseline", ["mask", "drop"])
def test_shapley_values_of_a_row_are_the_mean_over_every_order_of_the_words(real: Real, baseline: str) -> None:
    rows = rows_of(real.scoring, real.adapter, ("kernel_shap", "occlusion"), MethodSettings(baseline=baseline))
    for name, text in list(zip(IDS, TEXTS, strict=True))[:3]:
        n_words, target = len(text.split()), rows[name, "kernel_shap"]["target_id"]
        assert target == int(real.asked(torch.from_numpy(real.scoring.prepare([text]).ids)).argmax())
        p: dict[frozenset[int], float] = {}

        def value(shown: frozenset[int], text: str = text, n: int = n_words, target: int = target, p: dict = p) -> float:
            if shown not in p:
                p[shown] = real.naive(text, np.isin(np.arange(n), list(shown)), target, baseline)
            return p[shown]

        expected = np.zeros(n_words)
        for order in permutations(range(n_words)):
            for place, word in enumerate(order):
                before = frozenset(order[:place])
                expected[word] += (value(before | {word}) - value(before)) / math.factorial(n_words)
        np.testing.assert_allclose(rows[name, "kernel_shap"]["values"], expected, atol=2e-6)
        whole = frozenset(range(n_words))
        lost = [value(whole) - value(whole - {word}) for word in range(n_words)]
        np.testing.assert_allclose(rows[name, "occlusion"]["values"], lost, atol=2e-6)
        assert np.abs(expected).max() > 1e-3


def test_lime_of_a_row_is_scikit_learns_weighted_ridge_over_the_same_draw(real: Real) -> None:
    settings = MethodSettings(masks=Masking(n=30), lime=LimeFit(ridge=0.5, width=0.4), seed=7)
    rows = rows_of(real.scoring, real.adapter, ("lime",), settings)
    for name, text in zip(IDS, TEXTS, strict=True):
        row, n_words = rows[name, "lime"], len(text.split())
        (masks,) = drawn_masks([rng(7, name, "masks")], np.ones((1, n_words), dtype=bool), settings.masks)
        p = [real.naive(text, keep, row["target_id"]) for keep in masks]
        weights = np.sqrt(np.exp(-(((1 - masks.mean(axis=1)) / 0.4) ** 2)))
        peer = Ridge(alpha=0.5).fit(masks.astype(float), p, sample_weight=weights)
        np.testing.assert_allclose(row["values"], peer.coef_, atol=2e-6)


class Bag:
    """What each word adds, whichever text it stands in; a word that is not listed adds nothing."""

    WEIGHTS: ClassVar[dict[str, float]] = {"lost": 0.3, "card": 0.2, "alarm": 0.25, "set": -0.1, "block": 0.15, "👍🏽": -0.05}

    @classmethod
    def of(cls, texts: Texts) -> NDArray[np.float64]:
        found = np.zeros(texts.included.shape)
        for row in range(len(texts)):
            found[row, texts.included[row]] = [cls.WEIGHTS.get(word, 0.0) for word in texts.words(row)]
        return found


@dataclass(frozen=True)
class BagScorer:
    """Two classes; p of the adapter's class 1 = link(what the visible words add). Attention is uniform."""

    link: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    device: str = "cpu"

    def _p(self, added: NDArray[np.float64], targets: NDArray[np.int64]) -> NDArray[np.float32]:
        p = self.link(added)
        return np.where(targets == 1, p, 1 - p).astype(np.float32)

    def logits(self, texts: Texts) -> NDArray[np.float32]:
        p = self.link(Bag.of(texts).sum(axis=1))
        return np.log(np.stack([1 - p, p], axis=1)).astype(np.float32)

    def explain(self, texts: Texts) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.logits(texts), (texts.included / texts.included.sum(axis=1, keepdims=True)).astype(np.float32)

    def integrated_gradients(self, texts: Texts, targets: NDArray[np.int64], steps: int) -> Any:
        sign = np.where(targets == 1, 1.0, -1.0)
        return type("Integrated", (), {"values": (sign[:, None] * Bag.of(texts)).astype(np.float32)})

    def value(self, texts: Texts, targets: NDArray[np.int64], baseline: str) -> Callable[..., NDArray[np.float32]]:
        weights = Bag.of(texts)
        return lambda rows, keep: self._p((weights[rows] * keep).sum(axis=1), targets[rows])


@dataclass(frozen=True)
class BagScoring(TextScoring):
    """Real texts through the real tokenizer, scored by a bag of words."""

    link: Callable[[NDArray[np.float64]], NDArray[np.float64]] = lambda added: added

    def scorer(self, adapter: ScoredAdapter | None = None, dtype: str | None = None) -> Any:
        return BagScorer(self.link)


def bag(folder: Path, link: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> BagScoring:
    return BagScoring(resolve_text_backbone(str(save_family(folder / "roberta", "roberta"))), "float32", 4, (16, 32), link=link)


FITS = MethodSettings(lime=LimeFit(ridge=1e-9), cap=CapFit(ridge=1e-9))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_every_method_finds_the_weights_of_a_bag_of_words(order: tuple[int, int], tmp_path: Path) -> None:
    methods = tuple(method for method in COMPUTED["text"] if method not in ("cap", "attention_rollout"))  # a bag has no layers
    rows = rows_of(bag(tmp_path, lambda added: 0.3 + added), ScoredAdapter("a", "", order), methods, FITS)
    for name, text in zip(IDS, TEXTS, strict=True):
        words = text.split()
        weights = np.array([Bag.WEIGHTS.get(word, 0.0) for word in words])
        speaks_for_one = 0.3 + weights.sum() > 0.5
        target = order.index(int(speaks_for_one))  # the adapter's class in the dataset's order
        sign = 1 if speaks_for_one else -1
        for method in methods:
            row = rows[name, method]
            assert row["target_id"] == target and row["words"] == words
            if method == "attention":
                np.testing.assert_allclose(row["values"], 1 / len(words))
            elif method != "lime" or len(words) > 1:  # one word, always shown, has no slope
                np.testing.assert_allclose(row["values"], sign * weights, atol=1e-6, err_msg=method)
                assert row["error"] == pytest.approx(0.0, abs=1e-5)  # float32's p leaves nothing else over
    assert {rows[name, "ig"]["target_id"] for name in IDS} == {0, 1}


def test_cap_finds_the_weights_of_a_bag_of_words_in_its_own_scale(tmp_path: Path) -> None:
    def link(added: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(-1 / np.maximum(10 * added, 1e-9))  # -1 / log p is ten times what the visible words add

    row = rows_of(bag(tmp_path, link), ScoredAdapter("a", "", (0, 1)), ("cap",), FITS)["t0", "cap"]
    assert row["target_id"] == 1 and row["words"] == ["i", "lost", "my", "card"]
    # "lost" and "card" add 3 and 2. With both hidden p is 0, cut to 1e-6, whose -1 / log p is 0.0724 in place of 0: not quite 3 and 2.
    np.testing.assert_allclose(row["values"], [0, 3, 0, 2], atol=0.1)
    (masks,) = drawn_masks([rng(0, "t0", "masks")], np.ones((1, 4), dtype=bool), FITS.masks)
    z = -1 / np.log(np.clip(link(masks @ [0.0, 0.3, 0.0, 0.2]), 1e-6, 0.99))
    np.testing.assert_allclose(row["values"], np.linalg.lstsq(masks.astype(float), z, rcond=None)[0], atol=1e-4)
