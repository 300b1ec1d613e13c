"""Are our integrated gradients captum's, are they complete, and is the training signal's gradient that of finite differences?"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerIntegratedGradients
from safetensors.torch import save_file
from torch import nn

from models.backbone_record import TextBackbone
from models.classifier import new_classifier
from models.gradients import evaluating
from models.text_backbone import resolve_text_backbone
from models.text_families import text_family_named
from models.text_gradients import (
    integrated_gradients,
    logits_of_embedded,
    self_attribution,
    token_batch,
    unit_length,
    word_embeddings,
    word_sums,
)
from models.text_loading import load_text_scorer
from models.texts import Texts, prepare
from tests.text_folders import FAMILIES, SENTENCES, save_family

LABELS = ("a", "b", "c")
SOME = (SENTENCES[1], "card", SENTENCES[6], "card \u200b lost")
TARGETS = torch.tensor([0, 2, 1, 1])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[TextBackbone, nn.Module]]:
    """Each family's backbone, and a classifier of it with a head that answers: copy it before changing it."""
    found = {}
    for family in FAMILIES:
        backbone = resolve_text_backbone(str(save_family(tmp_path_factory.mktemp(family), family)))
        model = new_classifier(backbone, LABELS)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name.startswith("classifier."):
                    parameter.mul_(20)
        found[family] = (backbone, model)
    return found


def forward_of(model: nn.Module, family: Any, texts: Texts) -> Callable[..., torch.Tensor]:
    """Word embeddings -> logits through the library's own mask and positions, for captum."""
    attended = torch.from_numpy(texts.attended)

    def forward(embedded: torch.Tensor) -> torch.Tensor:
        repeats = len(embedded) // len(attended)
        positions = family.positions(attended, model.config).repeat(repeats, 1)
        return model(inputs_embeds=embedded, attention_mask=attended.long().repeat(repeats, 1), position_ids=positions).logits

    return forward


@pytest.mark.parametrize("family", FAMILIES)
def test_token_attributions_are_captums_over_the_word_embeddings(family: str, models: dict[str, tuple[TextBackbone, nn.Module]]) -> None:
    backbone, model = models[family]
    texts, record = prepare(SOME, backbone), text_family_named(family)
    embedded = word_embeddings(model, torch.from_numpy(texts.ids)).detach()
    captum = IntegratedGradients(forward_of(model, record, texts))
    expected = captum.attribute(embedded, torch.zeros_like(embedded), target=TARGETS, n_steps=8, method="riemann_middle").sum(-1).detach()
    found = integrated_gradients(model, record, token_batch(texts), TARGETS, 8)
    torch.testing.assert_close(found, expected.float(), atol=2e-5, rtol=1e-4)
    assert expected.abs().max() > 0.1
    assert not found.requires_grad


def test_they_are_captums_layer_attributions_too_once_the_positions_are_held(models: dict[str, tuple[TextBackbone, nn.Module]]) -> None:
    backbone, shared = models["roberta"]
    model, record = copy.deepcopy(shared), text_family_named("roberta")
    texts = prepare(SOME, backbone)
    with torch.no_grad():  # captum's baseline is a token, not a vector: the padding's embedding is made zero
        model.get_input_embeddings().weight[texts.pad_id] = 0
    attended = torch.from_numpy(texts.attended)
    positions = record.positions(attended, model.config)

    def forward(ids: torch.Tensor) -> torch.Tensor:
        repeats = len(ids) // len(attended)
        mask = attended.long().repeat(repeats, 1)
        return model(input_ids=ids, attention_mask=mask, position_ids=positions.repeat(repeats, 1)).logits

    ids = torch.from_numpy(texts.ids)
    captum = LayerIntegratedGradients(forward, model.get_input_embeddings())
    expected = captum.attribute(ids, torch.full_like(ids, texts.pad_id), target=TARGETS, n_steps=6, method="riemann_middle").sum(-1)
    found = integrated_gradients(model, record, token_batch(texts), TARGETS, 6)
    torch.testing.assert_close(found, expected.detach().float(), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_scorer_gives_the_same_numbers_in_batches_and_its_words_and_specials_are_complete(
    family: str, models: dict[str, tuple[TextBackbone, nn.Module]], tmp_path: Path
) -> None:
    backbone, model = models[family]
    head = {name: tensor.clone() for name, tensor in model.state_dict().items() if name.startswith("classifier.")}
    save_file(head, tmp_path / "m.safetensors")
    scorer = load_text_scorer(backbone, tmp_path / "m.safetensors", "float32", 8, (16, 32, 128))
    texts, record = prepare(SOME, backbone), text_family_named(family)
    found = scorer.integrated_gradients(texts, TARGETS.numpy(), 8)
    tokens = integrated_gradients(model, record, token_batch(texts), TARGETS, 8)
    expected = word_sums(tokens, torch.from_numpy(texts.word_of), texts.included.shape[1])
    np.testing.assert_allclose(found.values, expected.numpy(), atol=2e-5, rtol=1e-4)
    assert not found.values[~texts.included].any()
    assert (found.values < 0).any() and (found.values > 0).any()  # signed
    assert found.values[3, 1] == 0 if family.startswith("bert") else found.values[3, 1] != 0  # BERT drops the zero-width word
    fine = scorer.integrated_gradients(texts, TARGETS.numpy(), 512)
    embedded = word_embeddings(model, torch.from_numpy(texts.ids)).detach()
    attended = torch.from_numpy(texts.attended)
    ends = [logits_of_embedded(model, record, x, attended).gather(1, TARGETS[:, None])[:, 0].detach() for x in (embedded, 0 * embedded)]
    # error of the midpoint rule ~ 1 / steps^2: 512 steps leave 1e-3 of a logit of size 1 to 10
    np.testing.assert_allclose(fine.values.sum(axis=1) + fine.specials, (ends[0] - ends[1]).numpy(), atol=1e-2, rtol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_gradient_of_the_attribution_loss_is_that_of_finite_differences(
    family: str, models: dict[str, tuple[TextBackbone, nn.Module]]
) -> None:
    """float64, central differences of step 1e-6 along a random direction of each parameter, the word embeddings' table included."""
    backbone, shared = models[family]
    model, record = copy.deepcopy(shared).double(), text_family_named(family)
    texts = prepare(SOME[:2] + SOME[3:], backbone)
    included, targets = torch.from_numpy(texts.included), TARGETS[[0, 1, 3]]
    generator = torch.Generator().manual_seed(0)
    prior = unit_length(torch.rand(texts.included.shape, generator=generator, dtype=torch.float64), included)

    def loss() -> torch.Tensor:
        found = self_attribution(model, record, token_batch(texts), targets, included, steps=3)
        return (prior - found).square().sum(dim=1).mean()

    named = list(model.named_parameters())
    gradients = torch.autograd.grad(loss(), [parameter for _, parameter in named], allow_unused=True)
    sizes = []
    for (name, parameter), gradient in zip(named, gradients, strict=True):
        direction = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        step = 1e-6
        with torch.no_grad():
            parameter.add_(direction, alpha=step)
        above = loss().item()
        with torch.no_grad():
            parameter.sub_(direction, alpha=2 * step)
        below = loss().item()
        with torch.no_grad():
            parameter.add_(direction, alpha=step)
        found = 0.0 if gradient is None else float((gradient * direction).sum())
        assert found == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-7), name
        sizes.append(abs(found))
    assert np.median(sizes) > 1e-4  # derivatives of nothing would agree too


def test_a_model_wrapped_by_peft_is_differentiated_by_its_own_parameters(models: dict[str, tuple[TextBackbone, nn.Module]]) -> None:
    from models.lora import with_lora
    from models.recipe import Recipe

    backbone, shared = models["roberta"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = with_lora(copy.deepcopy(shared), Recipe(name="r", rank=2), "base").train()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(0.0, 0.2)
    texts, record = prepare(SOME, backbone), text_family_named("roberta")
    found = self_attribution(model, record, token_batch(texts), TARGETS, torch.from_numpy(texts.included), steps=2)
    assert model.training
    found[:, 0].sum().backward()
    for name, parameter in model.named_parameters():
        if "lora_" in name and parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
        elif not parameter.requires_grad:
            assert parameter.grad is None, name
    merged = model.merge_and_unload().eval()
    again = self_attribution(merged, record, token_batch(texts), TARGETS, torch.from_numpy(texts.included), steps=2, create_graph=False)
    torch.testing.assert_close(found.detach(), again.detach(), atol=1e-4, rtol=1e-3)  # merged and unmerged agree to float32


class Broken(RuntimeError):
    """Raised on purpose."""


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_as_it_was_also_after_an_exception(
    fails: bool, models: dict[str, tuple[TextBackbone, nn.Module]], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone, shared = models["bert"]
    model, record = copy.deepcopy(shared), text_family_named("bert")
    model.train()
    model.bert.encoder.eval()  # some parts in one mode, some in the other
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    modes = {name: module.training for name, module in model.named_modules()}
    needs = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    texts = prepare(SOME, backbone)
    if fails:
        monkeypatch.setattr(type(model.classifier), "forward", raise_broken)
    for create_graph in (False, True):
        try:
            integrated_gradients(model, record, token_batch(texts), TARGETS, 2, create_graph)
        except Broken:
            assert fails
    assert {name: module.training for name, module in model.named_modules()} == modes
    assert {name: parameter.requires_grad for name, parameter in model.named_parameters()} == needs
    assert all(torch.equal(parameter.grad, torch.ones_like(parameter)) for parameter in model.parameters())
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    assert not any(getattr(module, kind) for module in model.modules() for kind in hooks)


def raise_broken(*_: object) -> torch.Tensor:
    raise Broken


def test_dropout_plays_no_part_in_attributions(models: dict[str, tuple[TextBackbone, nn.Module]]) -> None:
    backbone, shared = models["roberta"]
    model, record = copy.deepcopy(shared).train(), text_family_named("roberta")
    texts = prepare(SOME, backbone)
    one, two = (integrated_gradients(model, record, token_batch(texts), TARGETS, 2) for _ in range(2))
    assert torch.equal(one, two)
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert all(module.training for module in model.modules())


def test_a_self_attribution_is_of_length_one_and_uniform_without_a_gradient_where_there_is_nothing() -> None:
    # 3-4-5: (3, 4) / 5; nothing at all over two words: 1 / sqrt(2) each
    magnitudes = torch.tensor([[3.0, 4.0, 7.0], [0.0, 0.0, 9.0], [1e-30, 0.0, 0.0]], requires_grad=True)
    included = torch.tensor([[True, True, False], [True, True, False], [True, True, True]])
    found = unit_length(magnitudes, included)
    expected = torch.tensor([[0.6, 0.8, 0.0], [0.5**0.5, 0.5**0.5, 0.0], [1.0, 0.0, 0.0]])
    torch.testing.assert_close(found.detach(), expected)
    found[:2, 0].sum().backward()
    # d(a / sqrt(a^2 + b^2)) / da = b^2 / 125, by b: -ab / 125, at (3, 4)
    torch.testing.assert_close(magnitudes.grad, torch.tensor([[16 / 125, -12 / 125, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))


@pytest.mark.parametrize("steps", [0, -1])
def test_fewer_than_one_step_are_refused(steps: int, models: dict[str, tuple[TextBackbone, nn.Module]], tmp_path: Path) -> None:
    backbone, model = models["bert"]
    texts = prepare(SOME, backbone)
    with pytest.raises(ValueError, match="at least 1 step"):
        integrated_gradients(model, text_family_named("bert"), token_batch(texts), TARGETS, steps)
