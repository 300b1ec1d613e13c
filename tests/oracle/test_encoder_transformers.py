"""Does the lean encoder compute what transformers' own layers do, in every architecture, precision and way of applying a product?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.models.dinov2.modeling_dinov2 import Dinov2Config, Dinov2ForImageClassification
from transformers.models.dinov2_with_registers.modeling_dinov2_with_registers import (
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersForImageClassification,
)
from transformers.models.vit.modeling_vit import ViTConfig, ViTForImageClassification

from models.encoder import Encoder
from models.families import family_named
from models.families.family import Family
from models.layer import lean
from models.linear import Linear, PlainLinear, linear

SHAPE: dict[str, Any] = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 3, "image_size": 56, "patch_size": 14}
ARCHITECTURES: dict[str, tuple[str, Callable[[], Any]]] = {
    "dinov2": ("dinov2", lambda: Dinov2ForImageClassification(Dinov2Config(**SHAPE))),
    "dinov2 gated": ("dinov2", lambda: Dinov2ForImageClassification(Dinov2Config(**SHAPE, use_swiglu_ffn=True))),
    "dinov2 tanh": ("dinov2", lambda: Dinov2ForImageClassification(Dinov2Config(**SHAPE, hidden_act="gelu_new"))),
    "dinov2 no qkv bias": ("dinov2", lambda: Dinov2ForImageClassification(Dinov2Config(**SHAPE, qkv_bias=False))),
    "registers": (
        "dinov2_with_registers",
        lambda: Dinov2WithRegistersForImageClassification(Dinov2WithRegistersConfig(**SHAPE)),
    ),
    "vit": ("vit", lambda: ViTForImageClassification(ViTConfig(**SHAPE, intermediate_size=96))),
}


def random_model(architecture: str) -> tuple[Family, Any]:
    """Every tensor random, gains and layer scales around 1, so that no fold can be forgotten unseen."""
    name, make = ARCHITECTURES[architecture]
    model, generator = make().eval(), torch.Generator().manual_seed(5)
    for key, parameter in model.requires_grad_(False).named_parameters():
        around_one = key.endswith("lambda1") or ("norm" in key and key.endswith("weight"))
        parameter.normal_(1.0 if around_one else 0.0, 0.2, generator=generator)
    model.set_attn_implementation("eager")
    return family_named(name), model


def plain(name: str, weight: torch.Tensor, bias: torch.Tensor | None, sources: object) -> Linear:
    return PlainLinear(weight, bias)


def packed(dtype: torch.dtype) -> Callable[..., Linear]:
    return lambda name, weight, bias, sources: linear(weight, bias, dtype, "cpu", 2 * 17)


def encoder(family: Family, model: Any, make: Callable[..., Linear]) -> Encoder:
    return Encoder(tuple(lean(family.block(layer), make) for layer in family.layers(model)), 0)


def pictures() -> torch.Tensor:
    return torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("way", ["plain", "packed"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_hidden_states_and_cls_row_are_those_of_transformers_in_float32(architecture: str, way: str) -> None:
    family, model = random_model(architecture)
    peer = model(pictures(), output_attentions=True, output_hidden_states=True)
    made = encoder(family, model, plain if way == "plain" else packed(torch.float32))
    start = family.sequence(model, family.patch_tokens(model, pictures()))
    kept = start.clone()
    hidden, row = made.reading(start)
    logits = family.head(model, family.norm(model)(hidden))
    scale = float(peer.logits.abs().max())
    torch.testing.assert_close(logits, peer.logits, atol=1e-5 * scale, rtol=1e-5)
    torch.testing.assert_close(row, peer.attentions[-1][:, :, 0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(row.sum(-1), torch.ones(row.shape[:2]), atol=1e-6, rtol=0)
    assert peer.attentions[-1][:, :, 0].std() > 1e-3  # a uniform row would agree with anything
    assert torch.equal(start, kept)  # products work in place, but never on the caller's tokens
    assert torch.equal(made(start), hidden)


@pytest.mark.parametrize("architecture", ["dinov2", "dinov2 gated", "registers", "vit"])
def test_in_bfloat16_the_lean_encoder_is_as_near_to_float32_as_transformers_is(architecture: str) -> None:
    """Both round to 8 bits after every step. Ours rounds less often (gains and scales are folded in float32), so it must not be worse
    than 1.25 times theirs; the cast of the input is the same for both."""
    family, model = random_model(architecture)
    exact = model(pictures()).logits
    made = encoder(family, model, packed(torch.bfloat16))
    half = model.bfloat16()
    theirs = half(pictures().bfloat16()).logits.float()
    start = family.sequence(half, family.patch_tokens(half, pictures().bfloat16()))
    ours = family.head(half, family.norm(half)(made(start))).float()
    spread = exact.std()
    assert (ours - exact).pow(2).mean().sqrt() <= 1.25 * (theirs - exact).pow(2).mean().sqrt() + 0.01 * spread
    assert (ours - exact).pow(2).mean().sqrt() < 0.1 * spread


def test_an_encoder_without_a_layer_has_no_row_to_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        Encoder((), 0).reading(torch.zeros(1, 2, 4))
