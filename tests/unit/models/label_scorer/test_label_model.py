"""A language model is identified by content, loaded whole and safely or refused with a code that says why."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.errors import ArtifactError
from models.label_scorer.artifact import resolve_label_model
from models.label_scorer.language_model import _check_agreement, load_language_model
from models.label_scorer.seen import read_record

ROPE = {"rope_theta": 10000.0, "factor": 8.0, "original_max_position_embeddings": 64}


def refused(code: str, folder: Path | str) -> str:
    with pytest.raises(ArtifactError) as error:
        load_language_model(resolve_label_model(str(folder)), "float32")
    assert error.value.code == code, str(error.value)
    return str(error.value)


def edit(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_model_is_its_content_wherever_it_stands(saved_lm: Callable[..., Path], tmp_path: Path) -> None:
    source = resolve_label_model(str(saved_lm()))
    shutil.copytree(source.folder, tmp_path / "elsewhere")
    moved = resolve_label_model(str(tmp_path / "elsewhere"))
    assert (moved.sha256, moved.name, moved.revision, moved.max_tokens) == (source.sha256, "elsewhere", None, 512)
    weights = load_file(moved.folder / "model.safetensors")
    weights["model.norm.weight"][0] += 1e-3
    save_file(weights, moved.folder / "model.safetensors", metadata={"format": "pt"})
    other = resolve_label_model(str(moved.folder))
    assert other.sha256 != source.sha256
    (moved.folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    assert resolve_label_model(str(moved.folder)).sha256 != other.sha256


def test_a_model_in_several_files_has_the_identity_of_the_same_tensors_in_one(fresh_lm: Callable[..., Path]) -> None:
    folder = fresh_lm()
    whole = resolve_label_model(str(folder)).sha256
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    parts = {"model-00001-of-00002.safetensors": names[:5], "model-00002-of-00002.safetensors": names[5:]}
    for file, own in parts.items():
        save_file({name: weights[name] for name in own}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: file for file, own in parts.items() for name in own}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    source = resolve_label_model(str(folder))
    assert source.sha256 == whole
    assert torch.equal(load_language_model(source, "float32").model.lm_head.weight, weights["lm_head.weight"])
    save_file({names[0]: weights[names[0]]}, folder / "twice.safetensors")
    assert names[0] in refused("bad_safetensors", folder)


def test_a_loaded_model_is_frozen_and_no_global_generator_moves(saved_lm: Callable[..., Path]) -> None:
    state = torch.get_rng_state()
    loaded = load_language_model.__wrapped__(resolve_label_model(str(saved_lm())), "bfloat16")
    assert torch.equal(torch.get_rng_state(), state)
    assert not loaded.model.training and not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.bfloat16}
    assert read_record(loaded.source.folder) is None  # of a model from elsewhere nobody knows what it saw


def test_what_is_no_language_model_is_refused_and_nothing_is_imported_from_its_config(fresh_lm: Callable[..., Path]) -> None:
    folder = fresh_lm()
    (folder / "evil.py").write_text("raise SystemExit('imported')")
    config = json.loads((folder / "config.json").read_text())
    edit(folder, model_type="evil", auto_map={"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"})
    refused("bad_config", folder)
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "dinov2"}))
    refused("bad_config", folder)
    (folder / "config.json").write_text(json.dumps(config | {"layer_types": ["linear_attention", "full_attention"]}))
    assert "linear_attention" in refused("bad_config", folder)
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": "two"}))
    refused("bad_config", folder)
    (folder / "config.json").unlink()
    refused("bad_config", folder)


def test_an_architecture_that_cannot_read_a_tree_is_refused(saved_lm: Callable[..., Path]) -> None:
    # ALiBi's distances are made from a mask of two dimensions
    assert "falcon" in refused("bad_config", saved_lm("falcon", alibi=True))


@pytest.mark.parametrize("ignored", ["attention_mask", "position_ids"])
def test_a_model_that_takes_masks_and_positions_and_ignores_them_is_found_out(ignored: str, saved_lm: Callable[..., Path]) -> None:
    loaded = load_language_model.__wrapped__(resolve_label_model(str(saved_lm())), "float32")
    forward = loaded.model.forward
    loaded.model.forward = lambda **given: forward(**{name: value for name, value in given.items() if name != ignored})
    with pytest.raises(ArtifactError, match="ignores masks or positions"):
        _check_agreement(loaded)


def test_an_adapter_and_a_folder_without_a_tokenizer_are_refused(fresh_lm: Callable[..., Path]) -> None:
    folder = fresh_lm()
    (folder / "tokenizer.json").write_text("{")
    refused("bad_config", folder)
    for path in folder.glob("tokenizer*"):
        path.unlink()
    assert "tokenizer.json" in refused("bad_config", folder)
    (folder / "adapter_config.json").write_text("{}")
    assert "adapter" in refused("bad_config", folder)


def test_weights_that_are_pickled_damaged_missing_or_too_many_are_refused(fresh_lm: Callable[..., Path]) -> None:
    folder = fresh_lm()
    path, weights = folder / "model.safetensors", load_file(folder / "model.safetensors")
    content = path.read_bytes()
    save_file({name: tensor for name, tensor in weights.items() if "layers.1.mlp.up" not in name}, path, metadata={"format": "pt"})
    assert "missing" in refused("tensor_mismatch", folder)
    save_file(weights | {"model.extra": torch.ones(2)}, path, metadata={"format": "pt"})
    assert "unexpected" in refused("tensor_mismatch", folder)
    save_file(weights | {"model.norm.weight": torch.ones(31)}, path, metadata={"format": "pt"})
    refused("tensor_mismatch", folder)
    save_file(weights | {"model.norm.weight": torch.full((32,), torch.nan)}, path, metadata={"format": "pt"})
    refused("nonfinite", folder)
    path.write_bytes(content[:-100])
    refused("bad_safetensors", folder)
    path.rename(folder / "pytorch_model.bin")
    assert "left unopened" in refused("pickle", folder)


def test_what_is_neither_a_folder_nor_in_reach_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert "local folder" in refused("not_a_file", tmp_path / "absent")
    assert "local folder" in refused("not_a_file", "nobody/not-a-model")


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        ({}, 512),
        ({"sliding_window": 100}, 100),
        ({"sliding_window": 100, "use_sliding_window": False}, 512),
        ({"sliding_window": 100, "layer_types": ["full_attention"] * 2}, 512),
        ({"sliding_window": 100, "layer_types": ["full_attention", "sliding_attention"]}, 100),
        ({"rope_parameters": ROPE | {"rope_type": "dynamic"}}, 64),
        ({"rope_parameters": ROPE | {"rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0}}, 512),
    ],
)
def test_the_limit_is_the_length_up_to_which_a_shared_prefix_is_exact(
    config: dict[str, object], limit: int, fresh_lm: Callable[..., Path]
) -> None:
    folder = fresh_lm()
    edit(folder, **config)
    assert resolve_label_model(str(folder)).max_tokens == limit
