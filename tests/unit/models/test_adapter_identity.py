"""Which adapters are the same, whose labels are these, and does an adapter change anything?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from models.adapter_labels import label_order
from models.adapters import Adapter, read_adapter
from models.backbone import Backbone, new_classifier, resolve_backbone
from models.errors import ArtifactError
from models.merge import write_merged
from models.probe import Probe, probe
from tests.adapter_folders import LABELS, edit_config, edit_tensors, peft_model, save_peft, small_backbone

HEAD_BIAS = "base_model.model.classifier.bias"


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return small_backbone(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="module")
def sound(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_peft(peft_model(backbone), tmp_path_factory.mktemp("adapters") / "sound")


@pytest.fixture
def copied(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "another name"))


def read(folder: Path, backbone: Backbone, labels: tuple[str, ...] = LABELS, config_labels: tuple[str, ...] | None = None) -> Adapter:
    return read_adapter(folder, folder.parent, backbone, labels, config_labels)


def say_labels(folder: Path, *labels: Any) -> None:
    (folder / "config.json").write_text(json.dumps({"id2label": {str(i): label for i, label in enumerate(labels)}}))


def test_the_folders_name_is_a_label_and_no_part_of_the_identity(sound: Path, copied: Path, backbone: Backbone) -> None:
    first, second = read(sound, backbone), read(copied, backbone)
    assert first.name != second.name
    assert first.adapter_id == second.adapter_id


@pytest.mark.parametrize("changes", [{"lora_alpha": 9}, {"use_rslora": False}], ids=["alpha", "rslora"])
def test_alpha_and_rslora_change_the_identity_although_the_tensors_are_equal(
    sound: Path, copied: Path, backbone: Backbone, changes: dict[str, Any]
) -> None:
    edit_config(copied, **changes)
    first, second = read(sound, backbone), read(copied, backbone)
    assert first.weights_sha256 == second.weights_sha256
    assert first.adapter_id != second.adapter_id


def test_one_bit_of_one_tensor_the_order_of_labels_and_the_backbone_change_the_identity(
    sound: Path, copied: Path, backbone: Backbone, tmp_path: Path
) -> None:
    seen = {read(sound, backbone).adapter_id}
    say_labels(copied, *reversed(LABELS))
    seen.add(read(copied, backbone).adapter_id)
    edit_tensors(copied, lambda tensors: tensors | {HEAD_BIAS: torch.nextafter(tensors[HEAD_BIAS], torch.tensor(9.0))})
    seen.add(read(copied, backbone).adapter_id)
    shutil.copytree(backbone.folder, tmp_path / "changed")
    changed = json.loads((tmp_path / "changed" / "config.json").read_text()) | {"layer_norm_eps": 1e-5}
    (tmp_path / "changed" / "config.json").write_text(json.dumps(changed))
    seen.add(read(copied, resolve_backbone(str(tmp_path / "changed"))).adapter_id)
    assert len(seen) == 4


def test_what_does_not_compute_is_no_part_of_the_identity(sound: Path, copied: Path, backbone: Backbone) -> None:
    edit_config(copied, lora_dropout=0.5, base_model_name_or_path="elsewhere", peft_version="9")
    assert read(sound, backbone).adapter_id == read(copied, backbone).adapter_id


def test_labels_come_from_config_json_else_from_the_runs_config_else_the_adapter_is_refused(copied: Path, backbone: Backbone) -> None:
    say_labels(copied, "cow", "ant", "bee")
    assert read(copied, backbone, config_labels=LABELS).labels == ("cow", "ant", "bee")
    (copied / "config.json").unlink()
    assert read(copied, backbone, config_labels=("bee", "ant", "cow")).labels == ("bee", "ant", "cow")
    with pytest.raises(ArtifactError) as refused:
        read(copied, backbone)
    assert refused.value.code == "label_missing"


@pytest.mark.parametrize(
    "labels",
    [("ant", "bee", "dog"), ("ant", "bee", "Cow"), ("ant", "bee", "bee"), ("ant", "bee"), ("ant", "bee", "cow", "dog"), ("ant", "bee", 3)],
    ids=["another set", "another case", "a repeat", "one fewer", "one more", "a number"],
)
def test_another_set_of_labels_another_case_and_a_repeat_are_refused(copied: Path, backbone: Backbone, labels: tuple[Any, ...]) -> None:
    say_labels(copied, *labels)
    with pytest.raises(ArtifactError) as refused:
        read(copied, backbone)
    assert refused.value.code == "label_mismatch"


def test_labels_are_matched_by_name() -> None:
    # outputs mean (cow, ant, bee); the data asks for (ant, bee, cow): outputs 1, 2, 0
    assert label_order(("cow", "ant", "bee"), LABELS) == (1, 2, 0)


def test_the_share_counts_what_is_trained_against_the_classifier_with_its_lora(sound: Path, backbone: Backbone) -> None:
    adapter = read(sound, backbone)
    own = sum(parameter.numel() for parameter in new_classifier(backbone, LABELS).parameters())
    # by hand, width 32, 2 layers, rank 4: per layer 14 x 32 x 4 of A and B, 7 x 32 magnitudes, 7 x 32 biases; head 64 x 3 + 3
    lora = 2 * (14 * 32 * 4 + 7 * 32)
    assert adapter.trainable_parameters == lora + 2 * 7 * 32 + 64 * 3 + 3
    assert adapter.trainable_share == pytest.approx(adapter.trainable_parameters / (own + lora), abs=1e-12)


def probed(folder: Path, backbone: Backbone, labels: tuple[str, ...] = LABELS) -> Probe:
    adapter = read(folder, backbone, labels)
    return probe(adapter, backbone, write_merged(adapter, backbone, "float32", folder.parent / "merged"))


def test_an_adapter_that_moves_the_heads_input_is_ready(copied: Path, backbone: Backbone) -> None:
    assert probed(copied, backbone) == Probe("ready", ())


def test_an_adapter_with_nothing_but_a_head_of_its_own_is_ready_and_noted(backbone: Backbone, tmp_path: Path) -> None:
    assert probed(save_peft(peft_model(backbone, fresh=True), tmp_path / "fresh"), backbone) == Probe("ready", ("head_only",))


def test_an_adapter_that_changes_nothing_of_a_classifier_in_the_backbones_folder_is_inert(backbone: Backbone, tmp_path: Path) -> None:
    new_classifier(backbone, LABELS).save_pretrained(tmp_path / "with_head")  # type: ignore[operator]  # transformers' own saving
    shutil.copy(backbone.folder / "config.json", tmp_path / "config.json")
    with_head = resolve_backbone(str(tmp_path / "with_head"))
    folder = save_peft(peft_model(with_head, fresh=True), tmp_path / "nothing")
    assert probed(folder, with_head).status == "inert"
    edit_tensors(folder, lambda tensors: tensors | {HEAD_BIAS: tensors[HEAD_BIAS] + 1})
    assert probed(folder, with_head) == Probe("ready", ("head_only",))


def test_the_probe_leaves_no_hook_and_refuses_a_16_bit_file(copied: Path, backbone: Backbone) -> None:
    adapter = read(copied, backbone)
    with pytest.raises(ValueError, match="float32"):
        probe(adapter, backbone, write_merged(adapter, backbone, "bfloat16", copied.parent / "merged"))
