"""Is attention rollout, of pictures and of texts, the naive product of what transformers itself says every layer attends to?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.backbone import resolve_backbone
from models.classifier import new_classifier
from models.families import FAMILIES as PICTURE_FAMILIES
from models.image_scorer import ImageScorer
from models.scorer import load_scorer
from models.text_backbone import resolve_text_backbone
from models.text_loading import load_text_scorer
from models.text_scorer import TextScorer
from models.texts import NO_WORD, prepare
from tests.text_folders import FAMILIES, SENTENCES, save_family
from tests.unit.models.conftest import save
from xai.attribution import attention_rollout


def naive(attentions: tuple[torch.Tensor, ...], units: list[list[int]]) -> np.ndarray:
    """Of one example: every layer's [1, heads, tokens, tokens], and the tokens of each unit. The matrices are multiplied in full."""
    product = np.eye(attentions[0].shape[-1])
    for layer in attentions:
        matrix = 0.5 * layer[0].double().mean(dim=0).numpy() + 0.5 * np.eye(len(product))
        product = (matrix / matrix.sum(axis=1, keepdims=True)) @ product
    shares = np.array([product[0, tokens].sum() for tokens in units])
    return shares / shares.sum()


def rolled(scorer: ImageScorer | TextScorer, inputs: object, included: np.ndarray) -> np.ndarray:
    found = np.zeros(included.shape, dtype=np.float32)
    for own in scorer.attention_maps(inputs):
        np.testing.assert_allclose(own.maps.sum(axis=-1), 1.0, atol=1e-5)
        found[own.places] = attention_rollout(own.maps, own.unit_of, included[own.places])
    return found


@pytest.mark.parametrize("kind", [family.name for family in PICTURE_FAMILIES])
def test_of_pictures(kind: str, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(save(tmp_path / kind, kind, num_hidden_layers=3)))
    pixels = np.random.default_rng(3).standard_normal((5, 3, 56, 56)).astype(np.float32)
    found = rolled(load_scorer(backbone, None, "float32", 4), pixels, np.ones((5, 16), dtype=bool))
    model = new_classifier(backbone, ["a", "b"]).requires_grad_(False)
    model.set_attn_implementation("eager")
    patches = [[backbone.n_prefix + unit] for unit in range(16)]
    for row in range(5):
        said = model(torch.from_numpy(pixels[row : row + 1]), output_attentions=True).attentions
        assert len(said) == 3
        np.testing.assert_allclose(found[row], naive(said, patches), atol=1e-6)
    assert found.std(axis=1).min() > 1e-4


@pytest.mark.parametrize("family", FAMILIES)
def test_of_texts(family: str, tmp_path: Path) -> None:
    backbone = resolve_text_backbone(str(save_family(tmp_path / family, family)))
    texts = prepare((*SENTENCES, "card", "lost card alarm " * 8), backbone)
    found = rolled(load_text_scorer(backbone, None, "float32", 4, (16, 32, 128)), texts, texts.included)
    encoder = getattr(new_classifier(backbone, ["a", "b"]).requires_grad_(False), family.removesuffix("_mean"))
    encoder.set_attn_implementation("eager")
    for row in range(len(texts)):
        n_tokens, n_words = int(texts.lengths[row]), int(texts.included[row].sum())
        said = encoder(input_ids=torch.from_numpy(texts.ids[row : row + 1, :n_tokens]), output_attentions=True).attentions
        words = [[token for token in range(n_tokens) if texts.word_of[row, token] == word] for word in range(n_words)]
        np.testing.assert_allclose(found[row, texts.included[row]], naive(said, words), atol=1e-6)
    assert not found[~texts.included].any() and (texts.word_of == NO_WORD).any()
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
