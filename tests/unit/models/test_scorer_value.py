"""Is v(keep) the probability of the target on the picture whose removed patches were filled, or left out?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.backbone import new_classifier, resolve_backbone
from models.baselines import baseline_pixels
from models.families import FAMILIES
from models.image_scorer import ImageScorer
from models.scorer import load_scorer
from tests.naive_forward import encoded

Make = Callable[..., Path]
LABELS = ["a", "b", "c"]


def pictures(n: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((n, 3, 56, 56)).astype(np.float32) + 0.5


def classifier(kind: str, saved: Make, path: Path, batch_size: int = 8, dtype: str = "float32") -> tuple[ImageScorer, torch.nn.Module]:
    backbone = resolve_backbone(str(saved(kind)))
    model = new_classifier(backbone, LABELS).requires_grad_(False)
    model.classifier.weight.mul_(20)  # a fresh head answers a third to everything
    save_file({name: t.clone() for name, t in model.state_dict().items() if name.startswith("classifier.")}, path)
    return load_scorer(backbone, path, dtype, batch_size), model


def masks(m: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(4)
    return generator.integers(0, 3, m), generator.random((m, 16)) < generator.random((m, 1))


@pytest.mark.parametrize("baseline", ["mean", "zero", "blur"])
@pytest.mark.parametrize("kind", [family.name for family in FAMILIES])
def test_filling_tokens_is_filling_the_picture(kind: str, baseline: str, saved: Make, tmp_path: Path) -> None:
    """Naive twin: fill the removed squares of 14 x 14 pixels one by one, then the model's own forward and softmax."""
    scorer, model = classifier(kind, saved, tmp_path / "m.safetensors")
    pixels, targets = pictures(3), np.array([0, 2, 1])
    rows, keep = masks(21)
    fill = baseline_pixels(torch.from_numpy(pixels), baseline, 14)
    expected = []
    for row, kept in zip(rows, keep, strict=True):
        picture = torch.from_numpy(pixels[row]).clone()
        for unit in np.flatnonzero(~kept):
            square = (slice(None), slice(unit // 4 * 14, unit // 4 * 14 + 14), slice(unit % 4 * 14, unit % 4 * 14 + 14))
            picture[square] = fill[row][square]
        expected.append(float(model(picture[None]).logits.softmax(1)[0, targets[row]]))
    found = scorer.value(pixels, targets, baseline)(rows, keep)
    assert (found.shape, found.dtype) == ((21,), np.float32)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)
    assert np.std(expected) > 0.01


@pytest.mark.parametrize("kind", [family.name for family in FAMILIES])
def test_dropping_is_the_forward_without_these_tokens(kind: str, saved: Make, tmp_path: Path) -> None:
    scorer, model = classifier(kind, saved, tmp_path / "m.safetensors")
    family = next(family for family in FAMILIES if family.name == kind)
    pixels, targets = pictures(3), np.array([0, 2, 1])
    rows, keep = masks(21)
    keep[0], keep[1] = True, False
    found = scorer.value(pixels, targets, "drop")(rows, keep)
    for row, kept, value in zip(rows, keep, found, strict=True):
        tokens = family.patch_tokens(model, torch.from_numpy(pixels[row : row + 1]))
        logits = family.head(model, encoded(family, model, tokens, torch.from_numpy(kept)[None]))
        assert value == pytest.approx(float(logits.softmax(1)[0, targets[row]]), abs=1e-5)


@pytest.mark.parametrize("baseline", ["mean", "zero", "blur", "drop"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_keeping_all_is_the_models_probability_and_masks_do_not_disturb_each_other(
    baseline: str, dtype: str, saved: Make, tmp_path: Path
) -> None:
    scorer, _ = classifier("dinov2", saved, tmp_path / "m.safetensors", dtype=dtype)
    pixels, targets = pictures(3), np.array([0, 2, 1])
    value = scorer.value(pixels, targets, baseline)
    everything = value(np.arange(3), np.ones((3, 16), dtype=bool))
    logits = torch.from_numpy(scorer.logits(pixels)).softmax(1).numpy()
    np.testing.assert_allclose(everything, logits[np.arange(3), targets], atol=1e-6, rtol=0)
    rows, keep = masks(21)
    together = value(rows, keep)
    assert np.array_equal(together, np.concatenate([value(rows[i : i + 1], keep[i : i + 1]) for i in range(21)]))
    assert np.array_equal(together[::-1], value(rows[::-1], keep[::-1]))


@pytest.mark.parametrize(("baseline", "alike"), [("zero", True), ("drop", True), ("mean", False), ("blur", False)])
def test_nothing_visible_is_one_forward_per_scorer_where_all_pictures_look_alike_then(
    baseline: str, alike: bool, saved: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, _ = classifier("dinov2", saved, tmp_path / "m.safetensors")
    rows, keep = np.repeat(np.arange(3), 2), np.zeros((6, 16), dtype=bool)
    keep[1::2, :9] = True
    first = scorer.value(pictures(3), np.array([0, 2, 1]), baseline)(rows, keep)
    asked: list[int] = []
    encode = type(scorer.encoder).__call__
    monkeypatch.setattr(type(scorer.encoder), "__call__", lambda self, hidden: asked.append(len(hidden)) or encode(self, hidden))
    again = scorer.value(pictures(3) + 1, np.array([1, 2, 1]), baseline)
    empty = again(rows[::2], keep[::2])
    assert len(asked) == (0 if alike else 1)
    assert (empty[1:].tolist() == first[2::2].tolist()) is alike  # pictures 1 and 2 have their targets of before
    assert empty[0] != first[0]  # picture 0 has another


def test_no_mask_gives_no_value_and_no_picture_is_allowed(saved: Make, tmp_path: Path) -> None:
    scorer, _ = classifier("dinov2", saved, tmp_path / "m.safetensors")
    for n in (0, 2):
        value = scorer.value(pictures(n), np.zeros(n, dtype=np.int64), "mean")
        assert value(np.zeros(0, dtype=np.int64), np.zeros((0, 16), dtype=bool)).shape == (0,)


def test_what_was_not_asked_properly_is_refused(saved: Make, tmp_path: Path) -> None:
    scorer, _ = classifier("dinov2", saved, tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match="baseline must be one of"):
        scorer.value(pictures(2), np.zeros(2, dtype=np.int64), "noise")
    for targets in ([0, 3], [0, -1], [0]):
        with pytest.raises(ValueError, match="targets"):
            scorer.value(pictures(2), np.array(targets), "mean")
    value = scorer.value(pictures(2), np.zeros(2, dtype=np.int64), "mean")
    for rows, keep in (([2], np.ones((1, 16))), ([-1], np.ones((1, 16))), ([0], np.ones((1, 15))), ([0, 1], np.ones((1, 16)))):
        with pytest.raises(ValueError, match="rows"):
            value(np.array(rows), keep.astype(bool))


def test_the_mean_baseline_is_each_pictures_own_and_zero_is_zero() -> None:
    pixels = torch.from_numpy(pictures(2))
    mean = baseline_pixels(pixels, "mean", 14)
    assert torch.allclose(mean[1, 2, 0, 0], pixels[1, 2].mean())
    assert not torch.allclose(mean[0, 0], mean[1, 0])
    assert mean.std(dim=(2, 3)).max() < 1e-6
    assert baseline_pixels(pixels, "zero", 14).abs().max() == 0
