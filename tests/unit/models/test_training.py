"""One adapter is trained the same way every time, keeps its best epoch, and appears whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import f1_score, precision_score, recall_score

from models.adapters import read_adapter
from models.augmentation import Augmentation
from models.backbone import Backbone, new_classifier
from models.errors import ArtifactError
from models.hashing import file_sha256
from models.images import Preprocessing, normalise
from models.lora import target_names
from models.manifest import find_trained, read_manifest
from models.merge import write_merged
from models.recipe import Recipe
from models.training import Trained, train
from models.training_data import TrainingSet
from models.validation import validation_metrics
from tests.adapter_folders import LABELS, small_backbone

PREPROCESSING = Preprocessing(size=56, resize_to=56)
PLAIN = Augmentation(rotation_degrees=5, flip_share=0, brightness=0.1, contrast=0.1, crop_from=60, crop_to=56)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return small_backbone(tmp_path_factory.mktemp("models") / "small")


def bright(n: int, start: int = 0) -> TrainingSet:
    """Pictures whose label is the third that is bright: learnt in a few steps."""
    label_ids = np.arange(start, start + n, dtype=np.int64) % 3
    images = np.random.default_rng(start).integers(0, 80, (n, 56, 56, 3)).astype(np.uint8)
    for image, label in zip(images, label_ids, strict=True):
        image[label * 18 : label * 18 + 18] += 150
    return TrainingSet(images, label_ids, tuple(f"id{i + start:04d}" for i in range(n)))


def recipe(**changes: Any) -> Recipe:
    settings = {"name": "tiny", "rank": 4, "epochs": 3, "batch_size": 8, "learning_rate": 5e-3, "augmentation": PLAIN, "seed": 1}
    return Recipe.model_validate({**settings, **changes})


def trained(backbone: Backbone, folder: Path, train_set: TrainingSet | None = None, **changes: Any) -> Trained:
    return train(recipe(**changes), backbone, LABELS, train_set or bright(24), bright(12, 100), PREPROCESSING, folder)


@pytest.fixture(scope="module")
def first(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(backbone, tmp_path_factory.mktemp("zoo") / "first")


def test_training_twice_gives_the_same_bytes_and_another_seed_does_not(first: Trained, backbone: Backbone, tmp_path: Path) -> None:
    again = trained(backbone, tmp_path / "again")
    assert again.weights_sha256 == first.weights_sha256
    assert again.recipe_sha256 == first.recipe_sha256
    assert file_sha256(again.folder / "adapter_config.json") == file_sha256(first.folder / "adapter_config.json")
    assert trained(backbone, tmp_path / "other", seed=2).weights_sha256 != first.weights_sha256


def test_the_order_in_which_examples_are_listed_does_not_matter(first: Trained, backbone: Backbone, tmp_path: Path) -> None:
    shuffled = bright(24).take(np.random.default_rng(0).permutation(24))
    assert trained(backbone, tmp_path / "shuffled", shuffled).weights_sha256 == first.weights_sha256


def test_two_accumulated_batches_of_eight_are_one_of_sixteen(backbone: Backbone, tmp_path: Path) -> None:
    settings = {"dropout": 0, "epochs": 1, "learning_rate": 1e-3}
    halves = trained(backbone, tmp_path / "halves", batch_size=8, accumulation=2, **settings).folder
    whole = trained(backbone, tmp_path / "whole", batch_size=16, accumulation=1, **settings).folder
    ours, theirs = (load_file(folder / "adapter_model.safetensors") for folder in (halves, whole))
    for name, tensor in ours.items():
        # sums of float32 in another order; Adam divides by the gradient's own size, so tiny gradients show more
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-3, atol=1e-4)
    stepping = trained(backbone, tmp_path / "stepping", batch_size=8, accumulation=1, **settings).folder
    head = "base_model.model.classifier.weight"
    assert (load_file(stepping / "adapter_model.safetensors")[head] - ours[head]).abs().max() > 3e-4


def test_training_moves_no_global_generator_thread_count_or_backbone_file(backbone: Backbone, tmp_path: Path) -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(2)  # training asks for 1
    digest = file_sha256(backbone.folder / "model.safetensors")
    numpy_state = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002 - the global one is what must not move
    trained(backbone, tmp_path / "a", epochs=1)
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # type: ignore[index]  # noqa: NPY002 - as above
    assert file_sha256(backbone.folder / "model.safetensors") == digest


def test_a_trained_adapter_reads_back_with_its_labels_recipe_and_metrics(first: Trained, backbone: Backbone) -> None:
    adapter = read_adapter(first.folder, first.folder.parent, backbone, LABELS)
    assert adapter.labels == LABELS and adapter.seed == 1 and adapter.rank == 4 and adapter.alpha == 8
    assert adapter.notes == ()
    assert adapter.recipe == recipe().model_dump(mode="json") and adapter.recipe_sha256 == first.recipe_sha256
    assert adapter.weights_sha256 == first.weights_sha256
    assert adapter.trainable_parameters == first.metrics["trainable_parameters"]
    assert adapter.trainable_share == pytest.approx(first.metrics["trainable_share"], abs=1e-12)
    assert adapter.metrics == first.metrics


def test_saved_is_loaded_the_merged_classifier_repeats_the_validation_metrics(first: Trained, backbone: Backbone, tmp_path: Path) -> None:
    adapter = read_adapter(first.folder, first.folder.parent, backbone, LABELS)
    model = new_classifier(backbone, LABELS)
    merged = load_file(write_merged(adapter, backbone, "float32", tmp_path))
    model.load_state_dict({**model.state_dict(), **merged})
    val = bright(12, 100)
    with torch.no_grad():
        logits = model(pixel_values=torch.from_numpy(normalise(val.images, PREPROCESSING))).logits
    again = validation_metrics(logits, val.label_ids)
    assert again == pytest.approx({name: first.metrics[name] for name in again}, abs=1e-5)


def test_bfloat16_products_train_nearly_as_float32_ones_do_and_the_weights_stay_float32(
    first: Trained, backbone: Backbone, tmp_path: Path
) -> None:
    rounded = trained(backbone, tmp_path / "rounded", precision="bfloat16")
    assert rounded.recipe_sha256 != first.recipe_sha256
    assert {tensor.dtype for tensor in load_file(rounded.folder / "adapter_model.safetensors").values()} == {torch.float32}
    for found, exact in zip(rounded.epochs, first.epochs, strict=True):
        assert found.train_loss != exact.train_loss
        # bfloat16 keeps 8 bits: 0.4 % of each product; a few per cent in a loss after a dozen steps
        assert found.train_loss == pytest.approx(exact.train_loss, rel=0.1)


def test_the_best_epoch_is_kept_and_of_equals_the_earlier(backbone: Backbone, tmp_path: Path) -> None:
    seen: list[Any] = []
    many = recipe(epochs=8, batch_size=4, learning_rate=1e-2)
    result = train(many, backbone, LABELS, bright(36), bright(12, 100), PREPROCESSING, tmp_path / "a", on_epoch=seen.append)
    best = max(epoch.accuracy for epoch in result.epochs)
    kept = next(epoch for epoch in result.epochs if epoch.accuracy == best)
    assert tuple(seen) == result.epochs and len(seen) == 8
    assert (result.metrics["accuracy"], result.metrics["eval_loss"]) == (best, kept.eval_loss)
    assert best > 0.8  # it learns
    assert sum(epoch.accuracy == best for epoch in result.epochs) > 1  # else "the earlier" was not tried


def test_a_diverging_loss_is_refused_and_leaves_nothing(backbone: Backbone, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as refused:
        trained(backbone, tmp_path / "zoo" / "a", learning_rate=1e30)
    assert refused.value.code == "nonfinite"
    assert not (tmp_path / "zoo").exists()


def test_a_folder_that_is_there_is_never_overwritten(first: Trained, backbone: Backbone) -> None:
    with pytest.raises(FileExistsError, match="exists"):
        trained(backbone, first.folder)


def test_an_adapter_is_found_by_the_recipe_that_trained_it_and_a_broken_manifest_does_not_count(first: Trained, tmp_path: Path) -> None:
    assert find_trained(first.folder.parent, first.recipe_sha256) == first.folder
    assert find_trained(first.folder.parent, "0" * 32) is None
    assert find_trained(tmp_path / "nowhere", first.recipe_sha256) is None
    (tmp_path / "zoo" / "broken").mkdir(parents=True)
    (tmp_path / "zoo" / "broken" / "manifest.json").write_text("{")
    assert find_trained(tmp_path / "zoo", first.recipe_sha256) is None


def test_weights_or_config_that_their_manifest_does_not_vouch_for_are_refused(backbone: Backbone, tmp_path: Path) -> None:
    folder = trained(backbone, tmp_path / "a", epochs=1).folder
    config = folder / "adapter_config.json"
    text = config.read_text()
    config.write_text(text + " ")
    with pytest.raises(ArtifactError) as refused:
        read_adapter(folder, tmp_path, backbone, LABELS)
    assert refused.value.code == "bad_config"
    config.write_text(text)
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ArtifactError) as refused:
        read_adapter(folder, tmp_path, backbone, LABELS)
    assert refused.value.code == "bad_safetensors"


def test_an_adapter_trained_on_another_backbone_of_the_same_shape_is_refused(first: Trained, tmp_path: Path) -> None:
    other = small_backbone(tmp_path / "other")
    path = tmp_path / "other" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"layer_norm_eps": 1e-5}))
    from models.backbone import resolve_backbone

    with pytest.raises(ArtifactError) as refused:
        read_adapter(first.folder, first.folder.parent, resolve_backbone(str(other.folder)), LABELS)
    assert refused.value.code == "tensor_mismatch"


def test_no_path_of_the_machine_stands_in_what_training_writes(first: Trained, backbone: Backbone) -> None:
    for name in ("adapter_config.json", "manifest.json"):
        assert str(backbone.folder.parent) not in (first.folder / name).read_text()
    assert read_manifest(first.folder / "manifest.json").backbone.name == "small"


def test_labels_beyond_those_given_and_an_empty_set_are_refused(backbone: Backbone, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as refused:
        train(recipe(), backbone, LABELS[:2], bright(24), bright(12), PREPROCESSING, tmp_path / "a")
    assert refused.value.code == "label_unknown"
    with pytest.raises(ValueError, match="val"):
        train(recipe(), backbone, LABELS, bright(24), bright(0), PREPROCESSING, tmp_path / "a")


def test_weighted_scores_are_scikit_learns_and_the_loss_is_worked_by_hand() -> None:
    logits, labels = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]]), np.array([0, 1, 1])
    metrics = validation_metrics(logits, labels)
    # log(1 + e^-2) + log(1 + e^-1) + log(1 + e^3), over 3
    assert metrics["eval_loss"] == pytest.approx((np.log1p(np.exp(-2)) + np.log1p(np.exp(-1)) + np.log1p(np.exp(3))) / 3, abs=1e-6)
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    for name, score in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        assert metrics[name] == pytest.approx(score(labels, [0, 1, 0], average="weighted"))


def test_target_names_mean_exactly_the_modules_asked_for() -> None:
    block = torch.nn.ModuleDict({"attention": torch.nn.ModuleDict({"dense": torch.nn.Linear(2, 2)}), "dense": torch.nn.Linear(2, 2)})
    model = torch.nn.ModuleDict({"layer": torch.nn.ModuleList([block]), "fc1": torch.nn.Linear(2, 2)})
    assert target_names(model, ["fc1"]) == ["fc1"]
    # "dense" would also adapt the attention's output
    assert target_names(model, ["layer.0.dense"]) == ["layer.0.dense"]


@pytest.mark.parametrize(
    "sloppy", [{"metrics": {"accuracy": 92.6}}, {"metrics": {"eval_loss": -1}}, {"recipe": {"seed": "a"}}, {"recipe": {"kind": 5}}]
)
def test_a_manifest_whose_figures_no_table_could_hold_is_refused(first: Trained, tmp_path: Path, sloppy: dict[str, Any]) -> None:
    content = json.loads((first.folder / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(content | sloppy))
    with pytest.raises(ArtifactError, match="bad_config"):
        read_manifest(tmp_path / "manifest.json")
