"""Merged files: right by a hand-worked example, named by content, written once, never half."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from models.adapters import Adapter, read_adapter
from models.backbone import Backbone, classifier_state
from models.errors import ArtifactError
from models.hashing import file_sha256
from models.merge import merged_weight, write_merged
from tests.adapter_folders import LABELS, edit_tensors, peft_model, save_peft, small_backbone

MAGNITUDE = "base_model.model.dinov2.encoder.layer.1.mlp.fc1.lora_magnitude_vector"


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return small_backbone(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture
def adapter(backbone: Backbone, tmp_path: Path) -> Adapter:
    return read_adapter(save_peft(peft_model(backbone), tmp_path / "adapter"), tmp_path, backbone, LABELS)


def test_lora_adds_the_scaled_product_and_dora_sets_the_length_of_each_row() -> None:
    base, a, b = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0], [0.5]])
    # W + 2 B A = [[1+2, 2], [1, 2+1]] = [[3, 2], [1, 3]]; row lengths sqrt(13) and sqrt(10)
    assert merged_weight(base, a, b, 2.0).tolist() == [[3, 2], [1, 3]]
    dora = merged_weight(base, a, b, 2.0, torch.tensor([math.sqrt(13), 2 * math.sqrt(10)]))
    torch.testing.assert_close(dora, torch.tensor([[3.0, 2.0], [2.0, 6.0]]))


def test_a_merged_file_holds_what_differs_and_the_head_under_the_classifiers_names(
    adapter: Adapter, backbone: Backbone, tmp_path: Path
) -> None:
    path = write_merged(adapter, backbone, "float32", tmp_path / "merged")
    assert path.name == f"{adapter.adapter_id}-float32.safetensors"
    # per layer weight and bias of query, value, fc1, fc2; and the head
    assert len(load_file(path)) == 2 * 4 * 2 + 2
    assert {"classifier.weight", "dinov2.encoder.layer.1.mlp.fc2.bias"} <= load_file(path).keys()


def test_a_file_that_is_there_is_used_again_and_one_written_anew_has_the_same_bytes(
    adapter: Adapter, backbone: Backbone, tmp_path: Path
) -> None:
    path = write_merged(adapter, backbone, "bfloat16", tmp_path / "merged")
    stamp = path.stat().st_mtime_ns
    assert write_merged(adapter, backbone, "bfloat16", tmp_path / "merged").stat().st_mtime_ns == stamp
    assert file_sha256(write_merged(adapter, backbone, "bfloat16", tmp_path / "again")) == file_sha256(path)
    assert [item.name for item in (tmp_path / "merged").iterdir()] == [path.name]  # no pending file is left


def test_merging_leaves_the_backbones_weights_and_file_untouched(adapter: Adapter, backbone: Backbone, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in classifier_state(backbone).items()}
    digest = file_sha256(backbone.folder / "model.safetensors")
    write_merged(adapter, backbone, "float32", tmp_path / "merged")
    assert file_sha256(backbone.folder / "model.safetensors") == digest
    assert all(torch.equal(before[name], tensor) for name, tensor in classifier_state(backbone).items())


def test_a_weight_too_large_for_half_precision_is_refused_and_leaves_no_file(backbone: Backbone, tmp_path: Path) -> None:
    folder = save_peft(peft_model(backbone), tmp_path / "adapter")
    edit_tensors(folder, lambda tensors: tensors | {MAGNITUDE: tensors[MAGNITUDE] * 0 + 1e6})  # float16 ends at 65,504
    adapter = read_adapter(folder, tmp_path, backbone, LABELS)
    with pytest.raises(ArtifactError) as refused:
        write_merged(adapter, backbone, "float16", tmp_path / "merged")
    assert refused.value.code == "nonfinite"
    assert not (tmp_path / "merged").exists()
    assert write_merged(adapter, backbone, "bfloat16", tmp_path / "merged").is_file()


def test_weights_changed_since_they_were_read_are_refused(adapter: Adapter, backbone: Backbone, tmp_path: Path) -> None:
    edit_tensors(adapter.folder, lambda tensors: tensors | {MAGNITUDE: tensors[MAGNITUDE] + 1})
    with pytest.raises(ArtifactError) as refused:
        write_merged(adapter, backbone, "float32", tmp_path / "merged")
    assert refused.value.code == "bad_safetensors"


def test_an_unknown_dtype_is_refused(adapter: Adapter, backbone: Backbone, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bfloat16"):
        write_merged(adapter, backbone, "int8", tmp_path)
