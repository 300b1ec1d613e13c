"""One text adapter is trained the same way every time, by either kind and tuning, and reads back as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.backbone_record import TextBackbone
from models.classifier import new_classifier
from models.errors import ArtifactError
from models.hashing import file_sha256
from models.lora import trainable_count
from models.manifest import find_trained, read_manifest
from models.probe import probe
from models.text_recipe import Choice
from models.text_selection import selected
from models.text_training import text_origin
from models.texts import prepare
from models.trained_adapter import Trained
from models.validation import validation_metrics
from tests.text_folders import SENTENCES
from tests.text_training_worlds import HOW, KINDS, LABELS, hybrid, recipe, scored, simple, tiny, trained


@pytest.mark.parametrize(("kind", "tuning"), KINDS)
def test_training_again_in_another_order_gives_the_same_bytes_and_another_seed_does_not(
    kind: str, tuning: str, zoo: dict[tuple[str, str], Trained], backbone: TextBackbone, tmp_path: Path
) -> None:
    first, how = zoo[kind, tuning], HOW[kind](tuning=tuning)
    examples = simple(24, priors=kind == "cap_hybrid")
    again = trained(backbone, tmp_path / "again", how, examples.take(np.random.default_rng(0).permutation(24)))
    assert (again.weights_sha256, again.recipe_sha256) == (first.weights_sha256, first.recipe_sha256)
    assert file_sha256(again.folder / "adapter_config.json") == file_sha256(first.folder / "adapter_config.json")
    other = trained(backbone, tmp_path / "other", how.model_copy(update={"seed": 2}))
    assert other.weights_sha256 != first.weights_sha256 and other.recipe_sha256 != first.recipe_sha256


def test_a_prior_changes_what_is_learnt_and_beta_0_is_cross_entropy_to_the_byte(
    zoo: dict[tuple[str, str], Trained], backbone: TextBackbone, tmp_path: Path
) -> None:
    plain = trained(backbone, tmp_path / "plain", recipe(use_dora=False))
    assert zoo["cap_hybrid", "lora"].weights_sha256 != plain.weights_sha256
    nothing = trained(backbone, tmp_path / "nothing", hybrid(priors={"beta": 0.0}))
    assert nothing.weights_sha256 == plain.weights_sha256
    assert nothing.recipe_sha256 != plain.recipe_sha256


def test_without_priors_in_the_recipe_those_beside_the_texts_count_for_nothing(
    zoo: dict[tuple[str, str], Trained], backbone: TextBackbone, tmp_path: Path
) -> None:
    again = trained(backbone, tmp_path / "again", recipe(), simple(24, priors=True))
    first = zoo["ce", "lora"]
    assert (again.weights_sha256, again.recipe_sha256) == (first.weights_sha256, first.recipe_sha256)


def test_steering_brings_the_attributions_nearer_to_the_prior(backbone: TextBackbone, tmp_path: Path) -> None:
    result = trained(
        backbone, tmp_path / "a", hybrid(tuning="full", epochs=6, accumulation=1, priors={"beta": 2.0}), simple(48, priors=True)
    )
    losses = [epoch.attribution_loss for epoch in result.epochs]
    assert None not in losses and 0 < losses[-1] < 0.6 * losses[0] < 0.6 * 2
    assert result.metrics["attribution_loss"] in losses


@pytest.mark.parametrize("kind", ["ce", "cap_hybrid"])
def test_trainable_parameters_are_those_of_the_roles_or_all(kind: str, zoo: dict[tuple[str, str], Trained], backbone: TextBackbone) -> None:
    """Width 32, inner 64, two layers, three labels: as worked by hand in test_text_adapters_peft."""
    dora = kind == "ce"  # steered without
    layer = 4 * (64 + 64 + 96 + 96) + (1 + dora) * (32 + 32 + 64 + 32)
    assert zoo[kind, "lora"].metrics["trainable_parameters"] == 2 * layer + 99 + 1056
    model = new_classifier(backbone, LABELS)
    assert zoo[kind, "lora"].metrics["trainable_parameters"] == trainable_count(model.config, len(LABELS), 4, use_dora=dora)
    everything = sum(parameter.numel() for parameter in model.parameters())
    assert zoo[kind, "full"].metrics["trainable_parameters"] == everything and zoo[kind, "full"].metrics["trainable_share"] == 1.0
    tensors = load_file(zoo[kind, "full"].folder / "adapter_model.safetensors")
    assert sum(tensor.numel() for tensor in tensors.values()) == everything
    assert all(not torch.equal(tensor, model.state_dict()[name.removeprefix("base_model.model.")]) for name, tensor in tensors.items())


@pytest.mark.parametrize(("kind", "tuning"), KINDS)
def test_read_merged_and_scored_an_adapter_answers_as_peft_does_and_as_it_was_validated(
    kind: str, tuning: str, zoo: dict[tuple[str, str], Trained], backbone: TextBackbone, tmp_path: Path
) -> None:
    from peft import PeftModel

    result = zoo[kind, tuning]
    adapter, ready, scoring = scored(result.folder, backbone, tmp_path)
    assert adapter.notes == () and adapter.labels == LABELS and adapter.metrics == result.metrics
    assert (adapter.rank, adapter.alpha) == ((4, 8.0) if tuning == "lora" else (None, None))
    assert adapter.trainable_parameters == result.metrics["trainable_parameters"]
    assert adapter.trainable_share == pytest.approx(result.metrics["trainable_share"], abs=1e-12)
    assert probe(adapter, backbone, Path(ready.merged)).status == "ready"
    texts = prepare(SENTENCES, backbone)
    theirs = PeftModel.from_pretrained(new_classifier(backbone, LABELS, seed=9), str(result.folder)).eval()
    with torch.no_grad():
        expected = theirs(input_ids=torch.from_numpy(texts.ids), attention_mask=torch.from_numpy(texts.attended).long()).logits
    torch.testing.assert_close(torch.from_numpy(scoring.logits(ready, texts)), expected, rtol=1e-5, atol=2e-5)
    val = simple(12, 100)
    again = validation_metrics(torch.from_numpy(scoring.logits(ready, scoring.prepare(val.texts))), val.label_ids)
    assert again == pytest.approx({name: result.metrics[name] for name in again}, abs=1e-5)


def test_a_full_model_of_every_family_is_read_back(tmp_path: Path) -> None:
    for family in ("bert", "bert_mean", "roberta_mean"):
        own = tiny(tmp_path / family, family)
        result = trained(own, tmp_path / "zoo" / family, recipe(tuning="full", epochs=1))
        _, ready, scoring = scored(result.folder, own, tmp_path / "merged")
        val = simple(12, 100)
        found = validation_metrics(torch.from_numpy(scoring.logits(ready, scoring.prepare(val.texts))), val.label_ids)
        assert found["eval_loss"] == pytest.approx(result.metrics["eval_loss"], abs=1e-5), family


def test_two_accumulated_batches_of_eight_are_one_of_sixteen_with_priors_too(backbone: TextBackbone, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"dropout": 0, "epochs": 1, "learning_rate": 1e-3, "targets": ("query",)}
    halves = trained(backbone, tmp_path / "halves", hybrid(batch_size=8, accumulation=2, **settings)).folder
    whole = trained(backbone, tmp_path / "whole", hybrid(batch_size=16, accumulation=1, **settings)).folder
    ours, theirs = (load_file(folder / "adapter_model.safetensors") for folder in (halves, whole))
    for name, tensor in ours.items():
        # sums of float32 in another order; Adam divides by the gradient's own size, so tiny gradients show more
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("how", [recipe, hybrid])
def test_products_in_bfloat16_teach_nearly_what_those_in_float32_do(how: Any, backbone: TextBackbone, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"dropout": 0, "epochs": 1}
    found = {
        precision: load_file(
            trained(backbone, tmp_path / precision, how(precision=precision, **settings)).folder / "adapter_model.safetensors"
        )
        for precision in ("float32", "bfloat16")
    }
    exact, rounded = (torch.cat([tensor.flatten() for name, tensor in found[key].items() if "lora_B" in name]) for key in found)
    assert not torch.equal(exact, rounded)
    # lora_B starts at 0: what stands there was learnt. Adam turns the sign of a tiny gradient into a whole step, so that some differ
    assert torch.nn.functional.cosine_similarity(exact, rounded, dim=0) > 0.95


def test_a_text_without_a_prior_adds_its_cross_entropy_alone_and_is_counted(backbone: TextBackbone, tmp_path: Path) -> None:
    examples = simple(24, priors=True)
    half = examples.with_priors({i: p for i, p in zip(examples.example_ids[:12], examples.priors or (), strict=False) if p is not None})
    assert trained(backbone, tmp_path / "half", hybrid(epochs=1), half).metrics["texts_without_prior"] == 12


def test_priors_of_none_of_the_texts_that_are_trained_are_refused_unless_beta_is_0(backbone: TextBackbone, tmp_path: Path) -> None:
    """Ids that match nothing would train cross-entropy alone, under the hash and name of a steered adapter."""
    examples = simple(24, priors=True)
    few = hybrid(epochs=1, shots=1)
    chosen = set(selected(Choice.of(few), examples, len(LABELS)).examples.example_ids)
    others = {i: p for i, p in zip(examples.example_ids, examples.priors or (), strict=True) if p is not None and i not in chosen}
    for how, given in ((hybrid(epochs=1), {"nobody": np.ones(1, dtype=np.float32)}), (few, others)):
        with pytest.raises(ValueError, match=r"none of the [0-9]+ texts that it trains on has a prior"):
            trained(backbone, tmp_path / "none", how, examples.with_priors(given))
    result = trained(backbone, tmp_path / "zero", hybrid(epochs=1, priors={"beta": 0.0}), examples.with_priors({}))
    plain = trained(backbone, tmp_path / "ce", recipe(epochs=1, use_dora=False))
    assert result.metrics["texts_without_prior"] == 24 and "attribution_loss" not in result.metrics
    assert result.weights_sha256 == plain.weights_sha256


def test_shots_noise_and_short_labels_are_told(backbone: TextBackbone, tmp_path: Path) -> None:
    few = recipe(epochs=1, shots=3, label_noise=0.2)
    result = trained(backbone, tmp_path / "a", few, simple(24).take([*range(12), 12, 15]))
    assert {name: result.metrics[name] for name in ("n_train", "short_labels", "wrong_labels")} == {
        "n_train": 9,
        "short_labels": 0,
        "wrong_labels": 2,  # floor(0.2 x 9 + 0.5)
    }
    assert trained(backbone, tmp_path / "b", recipe(epochs=1, shots=5), simple(12)).metrics["short_labels"] == 3
    long = simple(24).take(range(23))
    cut = trained(backbone, tmp_path / "c", recipe(epochs=1), long, buckets=(8,))
    assert cut.metrics["truncated_texts"] == prepare(long.texts, backbone, 8).truncated.sum() > 0


def test_patience_ends_a_training_after_so_many_epochs_without_a_better_one(backbone: TextBackbone, tmp_path: Path) -> None:
    patient = trained(backbone, tmp_path / "patient", recipe(epochs=12, learning_rate=2e-2))
    hasty = trained(backbone, tmp_path / "hasty", recipe(epochs=12, learning_rate=2e-2, patience=2))
    accuracies = [epoch.accuracy for epoch in patient.epochs]
    ends = next(n for n in range(3, 13) if max(accuracies[: n - 2]) >= max(accuracies[n - 2 : n]))
    assert len(hasty.epochs) == ends < 12  # by hand: the first place with no better one in two epochs
    assert hasty.epochs == patient.epochs[:ends]
    assert hasty.metrics["accuracy"] == max(accuracies[:ends])
    assert hasty.metrics["best_epoch"] == accuracies.index(max(accuracies[:ends])) + 1


def test_training_moves_no_global_generator_thread_count_or_backbone_file(backbone: TextBackbone, tmp_path: Path) -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(2)  # training asks for 1
    digest = file_sha256(backbone.folder / "model.safetensors")
    trained(backbone, tmp_path / "a", hybrid(epochs=1, tuning="full"))
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert file_sha256(backbone.folder / "model.safetensors") == digest


def test_a_diverging_loss_is_refused_and_leaves_nothing(backbone: TextBackbone, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as refused:
        trained(backbone, tmp_path / "zoo" / "a", recipe(tuning="full", learning_rate=1e30), checkpoint_seconds=0)
    assert refused.value.code == "nonfinite"
    assert list((tmp_path / "zoo").iterdir()) == []


def test_what_cannot_be_trained_is_refused(zoo: dict[tuple[str, str], Trained], backbone: TextBackbone, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must have priors for cap"):
        trained(backbone, tmp_path / "a", hybrid(), simple(24))
    with pytest.raises(ValueError, match="train set must hold examples"):
        trained(backbone, tmp_path / "a", recipe(), simple(24).take([]))
    with pytest.raises(FileExistsError, match="exists"):
        trained(backbone, zoo["ce", "lora"].folder, recipe())


def test_the_manifest_says_text_and_the_adapter_is_found_by_its_origin(zoo: dict[tuple[str, str], Trained], backbone: TextBackbone) -> None:
    result, how = zoo["cap_hybrid", "full"], hybrid(tuning="full")
    manifest = read_manifest(result.folder / "manifest.json")
    assert manifest.modality == "text" and manifest.recipe == how.model_dump(mode="json")
    assert manifest.preprocessing == {"buckets": [16, 32, 64]}
    expected = text_origin(how, backbone, LABELS, simple(24, priors=True), simple(12, 100)).sha256
    assert result.recipe_sha256 == expected and find_trained(result.folder.parent, expected) == result.folder
