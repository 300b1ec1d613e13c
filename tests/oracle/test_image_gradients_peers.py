"""Are the integrated gradients of pictures captum's, and do they add up to what the logit gained on the way?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from safetensors.torch import save_file

from models.backbone import resolve_backbone
from models.baselines import baseline_pixels
from models.classifier import new_classifier
from models.families import FAMILIES
from models.image_scorer import ImageScorer
from models.scorer import load_scorer
from tests.unit.models.conftest import save

KINDS = [family.name for family in FAMILIES]
TARGETS = np.array([0, 2, 1, 1, 2])
PIXELS = np.random.default_rng(3).standard_normal((5, 3, 56, 56)).astype(np.float32) + 0.5


def classifier(kind: str, folder: Path) -> tuple[ImageScorer, Any]:
    """A scorer in bfloat16, whose gradients must be of float32 all the same, and the library's own model of the same tensors."""
    backbone = resolve_backbone(str(save(folder / kind, kind)))
    model = new_classifier(backbone, ["a", "b", "c"]).requires_grad_(False)
    save_file({name: t.clone() for name, t in model.state_dict().items() if name.startswith("classifier.")}, folder / "m.safetensors")
    return load_scorer(backbone, folder / "m.safetensors", "bfloat16", 4), model


def patch_sums(attributed: torch.Tensor) -> np.ndarray:
    """[n,3,56,56] -> [n,16], square by square of 14 x 14 pixels."""
    found = np.zeros((len(attributed), 16))
    for unit in range(16):
        row, column = unit // 4 * 14, unit % 4 * 14
        found[:, unit] = attributed[:, :, row : row + 14, column : column + 14].double().sum(dim=(1, 2, 3)).numpy()
    return found


@pytest.mark.parametrize("baseline", ["mean", "zero", "blur"])
@pytest.mark.parametrize("kind", KINDS)
def test_they_are_captums_from_each_baselines_picture_summed_patch_by_patch(kind: str, baseline: str, tmp_path: Path) -> None:
    scorer, model = classifier(kind, tmp_path)
    pixels = torch.from_numpy(PIXELS)
    start = baseline_pixels(pixels, baseline, 14).contiguous()
    captum = IntegratedGradients(lambda points: model(points).logits)
    expected = patch_sums(captum.attribute(pixels, start, target=torch.from_numpy(TARGETS), n_steps=6, method="riemann_middle").detach())
    found = scorer.integrated_gradients(PIXELS, TARGETS, 6, baseline)
    assert (found.shape, found.dtype) == ((5, 16), np.float32)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, atol=1e-4 * scale, rtol=1e-3)
    assert (found < 0).any() and (found > 0).any()  # signed


@pytest.mark.parametrize("kind", KINDS)
def test_their_sum_is_what_the_logit_gained_up_to_an_error_that_shrinks_with_the_steps(kind: str, tmp_path: Path) -> None:
    scorer, model = classifier(kind, tmp_path)
    pixels = torch.from_numpy(PIXELS)
    for baseline in ("mean", "zero", "blur"):
        ends = [model(points).logits.numpy()[np.arange(5), TARGETS] for points in (pixels, baseline_pixels(pixels, baseline, 14))]
        gained = ends[0] - ends[1]
        errors = [
            np.abs(scorer.integrated_gradients(PIXELS, TARGETS, steps, baseline).sum(axis=1) - gained).mean() for steps in (2, 16, 128)
        ]
        assert errors[0] > 2 * errors[1] > 4 * errors[2]
        assert errors[2] < 0.02 * np.abs(gained).mean()
