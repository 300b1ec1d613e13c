"""Does each row of group inversion say what a loop over pokes says of that example alone, for pictures and for texts?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import pearsonr

from lake.identity import rng
from models.scored_adapter import ScoredAdapter
from silver.explainers import block_of, explained
from silver.settings import COMPUTED
from tests.unit.silver.inversion_rows import (
    CONTROLS,
    INVERSION,
    asked,
    batch,
    inverted_rows,
    picture_scoring,
    pictures,
    settings_of,
    stored,
)
from tests.unit.silver.text_rows import TEXTS
from xai.attribution import cap, kernel_shap, lime, occlusion, random

K, REPEATS, SIZE = INVERSION.pokes, INVERSION.repeats, INVERSION.magnitude


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, tuple[ScoredAdapter, ...]]:
    return picture_scoring(tmp_path_factory.mktemp("pictures"))


def noise_of(scoring: Any, inputs: Any, name: str, unit: int | None, number: int) -> np.ndarray:
    key = ("poke", "all" if unit is None else unit, number)
    return scoring.noise(inputs, unit, rng(INVERSION.seed, name, *key))[None]


class Twin:
    """One example under one adapter, one poke after another; every answer of the model is asked for alone."""

    def __init__(self, scoring: Any, adapter: ScoredAdapter, content: Any, name: str, entries: list[dict[str, Any]]) -> None:
        self.scoring, self.adapter, self.name = scoring, adapter, name
        self.inputs = scoring.prepare([content])
        self.target = entries[0]["target_id"]
        self.n = len(entries[0]["values"])
        self.baseline = "mean" if scoring.column == "image" else "mask"

    def p(self, unit: int | None = None, number: int = 0, poked: bool = True) -> float:
        z = noise_of(self.scoring, self.inputs, self.name, unit, number)
        logits = self.scoring.logits(self.adapter, self.scoring.poked(self.inputs, z if poked else 0 * z, SIZE))
        self.predicted = int(logits[0].argmax())
        return float(softmax(logits[0].astype(float))[self.target])

    def value(self, unit: int | None, number: int, poked: bool = True):
        z = noise_of(self.scoring, self.inputs, self.name, unit, number) if poked else None
        targets = np.array([self.target])
        if z is None:
            flat = self.scoring.value(self.adapter, self.inputs, targets, self.baseline)
            return lambda keep: np.concatenate([flat(np.zeros(1, dtype=np.int64), mask[None]) for mask in keep[0]])[None]
        flat = self.scoring.poked_value(
            self.adapter, self.inputs, targets, self.baseline, lambda rows, pokes: np.repeat(z, len(rows), axis=0), SIZE
        )
        zero = np.zeros(1, dtype=np.int64)
        return lambda keep: np.concatenate([flat(zero, zero, mask[None]) for mask in keep[0]])[None]

    def attribution(self, method: str, unit: int | None, number: int) -> np.ndarray:
        if method == "random":
            key = ("random", "all" if unit is None else unit, number)
            return random([rng(3, self.name, *key)], self.n)[0]
        if method == "output_echo":
            return np.full(self.n, self.p(unit, number) / self.n)
        included, settings = np.ones((1, self.n), dtype=bool), settings_of(self.scoring)
        if method in ("occlusion", "lime", "kernel_shap", "cap"):
            clean = block_of(self.scoring, self.adapter, self.inputs, [self.name], (method,), settings)
            told = {
                "occlusion": lambda value: occlusion(value, included),
                "lime": lambda value: lime(value, clean.masks, included, settings.lime),
                "kernel_shap": lambda value: kernel_shap(value, clean.masks, included, settings.shapley),
                "cap": lambda value: cap(value, clean.masks, included, settings.cap),
            }
            return told[method](self.value(unit, number)).values[0]
        z = noise_of(self.scoring, self.inputs, self.name, unit, number)
        poked = self.scoring.poked(self.inputs, z, SIZE)
        block = block_of(self.scoring, self.adapter, poked, [self.name], (method,), settings, np.array([self.target]))
        return explained(block, method).values[0]

    def figures(self, method: str, given: np.ndarray) -> dict[str, float]:
        clean = self.p(None, 0, poked=False)
        a = given.astype(float)
        if method == "random":
            a = random([rng(3, self.name, "random")], self.n)[0].astype(float)
        if method == "output_echo":
            a = np.full(self.n, clean / self.n)
        moves = [np.linalg.norm(self.attribution(method, None, i) - a) for i in range(K)]
        r = abs(pearsonr(moves, [abs(self.p(None, i) - clean) for i in range(K)]).statistic)
        value = self.value(None, 0, poked=False)
        hidden = [float(value((np.arange(self.n) != unit)[None, None])[0, 0]) for unit in range(self.n)]
        effect = np.abs(float(value(np.ones((1, 1, self.n), dtype=bool))[0, 0]) - np.array(hidden))
        f = 0.0 if method == "output_echo" else max(0.0, pearsonr(np.abs(a), effect).statistic)
        deltas, n_kept = [], 0
        for unit in range(self.n):
            own = []
            for i in range(REPEATS):
                self.p(unit, i)
                if self.predicted == self.target:
                    own.append(abs(self.attribution(method, unit, i)[unit] - a[unit]))
            n_kept += len(own)
            deltas.append(np.mean(own) / np.abs(a).mean() if own else 0.0)
        refined = a / (1 + np.array(deltas))
        return {
            "reliance": r,
            "faithfulness": f,
            "inversion_score": ((r**2 + (1 - f) ** 2) / 2) ** 0.5,
            "rbp_mean_delta": np.mean(deltas),
            "rbp_mass_kept": np.abs(refined).sum() / np.abs(a).sum(),
            "rbp_rejected": 1 - n_kept / (self.n * REPEATS),
        }


def checked(scoring: Any, adapter: ScoredAdapter, contents: tuple[Any, ...], methods: tuple[str, ...], row: int) -> list[dict[str, float]]:
    entries = stored(scoring, (adapter,), contents, methods)
    names = (*methods, *CONTROLS)
    found = inverted_rows(scoring, (adapter,), [batch(scoring, contents, entries, len(names))], names, asked(scoring, methods))
    assert len(found) == len(contents) * len(names)
    twin = Twin(scoring, adapter, contents[row], f"t{row}", entries[row])
    given = {entry["method"]: np.array(entry["values"], dtype=np.float32) for entry in entries[row]}
    told = []
    for method in names:
        metrics = dict(found[f"t{row}", adapter.adapter_id, method]["metrics"])
        expected = twin.figures(method, given.get(method, np.zeros(twin.n)))
        # attributions are float32 and differences of a few percent of them: 1e-3 of a correlation
        assert metrics == pytest.approx(expected, abs=2e-3), method
        told.append(metrics)
    return told


def test_of_a_text_every_method_has_the_figures_of_a_loop_over_its_pokes(scoring, adapters) -> None:
    told = checked(scoring, adapters[1], TEXTS, COMPUTED["text"], 1)
    assert len({round(metrics["reliance"], 6) for metrics in told}) == len(told)  # they are told apart
    echo = told[-1]
    assert echo["reliance"] == pytest.approx(1.0) and echo["faithfulness"] == 0.0 and echo["inversion_score"] == pytest.approx(1.0)


def test_of_a_picture_every_method_has_the_figures_of_a_loop_over_its_pokes(seeing) -> None:
    scoring, adapters = seeing
    told = checked(scoring, adapters[1], pictures(), COMPUTED["image"], 2)
    assert told[-1]["reliance"] == pytest.approx(1.0) and told[-1]["faithfulness"] == 0.0
    assert all(metrics["rbp_mean_delta"] > 0 for metrics in told)
