"""Do loading, scoring and blurring agree with transformers and scipy?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import torch
from transformers.models.dinov2.modeling_dinov2 import Dinov2Config, Dinov2ForImageClassification, Dinov2Model
from transformers.models.dinov2_with_registers.modeling_dinov2_with_registers import (
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersForImageClassification,
    Dinov2WithRegistersModel,
)
from transformers.models.vit.modeling_vit import ViTConfig, ViTForImageClassification, ViTModel

from models.backbone import new_classifier, resolve_backbone
from models.baselines import baseline_pixels
from models.scorer import load_scorer

SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14}
ARCHITECTURES = {
    "dinov2": (Dinov2Config(**SHAPE), Dinov2Model, Dinov2ForImageClassification),
    "dinov2 gated": (Dinov2Config(**SHAPE, use_swiglu_ffn=True), Dinov2Model, Dinov2ForImageClassification),
    "registers": (Dinov2WithRegistersConfig(**SHAPE), Dinov2WithRegistersModel, Dinov2WithRegistersForImageClassification),
    "vit": (ViTConfig(**SHAPE, intermediate_size=64), ViTModel, ViTForImageClassification),
}


def saved(architecture: str, bare: bool, folder: Path) -> Any:
    """Random weights in every tensor, written by transformers; the classifier class that reads them back."""
    config, model_class, classifier_class = ARCHITECTURES[architecture]
    model = (model_class if bare else classifier_class)(config)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.2, generator=generator)
    model.save_pretrained(folder)
    return classifier_class


@pytest.mark.parametrize("bare", [True, False], ids=["bare model", "classifier"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_tensors_are_those_that_transformers_loads(architecture: str, bare: bool, tmp_path: Path) -> None:
    peer = saved(architecture, bare, tmp_path).from_pretrained(tmp_path, local_files_only=True).state_dict()
    ours = new_classifier(resolve_backbone(str(tmp_path)), ["a", "b"]).state_dict()
    assert ours.keys() == peer.keys()
    assert all(torch.equal(ours[name], peer[name]) for name in peer if not name.startswith("classifier."))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_of_a_whole_classifier_are_those_of_transformers(architecture: str, tmp_path: Path) -> None:
    peer = saved(architecture, False, tmp_path).from_pretrained(tmp_path, local_files_only=True).eval()
    pixels = np.random.default_rng(0).standard_normal((5, 3, 56, 56)).astype(np.float32)
    with torch.no_grad():
        expected = peer(torch.from_numpy(pixels)).logits.numpy()
    found = load_scorer(resolve_backbone(str(tmp_path)), None, "float32", 4).logits(pixels)
    np.testing.assert_allclose(found, expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize("patch_size", [14, 8, 56])
def test_the_blur_baseline_is_scipys_gaussian(patch_size: int) -> None:
    pixels = np.random.default_rng(0).standard_normal((2, 3, 56, 56))
    found = baseline_pixels(torch.from_numpy(pixels), "blur", patch_size).numpy()
    sigma = patch_size / 2
    for expected, picture in zip(found.reshape(-1, 56, 56), pixels.reshape(-1, 56, 56), strict=True):
        peer = scipy.ndimage.gaussian_filter(picture, sigma, mode="nearest", radius=round(3 * sigma))
        np.testing.assert_allclose(expected, peer, atol=1e-12, rtol=0)  # float64 on both sides
