"""Is a text backbone what its folder holds: identified with its tokenizer, loaded whole or refused, its head found by role?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file

from models.backbone import resolve_backbone
from models.backbone_record import TextBackbone
from models.classifier import new_classifier
from models.errors import ArtifactError
from models.roles import module_roles
from models.text_backbone import resolve_text_backbone
from models.text_families import TEXT_FAMILIES
from tests.text_folders import FAMILIES, KINDS, edit_weights, roberta_tokenizer, save_family, save_text

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One folder per family: read them, never change them."""
    return {family: save_family(tmp_path_factory.mktemp(family), family) for family in FAMILIES}


def refused(code: str, folder: Path | str, **how: Any) -> str:
    with pytest.raises(ArtifactError) as caught:
        new_classifier(resolve_text_backbone(str(folder), **how), ["a", "b"])
    assert caught.value.code == code
    return caught.value.message


def test_the_families_here_are_those_of_the_room() -> None:
    assert sorted(FAMILIES) == sorted(family.name for family in TEXT_FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_says_what_its_model_reads(family: str, folders: dict[str, Path]) -> None:
    found = resolve_text_backbone(str(folders[family]))
    # 66 positions; RoBERTa's begin behind the padding's id, 1: 66 - 1 - 1
    n_tokens = 66 if family.startswith("bert") else 64
    pooling = "mean" if family.endswith("_mean") else "cls"
    assert (found.family, found.pooling, found.n_tokens, found.hidden_size, found.n_layers) == (family, pooling, n_tokens, 32, 2)
    assert (found.name, found.revision) == (folders[family].name, None)
    assert found.own_head == (("bert.pooler.dense",) if family == "bert" else ())


def test_the_longest_input_is_the_tokenizers_where_that_is_shorter(tmp_path: Path) -> None:
    folder = save_text(tmp_path / "b", "bert")
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 40}))
    assert resolve_text_backbone(str(folder)).n_tokens == 40
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 1000000000000000019884624838656}))
    assert resolve_text_backbone(str(folder)).n_tokens == 66


def test_another_tokenizer_or_pooling_is_another_backbone_but_not_another_padding(tmp_path: Path) -> None:
    folder = save_text(tmp_path / "r", "roberta")
    path = folder / "tokenizer.json"
    found = [resolve_text_backbone(str(folder)).sha256]
    tokenizer = json.loads(path.read_text())
    path.write_text(
        json.dumps(tokenizer | {"truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}})
    )
    assert resolve_text_backbone(str(folder)).sha256 == found[0]
    merges = tokenizer["model"]["merges"]
    path.write_text(json.dumps(tokenizer | {"model": tokenizer["model"] | {"merges": merges[:-1]}}))
    found.append(resolve_text_backbone(str(folder)).sha256)
    roberta_tokenizer(trim_offsets=False).save(str(path))
    found.append(resolve_text_backbone(str(folder)).sha256)
    found.append(resolve_text_backbone(str(folder), pooling="mean").sha256)
    (folder / "tokenizer_config.json").write_text(json.dumps({"mask_token": "<unk>"}))
    found.append(resolve_text_backbone(str(folder)).sha256)
    edit_weights(folder, {"embeddings.LayerNorm.bias": load_file(folder / "model.safetensors")["embeddings.LayerNorm.bias"] + 1e-6})
    found.append(resolve_text_backbone(str(folder)).sha256)
    assert len(set(found)) == len(found)


def test_a_folder_whose_tokenizer_changed_after_it_was_resolved_is_refused(tmp_path: Path) -> None:
    folder = save_text(tmp_path / "r", "roberta")
    found = resolve_text_backbone(str(folder))
    roberta_tokenizer(trim_offsets=False).save(str(folder / "tokenizer.json"))
    with pytest.raises(ArtifactError, match="changed during the run"):
        new_classifier(found, ["a"])


@pytest.mark.parametrize("damage", ["missing", "unexpected", "shape", "half a pooler"])
def test_weights_that_do_not_fit_the_configuration_are_not_loaded_in_part(damage: str, tmp_path: Path) -> None:
    folder = save_text(tmp_path / "b", "bert")
    name = "encoder.layer.1.attention.self.query.weight"
    weight = load_file(folder / "model.safetensors")[name]
    changes: dict[str, dict[str, torch.Tensor | None]] = {
        "missing": {name: None},
        "unexpected": {"encoder.layer.2.attention.self.query.weight": weight},
        "shape": {name: weight[:-1]},
        "half a pooler": {"pooler.dense.bias": None},
    }
    edit_weights(folder, changes[damage])
    refused("tensor_mismatch", folder)


@pytest.mark.parametrize("kind", KINDS)
def test_what_hub_checkpoints_carry_beside_the_encoder_is_left_out_and_old_names_are_read(kind: str, tmp_path: Path) -> None:
    """bert-base has gamma and beta, pre-training heads and position ids; roberta-base has lm_head and sometimes a pooler."""
    folder = save_text(tmp_path / "m", kind)
    plain = new_classifier(resolve_text_backbone(str(folder)), ["a", "b"])
    stored = load_file(folder / "model.safetensors")
    changes: dict[str, torch.Tensor | None] = dict.fromkeys(stored)
    for name, tensor in stored.items():
        old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        changes[f"{kind}.{old}"] = tensor
    changes |= {
        f"{kind}.embeddings.position_ids": torch.arange(66).view(1, -1),
        f"{kind}.pooler.dense.weight": stored["pooler.dense.weight"],
    }
    changes |= {"lm_head.bias": torch.zeros(9)} if kind == "roberta" else {"cls.predictions.bias": torch.zeros(9)}
    edit_weights(folder, changes)
    found = new_classifier(resolve_text_backbone(str(folder)), ["a", "b"]).state_dict()
    assert found.keys() == plain.state_dict().keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in plain.state_dict().items())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_new_classifier_has_the_folders_weights_a_head_of_its_seed_and_no_empty_buffer(family: str, folders: dict[str, Path]) -> None:
    backbone = resolve_text_backbone(str(folders[family]))
    before = torch.get_rng_state()
    model, same, other = (new_classifier(backbone, ["a", "b", "c"], seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    stored = load_file(backbone.folder / "model.safetensors")
    prefix = f"{family.removesuffix('_mean')}."
    fresh = {name for name in model if name.removeprefix(prefix) not in stored}
    head = {"bert": ["classifier"], "roberta": ["classifier.dense", "classifier.out_proj"]}.get(family, ["classifier"])
    assert fresh == {f"{module}.{part}" for module in head for part in ("weight", "bias")}
    assert all(torch.equal(tensor, stored[name.removeprefix(prefix)]) for name, tensor in model.items() if name not in fresh)
    for module in head:
        assert torch.equal(model[f"{module}.weight"], same[f"{module}.weight"])
        assert not torch.equal(model[f"{module}.weight"], other[f"{module}.weight"])
        assert float(model[f"{module}.weight"].std()) == pytest.approx(0.02, rel=0.3)  # initializer_range of the configuration
        assert not model[f"{module}.bias"].any()
    classifier = new_classifier(backbone, ["a"])
    assert not any(buffer.is_meta for buffer in classifier.buffers())
    assert all(parameter.dtype == torch.float32 and parameter.requires_grad for parameter in classifier.parameters())


def test_a_bert_without_pooler_weights_gets_a_fresh_pooler_that_belongs_to_the_head(tmp_path: Path) -> None:
    folder = save_text(tmp_path / "b", "bert")
    edit_weights(folder, {"pooler.dense.weight": None, "pooler.dense.bias": None})
    backbone = resolve_text_backbone(str(folder))
    assert backbone.own_head == ()
    one, two = (new_classifier(backbone, ["a", "b"], seed=seed).state_dict()["bert.pooler.dense.weight"] for seed in (1, 2))
    assert not torch.equal(one, two)
    assert torch.isfinite(one).all() and one.abs().max() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_of_the_same_labels_is_kept_its_rows_follow_the_names_and_one_of_other_labels_is_not(kind: str, tmp_path: Path) -> None:
    folder = save_text(tmp_path / "m", kind, labels=("cat", "dog", "emu"))
    stored = load_file(folder / "model.safetensors")
    output = "classifier" if kind == "bert" else "classifier.out_proj"
    backbone = resolve_text_backbone(str(folder))
    same = new_classifier(backbone, ["emu", "cat", "dog"])
    assert torch.equal(same.state_dict()[f"{output}.weight"], stored[f"{output}.weight"][[2, 0, 1]])
    assert torch.equal(same.state_dict()[f"{output}.bias"], stored[f"{output}.bias"][[2, 0, 1]])
    other = new_classifier(backbone, ["Cat", "dog", "emu"]).state_dict()
    if kind == "roberta":
        assert torch.equal(same.state_dict()["classifier.dense.weight"], stored["classifier.dense.weight"])
        assert not torch.equal(other["classifier.dense.weight"], stored["classifier.dense.weight"])
    else:  # the pooler is the backbone's: it stays under any labels
        assert torch.equal(other["bert.pooler.dense.weight"], stored["bert.pooler.dense.weight"])
    assert not torch.equal(other[f"{output}.weight"], stored[f"{output}.weight"])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_role_names_one_linear_module_per_layer_of_the_actual_model(family: str, folders: dict[str, Path]) -> None:
    model = new_classifier(resolve_text_backbone(str(folders[family])), ["a", "b", "c"])
    roles, modules = module_roles(model), dict(model.named_modules())
    assert {role: len(names) for role, names in roles.items() if role != "head"} == dict.fromkeys(
        ("query", "key", "value", "attention_out", "mlp_in", "mlp_out"), 2
    )
    shapes = {role: tuple(modules[names[-1]].weight.shape) for role, names in roles.items()}
    assert (shapes["mlp_in"], shapes["mlp_out"], shapes["attention_out"], shapes["query"]) == ((64, 32), (32, 64), (32, 32), (32, 32))
    assert len({names[1] for names in roles.values() if len(names) > 1}) >= 6
    head = {"bert": ("bert.pooler.dense", "classifier"), "roberta": ("classifier.dense", "classifier.out_proj")}
    assert roles["head"] == head.get(family, ("classifier",))
    assert shapes["head"] == (3, 32)


def test_a_pooling_that_is_neither_mean_nor_cls_must_be_chosen(tmp_path: Path) -> None:
    folder = save_text(tmp_path / "b", "bert", mean=True)
    path = folder / "1_Pooling" / "config.json"
    path.write_text(json.dumps({"pooling_mode_cls_token": False, "pooling_mode_max_tokens": True}))
    assert "max_tokens" in refused("bad_config", folder)
    assert resolve_text_backbone(str(folder), pooling="cls").pooling == "cls"
    path.write_text(json.dumps({"pooling_mode": "cls"}))
    assert resolve_text_backbone(str(folder)).pooling == "cls"


@pytest.mark.parametrize(
    "changes", [{"model_type": "os.system"}, {"is_decoder": True}, {"position_embedding_type": "relative_key"}, {"hidden_size": "wide"}]
)
def test_configurations_that_mean_another_function_are_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    folder = save_text(tmp_path / "b", "bert")
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    refused("bad_config", folder)


@pytest.mark.parametrize("damage", ["absent", "no JSON", "no tokenizer", "no mask", "other frame", "too large"])
def test_a_tokenizer_that_cannot_be_used_is_refused(damage: str, tmp_path: Path) -> None:
    folder = save_text(tmp_path / "b", "bert")
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    if damage == "absent":
        path.unlink()
        (folder / "vocab.txt").write_text("[PAD]")
    elif damage == "no JSON":
        path.write_text("{")
    elif damage == "no tokenizer":
        path.write_text(json.dumps({"model": {"type": "Magic"}}))
    elif damage == "no mask":
        (folder / "tokenizer_config.json").write_text(json.dumps({"mask_token": "<mask>"}))
    elif damage == "other frame":
        path.write_text(json.dumps(tokenizer | {"post_processor": None}))
    else:
        config = json.loads((folder / "config.json").read_text())
        word = "embeddings.word_embeddings.weight"
        edit_weights(folder, {word: load_file(folder / "model.safetensors")[word][:50]})
        (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 50}))
    refused("bad_config", folder)


def test_pickles_adapters_pictures_models_and_unknown_names_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: Make
) -> None:
    folder = save_text(tmp_path / "b", "bert")
    (folder / "adapter_config.json").write_text("{}")
    assert "adapter" in refused("bad_config", folder)
    (folder / "adapter_config.json").unlink()
    with pytest.raises(ArtifactError, match="dinov2"):
        resolve_backbone(str(folder))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "left unopened" in refused("pickle", folder)
    assert "roberta" in refused("bad_config", fresh())
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert "local folder" in refused("not_a_file", "nobody/not-a-model")


def test_a_record_is_equal_to_another_only_with_the_same_content(folders: dict[str, Path]) -> None:
    one, two = (resolve_text_backbone(str(folders["bert"])) for _ in range(2))
    assert (one, hash(one)) == (two, hash(two))
    assert isinstance(one, TextBackbone)
