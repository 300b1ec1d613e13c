"""Is our merge peft's merge, and does an adapter survive every way it can be written down? Compared with peft itself."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from models.adapters import read_adapter
from models.backbone import Backbone, new_classifier
from models.lora import trainable_count
from models.merge import merged_tensors, write_merged
from tests.adapter_folders import LABELS, OLD_NAMES, edit_config, edit_tensors, peft_model, pixels, save_peft, small_backbone

# STACK: merged and unmerged logits agree to 5e-6 on the base model; ours are of size 10.
LOGITS = {"rtol": 1e-5, "atol": 2e-5}
VARIANTS = [
    pytest.param({}, id="dora-rslora"),
    pytest.param({"use_dora": False}, id="lora-rslora"),
    pytest.param({"use_dora": False, "use_rslora": False, "bias": "none"}, id="plain-lora"),
    pytest.param({"use_rslora": False, "bias": "all", "r": 7, "lora_alpha": 3}, id="dora-all-biases"),
    pytest.param({"target_modules": "all-linear"}, id="all-linear"),
    pytest.param({"target_modules": r".*\.(q_proj|fc2)"}, id="pattern"),
    pytest.param({"modules_to_save": ["classifier", "layernorm"]}, id="layernorm-saved"),
]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return small_backbone(tmp_path_factory.mktemp("models") / "small")


def ours(backbone: Backbone, folder: Path) -> Any:
    """The classifier with our merged tensors."""
    adapter = read_adapter(folder, folder.parent, backbone, LABELS)
    model = new_classifier(backbone, LABELS)
    model.load_state_dict({**model.state_dict(), **merged_tensors(adapter, backbone)}, strict=True)
    return model


def logits(model: Any, backbone: Backbone) -> torch.Tensor:
    with torch.no_grad():
        return model(pixel_values=pixels(backbone)).logits


@pytest.mark.parametrize("settings", VARIANTS)
def test_our_merged_weights_are_those_of_pefts_merge_and_unload(backbone: Backbone, tmp_path: Path, settings: dict[str, Any]) -> None:
    model = peft_model(backbone, **settings)
    folder = save_peft(model, tmp_path / "adapter")
    mine = ours(backbone, folder).state_dict()
    theirs = copy.deepcopy(model).merge_and_unload().state_dict()
    assert mine.keys() == theirs.keys()
    for name, tensor in theirs.items():
        torch.testing.assert_close(mine[name], tensor, rtol=0, atol=1e-6, msg=name)


@pytest.mark.parametrize("settings", VARIANTS)
def test_the_merged_classifier_answers_as_the_unmerged_adapter(backbone: Backbone, tmp_path: Path, settings: dict[str, Any]) -> None:
    model = peft_model(backbone, **settings)
    before = logits(new_classifier(backbone, LABELS), backbone)
    unmerged = logits(model, backbone)
    assert (unmerged - before).abs().max() > 0.1  # else equality below would say nothing
    torch.testing.assert_close(logits(ours(backbone, save_peft(model, tmp_path / "adapter")), backbone), unmerged, **LOGITS)


def test_a_fresh_adapter_leaves_the_logits_unchanged_and_merges_to_the_head_alone(backbone: Backbone, tmp_path: Path) -> None:
    model = peft_model(backbone, fresh=True)
    torch.testing.assert_close(logits(model, backbone), logits(new_classifier(backbone, LABELS), backbone), **LOGITS)
    adapter = read_adapter(save_peft(model, tmp_path / "adapter"), tmp_path, backbone, LABELS)
    # B = 0 and magnitude = row norm: W * (norm / norm) is W to the bit
    assert sorted(merged_tensors(adapter, backbone)) == ["classifier.bias", "classifier.weight"]


def test_an_adapter_under_the_names_of_older_transformers_loses_no_tensor_and_is_the_same_adapter(
    backbone: Backbone, tmp_path: Path
) -> None:
    model = peft_model(backbone)
    new, old = save_peft(model, tmp_path / "new"), save_peft(model, tmp_path / "old")

    def older(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        renamed = {}
        for name, tensor in tensors.items():
            for today, before in OLD_NAMES:
                name = name.replace(today, before)
            renamed[name] = tensor
        return renamed

    edit_tensors(old, older)
    edit_config(old, target_modules=["query", "value", "fc1", "fc2"], peft_version="0.18.0")
    assert any("attention.attention.query" in name for name in load_file(old / "adapter_model.safetensors"))
    first, second = (read_adapter(folder, tmp_path, backbone, LABELS) for folder in (new, old))
    assert first.adapter_id == second.adapter_id
    assert first.trainable_parameters == second.trainable_parameters == sum(p.numel() for p in model.parameters() if p.requires_grad)
    torch.testing.assert_close(logits(ours(backbone, old), backbone), logits(model, backbone), **LOGITS)


def test_an_adapter_without_its_trained_biases_is_what_peft_0_18_saved_and_computes_with_the_backbones(
    backbone: Backbone, tmp_path: Path
) -> None:
    model = peft_model(backbone)
    folder = save_peft(model, tmp_path / "adapter")
    edit_tensors(folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if ".base_layer." not in name})
    adapter = read_adapter(folder, tmp_path, backbone, LABELS)
    assert "biases_missing" in adapter.notes
    with torch.no_grad():  # the twin: peft's model with its biases put back
        for name, parameter in model.named_parameters():
            if name.endswith("base_layer.bias"):
                own = name.removeprefix("base_model.model.").replace(".base_layer", "")
                parameter.copy_(new_classifier(backbone, LABELS).state_dict()[own])
    torch.testing.assert_close(logits(ours(backbone, folder), backbone), logits(model, backbone), **LOGITS)


@pytest.mark.parametrize(("rank", "expected"), [(4, 701_989), (16, 2_250_277), (32, 4_314_661)])
def test_dinov2_base_with_37_labels_trains_the_published_number_of_parameters(rank: int, expected: int) -> None:
    # by hand: 12 layers x 14 x 768 x (rank + 1) + (2 x 768 + 1) x 37, with 14 = (1+1) + (1+1) + (1+4) + (4+1) widths of A and B
    # over query, value, fc1, fc2, and magnitudes and biases 7 + 7 = 14 widths
    assert 12 * 14 * 768 * (rank + 1) + 1537 * 37 == expected
    from transformers.models.dinov2.configuration_dinov2 import Dinov2Config

    assert trainable_count(Dinov2Config(), 37, rank) == expected


def test_sixteen_bit_files_are_the_float32_merge_cast_once(backbone: Backbone, tmp_path: Path) -> None:
    adapter = read_adapter(save_peft(peft_model(backbone), tmp_path / "adapter"), tmp_path, backbone, LABELS)
    exact = load_file(write_merged(adapter, backbone, "float32", tmp_path / "merged"))
    half = load_file(write_merged(adapter, backbone, "bfloat16", tmp_path / "merged"))
    assert exact.keys() == half.keys()
    assert all(torch.equal(half[name], exact[name].bfloat16()) for name in exact)
