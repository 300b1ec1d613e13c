"""Is a poked picture the picture with noise on its pixels, and its masked value the model's probability of just that?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.backbone import new_classifier, resolve_backbone
from models.baselines import baseline_pixels
from models.image_scorer import ImageScorer
from models.pokes import picture_noise, poked_pixels
from models.scorer import load_scorer
from tests.naive_forward import encoded

Make = Callable[..., Path]
SIDE, PATCH, UNITS = 56, 14, 16
PLAN = (None, None, 0, 5, 15)  # pokes of each of two pictures: of all patches twice, then of one each


def noise(rows: np.ndarray, pokes: np.ndarray) -> np.ndarray:
    drawn = (picture_noise(SIDE, PATCH, PLAN[poke], np.random.default_rng([row, poke])) for row, poke in zip(rows, pokes, strict=True))
    return np.stack(list(drawn)) if len(rows) else np.zeros((0, 3, SIDE, SIDE), dtype=np.float32)


def pictures() -> np.ndarray:
    return np.random.default_rng(3).standard_normal((2, 3, SIDE, SIDE)).astype(np.float32) * 2


def classifier(saved: Make, path: Path, batch_size: int = 4) -> tuple[ImageScorer, torch.nn.Module]:
    backbone = resolve_backbone(str(saved("dinov2")))
    model = new_classifier(backbone, ["a", "b", "c"]).requires_grad_(False)
    model.classifier.weight.mul_(20)
    save_file({name: t.clone() for name, t in model.state_dict().items() if name.startswith("classifier.")}, path)
    return load_scorer(backbone, path, "float32", batch_size), model


def triples(m: int = 26) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(4)
    return generator.integers(0, 2, m), generator.integers(-1, len(PLAN), m), generator.random((m, UNITS)) < generator.random((m, 1))


def test_a_pixel_moves_by_five_percent_of_itself_or_of_the_training_sd_which_is_one() -> None:
    pixels = np.array([0.0, 0.5, -1.0, 3.0, -4.0], dtype=np.float32).reshape(1, 1, 1, 5)
    moved = poked_pixels(pixels, np.ones_like(pixels)) - pixels
    assert moved.ravel() == pytest.approx([0.05, 0.05, 0.05, 0.15, 0.20], abs=1e-6)  # max(0.05 |x|, 0.05)
    assert poked_pixels(pixels, np.zeros_like(pixels)).tobytes() == pixels.tobytes()
    with pytest.raises(ValueError, match="noise must have the pictures' shape"):
        poked_pixels(pixels, np.ones((1, 5), dtype=np.float32))


def test_one_patch_alone_gets_noise_and_it_is_the_same_in_a_larger_picture() -> None:
    drawn = picture_noise(SIDE, PATCH, 5, np.random.default_rng(1))  # second row, second column
    square = drawn[:, 14:28, 14:28]
    assert (square != 0).all() and np.count_nonzero(drawn) == square.size
    larger = picture_noise(2 * SIDE, PATCH, 9, np.random.default_rng(1))  # the same place in rows of eight
    assert np.array_equal(larger[:, 14:28, 14:28], square)
    assert np.count_nonzero(picture_noise(SIDE, PATCH, None, np.random.default_rng(1))) == 3 * SIDE * SIDE
    with pytest.raises(ValueError, match="unit must be a patch of the 16 there are, found 16"):
        picture_noise(SIDE, PATCH, 16, np.random.default_rng(1))


@pytest.mark.parametrize("baseline", ["mean", "zero", "drop"])
def test_it_is_the_models_own_answer_to_the_poked_picture_with_patches_replaced_one_by_one(
    baseline: str, saved: Make, tmp_path: Path
) -> None:
    """Naive twin: poke the picture, put the clean picture's baseline into the hidden squares, then transformers' own layers."""
    scorer, model = classifier(saved, tmp_path / "m.safetensors")
    family, pixels, targets = scorer._family, pictures(), np.array([2, 0])
    rows, pokes, keep = triples()
    expected = []
    for row, poke, kept in zip(rows, pokes, keep, strict=True):
        picture = torch.from_numpy(pixels[row : row + 1].copy())
        if poke >= 0:
            z = torch.from_numpy(noise(np.array([row]), np.array([poke])))
            picture = picture + 0.05 * torch.clamp(picture.abs(), min=1.0) * z
        if baseline != "drop":
            fill = baseline_pixels(torch.from_numpy(pixels[row : row + 1]), baseline, PATCH)
            for unit in np.flatnonzero(~kept):
                top, left = unit // 4 * PATCH, unit % 4 * PATCH
                picture[:, :, top : top + PATCH, left : left + PATCH] = fill[:, :, top : top + PATCH, left : left + PATCH]
        tokens = family.patch_tokens(model, picture)
        hidden = encoded(family, model, tokens, torch.from_numpy(kept[None]) if baseline == "drop" else None)
        expected.append(float(family.head(model, hidden).softmax(1)[0, targets[row]]))
    found = scorer.poked_value(pixels, targets, baseline, noise)(rows, pokes, keep)
    np.testing.assert_allclose(found, expected, atol=2e-5, rtol=0)
    plain = scorer.value(pixels, targets, baseline)(rows, keep)
    assert np.abs(found - plain)[pokes >= 0].max() > 1e-3  # a poke is felt


@pytest.mark.parametrize("baseline", ["mean", "drop"])
def test_a_triple_has_the_same_bits_whatever_is_asked_beside_it_and_unpoked_ones_those_of_the_plain_value(
    baseline: str, saved: Make, tmp_path: Path
) -> None:
    scorer, _ = classifier(saved, tmp_path / "m.safetensors")
    pixels, targets = pictures(), np.array([2, 0])
    rows, pokes, keep = triples()
    value = scorer.poked_value(pixels, targets, baseline, noise)
    together = value(rows, pokes, keep)
    alone = [value(rows[i : i + 1], pokes[i : i + 1], keep[i : i + 1]) for i in range(len(rows))]
    assert np.array_equal(together, np.concatenate(alone)) and np.array_equal(together[::-1], value(rows[::-1], pokes[::-1], keep[::-1]))
    plain = scorer.value(pixels, targets, baseline)(rows, keep)
    assert np.array_equal(together[pokes < 0], plain[pokes < 0])
    hidden = keep.copy()
    hidden[:, 5] = False  # a mask that hides all that a poke touched shows the picture itself, to the bit
    third = np.full(len(rows), 3)
    assert np.array_equal(value(rows, third, hidden), scorer.value(pixels, targets, baseline)(rows, hidden))
    everything = np.ones((2, UNITS), dtype=bool)
    shares = torch.from_numpy(scorer.logits(poked_pixels(pixels, noise(np.arange(2), np.array([0, 2]))))).softmax(1).numpy()
    np.testing.assert_allclose(value(np.arange(2), np.array([0, 2]), everything), shares[[0, 1], targets], atol=1e-6)
