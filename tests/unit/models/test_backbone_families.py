"""Do the steps of every family add up to the model's own forward, and does leaving a token out mean just that?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models.backbone import new_classifier, resolve_backbone
from models.families import FAMILIES
from models.families.family import Family, picture_side
from tests.naive_forward import encoded

Make = Callable[..., Path]
parametrized = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def classifier(family: Family, saved: Make) -> torch.nn.Module:
    return new_classifier(resolve_backbone(str(saved(family.name))), ["a", "b", "c"]).requires_grad_(False)


def pictures(n: int) -> torch.Tensor:
    return torch.randn(n, 3, 56, 56, generator=torch.Generator().manual_seed(3))


@parametrized
@pytest.mark.parametrize("keep", [None, torch.ones(2, 16, dtype=torch.bool)], ids=["none", "all"])
def test_keeping_all_is_the_models_own_forward(family: Family, keep: torch.Tensor | None, saved: Make) -> None:
    model, pixels = classifier(family, saved), pictures(2)
    logits = family.head(model, encoded(family, model, family.patch_tokens(model, pixels), keep))
    assert torch.equal(logits, model(pixels).logits)


@parametrized
def test_the_family_is_that_of_another_picture_size_too(family: Family, saved: Make) -> None:
    model = classifier(family, saved)
    pixels = torch.randn(2, 3, 42, 42, generator=torch.Generator().manual_seed(3))
    own = model(pixels, interpolate_pos_encoding=True) if family.name == "vit" else model(pixels)
    logits = family.head(model, encoded(family, model, family.patch_tokens(model, pixels), None))
    assert torch.equal(logits, own.logits)


@parametrized
def test_a_dropped_token_changes_nothing_whatever_it_was_and_a_kept_one_does(family: Family, saved: Make) -> None:
    model, pixels = classifier(family, saved), pictures(1)
    keep = torch.ones(1, 16, dtype=torch.bool)
    keep[0, 5] = False
    tokens = family.patch_tokens(model, pixels)
    changed = tokens.clone()
    changed[0, 5, :8] += 10.0  # not all 32: a layer norm takes a common shift out again
    full = [encoded(family, model, t, None)[:, 0] for t in (tokens, changed)]
    cut = [encoded(family, model, t, keep)[:, 0] for t in (tokens, changed)]
    assert torch.equal(cut[0], cut[1])
    assert not torch.allclose(full[0], full[1], atol=1e-3)
    assert not torch.allclose(full[0], cut[0], atol=1e-3)


@parametrized
def test_a_dropped_token_is_one_that_no_other_can_attend_to(family: Family, saved: Make) -> None:
    """Naive twin: the whole sequence with an attention mask that hides the token; the kept tokens must come out the same."""
    model, pixels = classifier(family, saved), pictures(1)
    keep = torch.ones(1, 16, dtype=torch.bool)
    keep[0, [0, 9]] = False
    tokens = family.patch_tokens(model, pixels)
    base = getattr(model, family.prefix)
    n_prefix = family.n_prefix({})
    visible = torch.cat([torch.ones(1, n_prefix, dtype=torch.bool), keep], dim=1)
    whole = base(pixels, attention_mask=visible.long()).last_hidden_state
    torch.testing.assert_close(encoded(family, model, tokens, keep), whole[visible].unsqueeze(0), atol=2e-5, rtol=1e-5)


@parametrized
def test_with_every_token_dropped_the_logits_are_finite_and_the_same_for_all_pictures(family: Family, saved: Make) -> None:
    model, pixels = classifier(family, saved), pictures(2)
    keep = torch.zeros(2, 16, dtype=torch.bool)
    logits = family.head(model, encoded(family, model, family.patch_tokens(model, pixels), keep))
    assert torch.isfinite(logits).all()
    torch.testing.assert_close(logits[0], logits[1])


@parametrized
def test_rows_that_keep_different_numbers_are_refused(family: Family, saved: Make) -> None:
    model, pixels = classifier(family, saved), pictures(2)
    keep = torch.ones(2, 16, dtype=torch.bool)
    keep[0, 0] = False
    with pytest.raises(ValueError, match="equal row sums"):
        encoded(family, model, family.patch_tokens(model, pixels), keep)


def test_a_picture_that_is_not_square_is_refused() -> None:
    assert picture_side(16, 14) == 56
    with pytest.raises(ValueError, match="square number"):
        picture_side(12, 14)
