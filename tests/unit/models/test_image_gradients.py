"""Do gradients of pictures leave neighbours and the model alone, and is what was not asked properly refused?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.backbone import Backbone, resolve_backbone
from models.classifier import new_classifier
from models.errors import ArtifactError
from models.families import FAMILIES, family_named
from models.image_path import summed_over_pixels
from models.image_scorer import ImageScorer
from models.scorer import load_scorer

Make = Callable[..., Path]
KINDS = [family.name for family in FAMILIES]
PIXELS = np.random.default_rng(3).standard_normal((5, 3, 56, 56)).astype(np.float32) + 0.5
TARGETS = np.array([0, 2, 1, 1, 2])
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Broken(Exception):
    """Raised in the middle of a forward."""


def classifier(kind: str, saved: Make, path: Path) -> tuple[Backbone, torch.nn.Module]:
    backbone = resolve_backbone(str(saved(kind)))
    model = new_classifier(backbone, ["a", "b", "c"]).requires_grad_(False)
    save_file({name: t.clone() for name, t in model.state_dict().items() if name.startswith("classifier.")}, path)
    return backbone, model


@pytest.fixture
def scorer(saved: Make, tmp_path: Path) -> ImageScorer:
    return load_scorer(classifier("dinov2", saved, tmp_path / "m.safetensors")[0], tmp_path / "m.safetensors", "float32", 4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_has_the_same_bits_whatever_its_neighbours_are(kind: str, saved: Make, tmp_path: Path) -> None:
    scorer = load_scorer(classifier(kind, saved, tmp_path / "m.safetensors")[0], tmp_path / "m.safetensors", "float32", 4)
    for baseline in ("mean", "blur"):
        together = scorer.integrated_gradients(PIXELS, TARGETS, 3, baseline)
        alone = [scorer.integrated_gradients(PIXELS[row : row + 1], TARGETS[row : row + 1], 3, baseline) for row in range(5)]
        np.testing.assert_array_equal(together, np.concatenate(alone))
    maps = [own.maps for own in scorer.attention_maps(PIXELS)]
    alone = [own.maps for row in range(5) for own in scorer.attention_maps(PIXELS[row : row + 1])]
    np.testing.assert_array_equal(np.concatenate(maps), np.concatenate(alone))


def test_a_path_that_drops_patches_begins_at_zero(scorer: ImageScorer) -> None:
    dropped, zero, mean = (scorer.integrated_gradients(PIXELS, TARGETS, 3, baseline) for baseline in ("drop", "zero", "mean"))
    np.testing.assert_array_equal(dropped, zero)
    assert not np.allclose(zero, mean, rtol=0.05)


def test_the_picture_that_is_its_own_baseline_gained_nothing(scorer: ImageScorer) -> None:
    flat = np.full((1, 3, 56, 56), 0.5, dtype=np.float32)  # the mean of equal powers of two is exact
    np.testing.assert_array_equal(scorer.integrated_gradients(flat, TARGETS[:1], 3, "mean"), np.zeros((1, 16)))


@pytest.mark.parametrize("fails", [False, True], ids=["ends", "raises"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_model_is_left_as_it_was_also_after_an_exception(
    kind: str, fails: bool, saved: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, model = classifier(kind, saved, tmp_path / "m.safetensors")
    model.requires_grad_(True).train()
    model.classifier.eval()  # some parts in one mode, some in the other
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    modes = {name: module.training for name, module in model.named_modules()}
    if fails:
        monkeypatch.setattr(type(model.classifier), "forward", raise_broken)
    given = PIXELS.copy()
    try:
        summed_over_pixels(model, family_named(kind), given, TARGETS, 2, "mean", 14, 4, "cpu")
    except Broken:
        assert fails
    assert {name: module.training for name, module in model.named_modules()} == modes
    assert all(torch.equal(parameter.grad, torch.ones_like(parameter)) for parameter in model.parameters())
    assert not any(getattr(module, kind) for module in model.modules() for kind in HOOKS)
    np.testing.assert_array_equal(given, PIXELS)


def raise_broken(*_: object) -> torch.Tensor:
    raise Broken


def test_dropout_plays_no_part(saved: Make) -> None:
    backbone = resolve_backbone(str(saved("vit", hidden_dropout_prob=0.5)))
    model = new_classifier(backbone, ["a", "b", "c"]).requires_grad_(False)
    training, evaluated = (
        summed_over_pixels(model.train(mode), family_named("vit"), PIXELS, TARGETS, 2, "mean", 14, 4, "cpu") for mode in (True, False)
    )
    np.testing.assert_array_equal(training, evaluated)


def test_a_picture_that_is_no_number_spoils_no_other(scorer: ImageScorer) -> None:
    clean = scorer.integrated_gradients(PIXELS, TARGETS, 3, "mean")
    spoilt = PIXELS.copy()
    spoilt[2, 0, 0, 0] = np.nan
    found = scorer.integrated_gradients(spoilt, TARGETS, 3, "mean")
    assert np.isnan(found[2]).all()
    np.testing.assert_array_equal(np.delete(found, 2, axis=0), np.delete(clean, 2, axis=0))


def test_gradients_need_the_adapters_own_tensors_in_float32_beside_those_of_scoring(scorer: ImageScorer) -> None:
    head = 4 * (3 * 64 + 3)  # rows over CLS and mean patch of width 32, and biases
    assert scorer.own_bytes == head
    scorer.integrated_gradients(PIXELS[:1], TARGETS[:1], 1, "mean")
    assert scorer.own_bytes == 2 * head
    assert scorer.integrated_gradients(PIXELS[:0], TARGETS[:0], 1, "mean").shape == (0, 16)
    assert list(scorer.attention_maps(PIXELS[:0])) == []


def test_what_was_not_asked_properly_is_refused(scorer: ImageScorer, saved: Make) -> None:
    with pytest.raises(ValueError, match="at least 1 step"):
        scorer.integrated_gradients(PIXELS, TARGETS, 0, "mean")
    with pytest.raises(ValueError, match="baseline must be one of mean, zero, blur, drop, found 'mask'"):
        scorer.integrated_gradients(PIXELS, TARGETS, 2, "mask")
    with pytest.raises(ValueError, match="targets"):
        scorer.integrated_gradients(PIXELS, TARGETS + 1, 2, "mean")
    with pytest.raises(ValueError, match=r"float32\[n,3,56,56\]"):
        scorer.integrated_gradients(PIXELS[:, :, :42], TARGETS, 2, "mean")
    with pytest.raises(ArtifactError, match="head"):
        load_scorer(resolve_backbone(str(saved("dinov2"))), None, "float32", 4).integrated_gradients(PIXELS, TARGETS, 2, "mean")
