"""Is the CLS row read beside SDPA the one eager attention computes, and is the model as before when the reading ends?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models.attention_row import cls_rows
from models.backbone import new_classifier, resolve_backbone
from models.families import FAMILIES, family_named
from models.families.family import Family

Make = Callable[..., Path]
parametrized = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def classifier(name: str, saved: Make) -> torch.nn.Module:
    return new_classifier(resolve_backbone(str(saved(name))), ["a", "b"]).requires_grad_(False)


def pictures(n: int) -> torch.Tensor:
    return torch.randn(n, 3, 56, 56, generator=torch.Generator().manual_seed(3))


@parametrized
def test_the_row_is_that_of_eager_attention_and_the_logits_are_those_of_sdpa(family: Family, saved: Make) -> None:
    model, pixels = classifier(family.name, saved), pictures(3)
    plain = model(pixels).logits
    with cls_rows(family.last_attention(model)) as rows:
        read = model(pixels).logits
    model.set_attn_implementation("eager")
    eager = model(pixels, output_attentions=True).attentions[-1][:, :, 0]
    assert torch.equal(read, plain)
    torch.testing.assert_close(rows[0], eager, atol=1e-6, rtol=0)
    assert eager.std() > 1e-3  # a uniform row would agree with anything


@parametrized
def test_a_row_sums_to_one_over_all_tokens(family: Family, saved: Make) -> None:
    model = classifier(family.name, saved)
    with cls_rows(family.last_attention(model)) as rows:
        model(pictures(2))
    assert rows[0].shape == (2, 2, family.n_prefix({}) + 16)
    torch.testing.assert_close(rows[0].sum(-1), torch.ones(2, 2), atol=1e-6, rtol=0)


def test_the_row_of_a_half_precision_model_is_float32(saved: Make) -> None:
    model = classifier("dinov2", saved).bfloat16()
    with cls_rows(family_named("dinov2").last_attention(model)) as rows:
        model(pictures(2).bfloat16())
    assert rows[0].dtype == torch.float32
    torch.testing.assert_close(rows[0].sum(-1), torch.ones(2, 2), atol=1e-6, rtol=0)  # bfloat16 would be off by 1e-3


class Interrupted(RuntimeError):
    pass


def interrupted_reading(model: torch.nn.Module, attention: torch.nn.Module) -> None:
    with cls_rows(attention):
        model(pictures(1))
        raise Interrupted


@parametrized
def test_nothing_is_left_on_the_model_also_after_an_exception(family: Family, saved: Make) -> None:
    model = classifier(family.name, saved)
    attention = family.last_attention(model)
    config, state = attention.config, sorted(vars(attention))
    with pytest.raises(Interrupted):
        interrupted_reading(model, attention)
    assert attention.config is config is model.config
    assert config._attn_implementation == "sdpa"
    assert sorted(vars(attention)) == state
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_module_is_not_read_twice_at_once_and_the_outer_reading_goes_on(saved: Make) -> None:
    model = classifier("dinov2", saved)
    attention = family_named("dinov2").last_attention(model)
    with cls_rows(attention) as rows:
        with pytest.raises(ValueError, match="already being read"), cls_rows(attention):
            pass
        model(pictures(1))
    assert len(rows) == 1
