"""The cost table against counted forwards: every row that a net is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from gold.inversion.explain import direct, masked
from gold.inversion.pokes import UNTOUCHED, Poked, poked
from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.world import Setup
from lake.identity import rng
from models.probes import ConvNet, NetProbe, WordNet
from xai.fits import ShapleyFit
from xai.inversion import Linear, asked, kernel_shap_of, lime_of, occlusion_of
from xai.inversion.answers import Known, answered
from xai.inversion.costs import IN_WORDS, Poking, forwards, naive
from xai.inversion.marginals import marginals_of
from xai.masks import Masking, drawn_masks

UNITS, FEW, WIDTH = 16, 4, 4
SETTINGS = InversionSettings(pokes=3, repeats=2, masks=Masking(n=12, keep_probability=0.5), ig_steps=4, enumerate_up_to=FEW)
INPUTS = 1 + SETTINGS.pokes


class CountedConv(ConvNet):
    """Every forward, with a gradient or without, passes its pictures through the last map once."""

    rows = 0

    def last_map(self, inputs: torch.Tensor) -> torch.Tensor:
        self.rows += len(inputs)
        return super().last_map(inputs)


class CountedWords(WordNet):
    rows = 0

    def _answer(self, inputs: torch.Tensor, included: torch.Tensor, attentions: bool) -> Any:
        self.rows += len(inputs)
        return super()._answer(inputs, included, attentions)


def world(net: CountedConv | CountedWords, units: int) -> Poked:
    """One example whose intact forwards are over; what is asked from here on is counted."""
    inputs = np.random.default_rng(0).standard_normal((1, units, WIDTH)).astype(np.float32)
    ones = np.ones((units, WIDTH), dtype=np.float32)
    setup = Setup(NetProbe(net.eval()), inputs, np.ones((1, units), dtype=bool), 0, 0 * ones, inputs, ones, 1.0, 1.0)
    made = poked("costs", 0, setup, SETTINGS, ((UNTOUCHED, 0.0),), SETTINGS.repeats, 0.05)
    assert not made.is_regression
    net.rows = 0
    assert made.intact.given.shape == (1, INPUTS)
    assert net.rows == forwards("intact", Poking(units, INPUTS, SETTINGS.repeats))
    net.rows = 0
    return made


def masks(units: int) -> np.ndarray:
    return drawn_masks([rng(0, "costs", "masks")], np.ones((1, units), dtype=bool), SETTINGS.masks)


def many() -> Poking:
    drawn = masks(UNITS)[0, 1:]
    assert len(np.unique(drawn, axis=0)) == len(drawn)  # else a mask that is drawn twice is asked once
    return Poking(UNITS, INPUTS, SETTINGS.repeats, SETTINGS.masks.n, int(drawn.sum()), SETTINGS.ig_steps)


PLANS: dict[str, Callable[[int, np.ndarray], Linear]] = {
    "occlusion": lambda units, inside: occlusion_of(inside),
    "lime": lambda units, inside: lime_of(masks(units), inside),
    "kernel_shap": lambda units, inside: kernel_shap_of(masks(units), inside, ShapleyFit(enumerate_up_to=FEW)),
    "marginals": lambda units, inside: marginals_of(inside, [np.random.default_rng(0)], FEW),
}


@pytest.mark.parametrize(
    ("method", "units"),
    [*((name, UNITS) for name in ("occlusion", "lime", "kernel_shap", "marginals")), ("kernel_shap", FEW), ("marginals", FEW)],
)
def test_methods_that_ask_under_masks_cost_what_the_table_says(method: str, units: int) -> None:
    net, inside = CountedConv(units, WIDTH, 3), np.ones((1, units), dtype=bool)
    made = world(net, units)
    found = answered(made.output, asked({method: PLANS[method](units, inside)}, inside), Known(made.intact.given, made.intact.poked))
    at = many() if units == UNITS else Poking(FEW, INPUTS, SETTINGS.repeats, enumerated=True)
    assert net.rows == found.forwards == forwards(method, at)


@pytest.mark.parametrize("kind", [CountedConv, CountedWords])
def test_methods_that_look_inside_cost_what_the_table_says(kind: type[CountedConv] | type[CountedWords]) -> None:
    net = CountedConv(UNITS, WIDTH, 3) if kind is CountedConv else CountedWords(5, WIDTH, 3, heads=2)
    made, counted = world(net, UNITS), {}
    for name, _ in direct(made, SETTINGS):
        counted[name], net.rows = net.rows, 0
    own = {"ig", "grad_cam"} if kind is CountedConv else {"ig", "attention", "attention_rollout"}
    assert counted == {name: forwards(name, many()) for name in own} | {"output_echo": 0, "random": 0}


def test_several_methods_together_ask_less_than_each_alone() -> None:
    net = CountedConv(UNITS, WIDTH, 3)
    made = world(net, UNITS)
    found = masked(made, SETTINGS)
    assert net.rows == found.forwards < sum(forwards(method, many()) for method in PLANS)


def test_the_naive_way_explains_every_poke_anew() -> None:
    at = Poking(256)
    assert naive("occlusion", at) == 21 * (1 + 3 * 256) * 257
    assert naive("occlusion", at) / (forwards("occlusion", at) + forwards("intact", at)) > 190


def test_every_method_of_the_table_has_a_count_and_others_are_named() -> None:
    assert all(forwards(method, Poking(16)) > 0 for method in IN_WORDS)
    for function in (forwards, naive):
        with pytest.raises(ValueError, match="got 'ouija'"):
            function("ouija", Poking(16))
