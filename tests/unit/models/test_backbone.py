"""Is a backbone what its folder holds: identified by content, loaded whole or refused, its head matched by name?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.backbone import module_roles, new_classifier, resolve_backbone
from models.errors import ArtifactError
from models.families import FAMILIES

KINDS = [family.name for family in FAMILIES]
Make = Callable[..., Path]


def refused(code: str, folder: Path | str) -> str:
    with pytest.raises(ArtifactError) as caught:
        new_classifier(resolve_backbone(str(folder)), ["a", "b"])
    assert caught.value.code == code
    return caught.value.message


@pytest.mark.parametrize(("kind", "n_prefix"), [("dinov2", 1), ("dinov2_with_registers", 5), ("vit", 1)])
def test_a_folder_says_how_many_tokens_its_model_reads(kind: str, n_prefix: int, saved: Make) -> None:
    found = resolve_backbone(str(saved(kind)))
    # 56 / 14 = 4 patches a side; registers default to 4 beside CLS
    assert (found.image_size, found.patch_size, found.n_units, found.hidden_size, found.n_layers) == (56, 14, 16, 32, 2)
    assert (found.family, found.n_prefix, found.revision) == (kind, n_prefix, None)


def test_the_picture_size_is_that_of_the_preprocessing_not_of_the_training(fresh: Make) -> None:
    folder = fresh()
    crop = {"height": 28, "width": 28}
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"size": {"shortest_edge": 32}, "crop_size": crop, "do_center_crop": True, "resample": 3})
    )
    found = resolve_backbone(str(folder))
    assert (found.image_size, found.n_units) == (28, 4)


def test_identity_ignores_sharding_key_order_and_library_version_but_no_weight(fresh: Make, tmp_path: Path) -> None:
    folder = fresh()
    first = resolve_backbone(str(folder)).sha256
    weights = load_file(folder / "model.safetensors")
    other = tmp_path / "sharded"
    other.mkdir()
    names = sorted(weights)
    save_file({name: weights[name] for name in names[:5]}, other / "a.safetensors")
    save_file({name: weights[name] for name in names[5:]}, other / "b.safetensors")
    config = json.loads((folder / "config.json").read_text()) | {"transformers_version": "6.0.0"}
    (other / "config.json").write_text(json.dumps(dict(reversed(config.items()))))
    assert resolve_backbone(str(other)).sha256 == first
    weights["embeddings.cls_token"][0, 0, 0] += 1e-6
    save_file(weights, folder / "model.safetensors")
    assert resolve_backbone(str(folder)).sha256 != first


def test_a_folder_that_changed_after_it_was_resolved_is_refused(fresh: Make) -> None:
    folder = fresh()
    found = resolve_backbone(str(folder))
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.cls_token"] += 1
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ArtifactError, match="changed during the run"):
        new_classifier(found, ["a"])


def test_pickled_weights_are_refused_unopened(fresh: Make) -> None:
    folder = fresh()
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"opening this would fail otherwise")
    assert "safetensors" in refused("pickle", folder)


def test_truncated_weights_are_refused(fresh: Make) -> None:
    path = fresh() / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    refused("bad_safetensors", path.parent)


def test_an_unknown_architecture_an_adapter_and_a_bad_configuration_are_refused(fresh: Make) -> None:
    folder = fresh()
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"model_type": "os.system"}))
    assert "dinov2_with_registers" in refused("bad_config", folder)
    path.write_text(json.dumps(config | {"hidden_size": "wide"}))
    refused("bad_config", folder)
    path.write_text(json.dumps(config))
    (folder / "adapter_config.json").write_text("{}")
    assert "adapter" in refused("bad_config", folder)


def test_neither_folder_nor_hub_name_is_an_error_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert "local folder" in refused("not_a_file", tmp_path / "absent")
    assert "local folder" in refused("not_a_file", "nobody/not-a-model")


@pytest.mark.parametrize("damage", ["missing", "unexpected", "shape"])
def test_weights_that_do_not_fit_the_configuration_are_not_loaded_in_part(damage: str, fresh: Make) -> None:
    path = fresh() / "model.safetensors"
    weights = load_file(path)
    name = "encoder.layer.1.mlp.fc1.weight"
    if damage == "missing":
        del weights[name]
    elif damage == "unexpected":
        weights["encoder.layer.2.mlp.fc1.weight"] = weights[name].clone()
    else:
        weights[name] = weights[name][:-1].contiguous()
    save_file(weights, path)
    assert "1" in refused("tensor_mismatch", path.parent)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_classifier_has_the_weights_of_the_folder_and_a_head_of_its_seed(kind: str, saved: Make) -> None:
    backbone = resolve_backbone(str(saved(kind)))
    before = torch.get_rng_state()
    model, same, other = (new_classifier(backbone, ["a", "b", "c"], seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert not model.training
    assert all(parameter.dtype == torch.float32 and parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(model.classifier.weight, same.classifier.weight)
    assert not torch.equal(model.classifier.weight, other.classifier.weight)
    # the sum of all numbers on disk but the pooler's, which a classifier has no place for; names differ, numbers do not
    stored = sum(t.double().sum() for name, t in load_file(backbone.folder / "model.safetensors").items() if "pooler" not in name)
    loaded = sum(t.double().sum() for name, t in model.state_dict().items() if not name.startswith("classifier."))
    assert loaded == pytest.approx(float(stored), abs=1e-9)


def test_training_one_classifier_leaves_the_next_one_and_the_folder_untouched(saved: Make) -> None:
    backbone = resolve_backbone(str(saved("dinov2")))
    first = new_classifier(backbone, ["a", "b"])
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.add_(1.0)
    second = new_classifier(backbone, ["a", "b"])
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.allclose(one, two + 1.0) for one, two in pairs)


def test_a_head_of_the_same_labels_is_kept_and_its_rows_follow_the_names(saved: Make) -> None:
    folder = saved("dinov2", labels=("cat", "dog", "emu"))
    stored = load_file(folder / "model.safetensors")["classifier.weight"]
    model = new_classifier(resolve_backbone(str(folder)), ["emu", "cat", "dog"])
    assert torch.equal(model.classifier.weight, stored[[2, 0, 1]])
    assert model.config.id2label == {0: "emu", 1: "cat", 2: "dog"}


def test_a_head_of_other_labels_is_not_kept(saved: Make) -> None:
    folder = saved("dinov2", labels=("cat", "dog", "emu"))
    stored = load_file(folder / "model.safetensors")["classifier.weight"]
    for labels in (["Cat", "dog", "emu"], ["cat", "dog"]):
        weight = new_classifier(resolve_backbone(str(folder)), labels).classifier.weight
        assert not torch.equal(weight, stored[: len(labels)])
        assert float(weight.detach().std()) == pytest.approx(0.02, rel=0.3)  # initializer_range of the configuration


@pytest.mark.parametrize("labels", [[], ["a", "a"]])
def test_labels_must_be_distinct_and_at_least_one(labels: list[str], saved: Make) -> None:
    with pytest.raises(ArtifactError, match="label_mismatch"):
        new_classifier(resolve_backbone(str(saved("dinov2"))), labels)


@pytest.mark.parametrize("kind", KINDS)
def test_every_role_names_one_linear_module_per_layer_of_the_actual_model(kind: str, saved: Make) -> None:
    model = new_classifier(resolve_backbone(str(saved(kind))), ["a", "b"])
    roles = module_roles(model)
    assert {role: len(names) for role, names in roles.items()} == dict.fromkeys(
        ("query", "key", "value", "attention_out", "mlp_in", "mlp_out"), 2
    ) | {"head": 1}
    modules = dict(model.named_modules())
    shapes = {role: tuple(modules[names[-1]].weight.shape) for role, names in roles.items()}
    hidden = 64 if kind == "vit" else 128  # intermediate_size, or mlp_ratio 4 x 32
    assert shapes["mlp_in"] == (hidden, 32)
    assert shapes["mlp_out"] == (32, hidden)
    assert shapes["query"] == shapes["value"] == (32, 32)
    assert modules[roles["query"][1]] is not modules[roles["value"][1]]


def test_a_gated_mlp_loads_from_its_fused_matrix_and_has_two_inputs_per_layer(saved: Make) -> None:
    folder = saved("dinov2", use_swiglu_ffn=True)
    model = new_classifier(resolve_backbone(str(folder)), ["a", "b"])
    roles = module_roles(model)
    assert (len(roles["mlp_in"]), len(roles["mlp_out"])) == (4, 2)
    fused = load_file(folder / "model.safetensors")["encoder.layer.0.mlp.weights_in.weight"]
    modules = dict(model.named_modules())
    assert torch.equal(torch.cat([modules[name].weight for name in roles["mlp_in"][:2]]), fused)


def test_a_role_missing_in_one_layer_is_an_error_not_a_smaller_adapter(saved: Make) -> None:
    model = new_classifier(resolve_backbone(str(saved("dinov2"))), ["a", "b"])
    model.dinov2.encoder.layer[1].attention.q_proj = torch.nn.Identity()
    with pytest.raises(ArtifactError, match="role query"):
        module_roles(model)


def test_two_copies_of_the_weights_in_one_folder_are_refused(fresh: Make) -> None:
    folder = fresh()
    shutil.copy(folder / "model.safetensors", folder / "again.safetensors")
    assert "another file" in refused("bad_safetensors", folder)
