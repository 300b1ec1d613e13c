"""Is the gradient of the whole CAP-Hybrid loss its derivative? Compared with finite differences in float64, parameter by parameter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.attribution_loss import attribution_loss
from models.buckets import BUCKETS, fitted
from models.classifier import new_classifier
from models.lora import with_lora
from models.text_families import text_family_named
from models.text_gradients import token_batch
from models.text_recipe import TextRecipe
from models.text_task import TextTask
from models.texts import prepare
from models.training_loop import BatchLoss
from tests.text_training_worlds import LABELS, hybrid, simple, tiny

PLACES = torch.tensor([0, 2, 3])


def task_of(how: TextRecipe, family: str, folder: Path) -> TextTask:
    """The whole loss of three texts, in float64; every trained tensor off its initial value, so that none has a gradient of 0."""
    backbone = tiny(folder, family)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        model: Any = new_classifier(backbone, LABELS)
        model = (model if how.tuning == "full" else with_lora(model, how, backbone.name)).double()
        with torch.no_grad():
            for parameter in [p for p in model.parameters() if p.requires_grad]:
                parameter.add_(0.1 * torch.randn_like(parameter))
    train, val = simple(6, priors=True), simple(3, 100)
    own = (prepare(examples.texts, backbone) for examples in (train, val))
    texts, val_texts = own
    return TextTask(how, model.train(), family, train, texts, val, val_texts, fitted(BUCKETS, backbone.n_tokens), "cpu")


@pytest.mark.parametrize(
    ("family", "how"),
    [
        ("roberta", hybrid(tuning="full", priors={"beta": 2.0})),
        ("bert_mean", hybrid(tuning="full", label_smoothing=0.1)),
        # Not DoRA: peft takes a row's length as constant in every gradient, which is then no derivative, and such recipes are refused.
        ("roberta", hybrid(dropout=0.0, bias="none", priors={"beta": 2.0, "ig_steps": 3})),
        # As a run trains: the recipe's own defaults (rsLoRA, dropout 0.1, biases, a trained head), a soft target.
        ("roberta", hybrid(rank=8, label_smoothing=0.1, priors={"ig_steps": 8})),
        ("bert", hybrid(rank=8, priors={"sources": ["cap", "ig"], "ig_steps": 8})),
    ],
)
def test_the_gradient_of_cross_entropy_and_attribution_loss_equals_finite_differences(family: str, how: TextRecipe, tmp_path: Path) -> None:
    task = task_of(how, family, tmp_path / "b")

    def loss_now() -> BatchLoss:
        """With the same dropout each time."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            return task.batch_loss(PLACES)

    named = [(name, parameter) for name, parameter in task.model.named_parameters() if parameter.requires_grad]
    loss = loss_now()
    assert loss.sums["attribution_loss"][1] == 3 and loss.total.dtype == torch.float64
    gradients = torch.autograd.grad(loss.total, [parameter for _, parameter in named], allow_unused=True)
    generator, sizes = torch.Generator().manual_seed(0), []
    for (name, parameter), gradient in zip(named, gradients, strict=True):
        direction = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        values = []
        for step in (1e-6, -2e-6):  # forth, and as far back on the other side
            with torch.no_grad():
                parameter.add_(direction, alpha=step)
            values.append(loss_now().total.item())
        with torch.no_grad():
            parameter.add_(direction, alpha=1e-6)
        found = 0.0 if gradient is None else float((gradient * direction).sum())
        assert found == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-4, abs=1e-6), name
        sizes.append(abs(found))
    assert np.median(sizes) > 1e-3  # derivatives of nothing would agree too


def test_the_total_is_cross_entropy_plus_beta_times_the_squared_distance(tmp_path: Path) -> None:
    """By hand, text by text: -log softmax of the true class, and 2 - 2 cos of the prior with |IG| per word."""
    from models.text_gradients import integrated_gradients, word_sums

    task = task_of(hybrid(tuning="full", priors={"beta": 3.0, "ig_steps": 4}), "roberta", tmp_path / "b")
    expected, record = 0.0, text_family_named("roberta")
    for place in PLACES.tolist():
        texts = task.texts[[place]]
        targets = torch.from_numpy(task.train.label_ids[[place]])
        batch = token_batch(texts)
        logits = task.model.eval()(input_ids=batch.ids, attention_mask=batch.attended.long()).logits
        tokens = integrated_gradients(task.model, record, batch, targets, 4)
        words = word_sums(tokens, batch.word_of, 12)[0].abs().numpy()[: int(texts.included.sum())]
        prior = (task.train.priors or ())[place]
        assert prior is not None
        cosine = float(words @ prior / np.linalg.norm(words))
        expected += -logits.log_softmax(1)[0, targets[0]].item() + 3.0 * (2 - 2 * cosine)
    assert task.batch_loss(PLACES).total.item() == pytest.approx(expected, rel=1e-5)


def test_attributions_are_taken_in_eval_mode_and_cross_entropy_in_train_mode(tmp_path: Path) -> None:
    task = task_of(hybrid(dropout=0.5), "roberta", tmp_path / "b")
    rows = PLACES.numpy()
    targets, included = torch.from_numpy(task.train.label_ids[rows]), torch.from_numpy(task.texts.included[rows])
    priors = torch.zeros(included.shape, dtype=torch.float64)
    batch, record = token_batch(task.texts[rows]), text_family_named("roberta")
    with torch.random.fork_rng(devices=[]):
        found = [attribution_loss(task.model, record, batch, targets, included, priors, 2).item() for _ in range(2)]
        totals = [task.batch_loss(PLACES).sums for _ in range(2)]
    assert found[0] == found[1] == pytest.approx(3.0, rel=1e-9)  # without a prior ||a_s||^2 = 1 per text
    assert totals[0]["train_loss"] != totals[1]["train_loss"] and totals[0]["attribution_loss"] == totals[1]["attribution_loss"]
    assert task.model.training
