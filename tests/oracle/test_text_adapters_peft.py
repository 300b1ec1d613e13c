"""Does a text adapter survive every way it can be written down, and is our merge peft's? Compared with peft itself, in every family."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from models.adapters import read_adapter
from models.backbone_record import TextBackbone
from models.classifier import new_classifier
from models.errors import ArtifactError
from models.lora import adapter_state, save_adapter, trainable_count, with_lora
from models.manifest import BackboneRecord, Manifest, file_hashes, write_manifest
from models.merge import merged_tensors, write_merged
from models.probe import probe
from models.recipe import Recipe
from models.text_backbone import resolve_text_backbone
from models.text_loading import load_text_scorer
from models.texts import prepare
from tests.adapter_folders import peft_model, save_peft
from tests.text_folders import FAMILIES, SENTENCES, edit_weights, save_family

LABELS = ("ant", "bee", "cow")
LOGITS = {"rtol": 1e-5, "atol": 2e-5}
TARGETS = ["query", "value", "intermediate.dense"]
HEADS = {"bert": ["classifier", "pooler"]}


@pytest.fixture(scope="module")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TextBackbone]:
    return {family: resolve_text_backbone(str(save_family(tmp_path_factory.mktemp(family), family))) for family in FAMILIES}


def trained(backbone: TextBackbone, fresh: bool = False, **recipe: Any) -> Any:
    """A classifier wrapped by our own `with_lora`; every trained tensor moved off its initial value unless `fresh`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = with_lora(new_classifier(backbone, LABELS), Recipe(name="r", **{"rank": 4, **recipe}), backbone.name)
        with torch.no_grad():
            for parameter in [] if fresh else [p for p in model.parameters() if p.requires_grad]:
                parameter.mul_(1 + 0.2 * torch.rand_like(parameter)).add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def saved(model: Any, backbone: TextBackbone, folder: Path, **changes: Any) -> Path:
    """As training writes it: tensors, config, manifest."""
    folder.mkdir()
    save_adapter(model, adapter_state(model), folder)
    record = BackboneRecord(name=backbone.name, revision=None, sha256=backbone.sha256)
    fields = {"modality": "text", "labels": LABELS, "preprocessing": {}, "recipe": {}, "recipe_sha256": "0", "training_data": "0"}
    write_manifest(Manifest(files=file_hashes(folder), backbone=record, metrics={}, **{**fields, **changes}), folder)
    return folder


def logits(model: Any, backbone: TextBackbone) -> torch.Tensor:
    texts = prepare(SENTENCES, backbone)
    with torch.no_grad():
        return model(input_ids=torch.from_numpy(texts.ids), attention_mask=torch.from_numpy(texts.attended).long()).logits


@pytest.mark.parametrize(
    "recipe", [{}, {"use_dora": False}, {"use_dora": False, "use_rslora": False, "bias": "none"}, {"targets": ("value",)}]
)
@pytest.mark.parametrize("family", FAMILIES)
def test_saved_read_and_merged_an_adapter_answers_as_it_did_unmerged(
    family: str, recipe: dict[str, Any], backbones: dict[str, TextBackbone], tmp_path: Path
) -> None:
    backbone = backbones[family]
    model = trained(backbone, **recipe)
    unmerged = logits(model, backbone)
    assert (unmerged - logits(new_classifier(backbone, LABELS), backbone)).abs().max() > 0.02  # a thousand times the tolerance below
    adapter = read_adapter(saved(model, backbone, tmp_path / "adapter"), tmp_path, backbone, LABELS)
    assert adapter.trainable_parameters == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert adapter.notes == ()
    plain = new_classifier(backbone, LABELS)
    mine = plain.state_dict() | merged_tensors(adapter, backbone)
    theirs = copy.deepcopy(model).merge_and_unload().state_dict()
    assert mine.keys() == theirs.keys()
    for name, tensor in theirs.items():
        torch.testing.assert_close(mine[name], tensor, rtol=0, atol=1e-6, msg=name)
    plain.load_state_dict(mine, strict=True)
    torch.testing.assert_close(logits(plain, backbone), unmerged, **LOGITS)
    scorer = load_text_scorer(backbone, write_merged(adapter, backbone, "float32", tmp_path / "merged"), "float32", 4)
    torch.testing.assert_close(torch.from_numpy(scorer.logits(prepare(SENTENCES, backbone))), unmerged, **LOGITS)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fresh_adapter_leaves_the_logits_unchanged_and_merges_to_the_head_alone(
    family: str, backbones: dict[str, TextBackbone], tmp_path: Path
) -> None:
    backbone = backbones[family]
    model = trained(backbone, fresh=True)
    torch.testing.assert_close(logits(model, backbone), logits(new_classifier(backbone, LABELS), backbone), **LOGITS)
    adapter = read_adapter(saved(model, backbone, tmp_path / "adapter"), tmp_path, backbone, LABELS)
    modules = {"bert": ("bert.pooler.dense", "classifier"), "roberta": ("classifier.dense", "classifier.out_proj")}.get(
        family, ("classifier",)
    )
    assert sorted(merged_tensors(adapter, backbone)) == sorted(f"{module}.{part}" for module in modules for part in ("weight", "bias"))
    found = probe(adapter, backbone, write_merged(adapter, backbone, "float32", tmp_path / "merged"))
    assert (found.status, found.notes) == ("ready", ("head_only",))
    moved = read_adapter(saved(trained(backbone), backbone, tmp_path / "moved"), tmp_path, backbone, LABELS)
    found = probe(moved, backbone, write_merged(moved, backbone, "float32", tmp_path / "merged"))
    assert (found.status, found.notes) == ("ready", ())


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_an_adapter_that_changes_nothing_on_a_folder_with_the_same_head_is_inert(kind: str, tmp_path: Path) -> None:
    backbone = resolve_text_backbone(str(save_family(tmp_path / "b", kind, LABELS)))
    adapter = read_adapter(saved(trained(backbone, fresh=True), backbone, tmp_path / "adapter"), tmp_path, backbone, LABELS)
    assert probe(adapter, backbone, write_merged(adapter, backbone, "float32", tmp_path / "merged")).status == "inert"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_number_of_trained_parameters_is_that_of_the_roles_and_the_whole_head(family: str, backbones: dict[str, TextBackbone]) -> None:
    """By hand, width 32, inner 64, two layers: query and value 32 -> 32, mlp_in 32 -> 64, mlp_out 64 -> 32; rank 4 x (in + out) for A
    and B, out each for DoRA's magnitudes and for the biases. Heads: 32 x 3 + 3; where they read CLS, before it a dense or pooler of
    32 x 32 + 32."""
    layer = 4 * (64 + 64 + 96 + 96) + 2 * (32 + 32 + 64 + 32)
    head = 99 + (0 if family.endswith("_mean") else 1056)
    model = trained(backbones[family])
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 2 * layer + head


@pytest.mark.parametrize(("rank", "expected"), [(4, 1_294_925), (16, 2_843_213), (32, 4_907_597)])
def test_roberta_base_with_77_labels_trains_this_many_parameters(rank: int, expected: int) -> None:
    # METHODS 1's recipe: the layers as in DINOv2-base, 12 x 14 x 768 x (rank + 1); the head 768 x 768 + 768 and 768 x 77 + 77
    assert 12 * 14 * 768 * (rank + 1) + 768 * 769 + 769 * 77 == expected
    from transformers.models.roberta.configuration_roberta import RobertaConfig

    assert trainable_count(RobertaConfig(vocab_size=50265, max_position_embeddings=514), 77, rank) == expected


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_dora": False, "bias": "all"},
        {"task_type": "SEQ_CLS", "bias": "none"},
        {"target_modules": "all-linear"},
        {"target_modules": r".*(query|layer\.\d+\.output\.dense)"},
    ],
)
def test_a_strangers_peft_adapter_is_read_with_the_head_it_brings(
    kind: str, settings: dict[str, Any], backbones: dict[str, TextBackbone], tmp_path: Path
) -> None:
    """peft's usual way: modules_to_save=['classifier']; a BERT then keeps the pooler of its folder."""
    backbone = backbones[kind]
    model = peft_model(backbone, LABELS, **{"target_modules": TARGETS, **settings})
    adapter = read_adapter(save_peft(model, tmp_path / "adapter", LABELS), tmp_path, backbone, LABELS)
    assert "no_manifest" in adapter.notes
    plain = new_classifier(backbone, LABELS)
    plain.load_state_dict(plain.state_dict() | merged_tensors(adapter, backbone), strict=True)
    unmerged = logits(model, backbone)
    torch.testing.assert_close(logits(plain, backbone), unmerged, **LOGITS)
    assert (unmerged - logits(new_classifier(backbone, LABELS), backbone)).abs().max() > 0.02  # a thousand times the tolerance


def test_without_pooler_weights_anywhere_an_adapter_must_bring_the_pooler(tmp_path: Path) -> None:
    folder = save_family(tmp_path / "b", "bert")
    edit_weights(folder, {"pooler.dense.weight": None, "pooler.dense.bias": None})
    backbone = resolve_text_backbone(str(folder))
    without = save_peft(peft_model(backbone, LABELS, target_modules=TARGETS), tmp_path / "without", LABELS)
    with pytest.raises(ArtifactError, match=r"pooler") as caught:
        read_adapter(without, tmp_path, backbone, LABELS)
    assert caught.value.code == "tensor_mismatch"
    model = peft_model(backbone, LABELS, target_modules=TARGETS, modules_to_save=["classifier", "pooler"])
    adapter = read_adapter(save_peft(model, tmp_path / "with", LABELS), tmp_path, backbone, LABELS)
    plain = new_classifier(backbone, LABELS, seed=9)
    plain.load_state_dict(plain.state_dict() | merged_tensors(adapter, backbone), strict=True)
    torch.testing.assert_close(logits(plain, backbone), logits(model, backbone), **LOGITS)


def test_a_roberta_head_in_part_is_refused(backbones: dict[str, TextBackbone], tmp_path: Path) -> None:
    model = peft_model(backbones["roberta"], LABELS, target_modules=TARGETS, modules_to_save=["out_proj"])
    with pytest.raises(ArtifactError, match=r"classifier\.dense"):
        read_adapter(save_peft(model, tmp_path / "adapter", LABELS), tmp_path, backbones["roberta"], LABELS)


def test_a_head_that_reads_cls_is_not_taken_for_one_that_reads_the_mean_token(backbones: dict[str, TextBackbone], tmp_path: Path) -> None:
    mean = backbones["bert_mean"]
    cls = resolve_text_backbone(str(mean.folder), pooling="cls")
    folder = save_peft(peft_model(cls, LABELS, target_modules=TARGETS), tmp_path / "adapter", LABELS)
    with pytest.raises(ArtifactError, match="mean token"):
        read_adapter(folder, tmp_path, mean, LABELS)
    assert read_adapter(folder, tmp_path, cls, LABELS).labels == LABELS
    ours = saved(trained(cls), cls, tmp_path / "ours")
    with pytest.raises(ArtifactError, match="trained on"):
        read_adapter(ours, tmp_path, mean, LABELS)


def test_an_adapter_for_pictures_is_not_one_for_texts(backbones: dict[str, TextBackbone], tmp_path: Path) -> None:
    backbone = backbones["roberta"]
    folder = saved(trained(backbone), backbone, tmp_path / "adapter", modality="image")
    with pytest.raises(ArtifactError, match="must be for text inputs, found image"):
        read_adapter(folder, tmp_path, backbone, LABELS)


def test_saving_writes_the_same_bytes_and_full_names_where_short_ones_would_adapt_more(
    backbones: dict[str, TextBackbone], tmp_path: Path
) -> None:
    """`output.dense` also ends the name of the attention's output: peft would adapt that too, without a word."""
    model = trained(backbones["roberta"])
    first, second = (saved(model, backbones["roberta"], tmp_path / name) for name in ("a", "b"))
    assert file_hashes(first) == file_hashes(second)
    config = json.loads((first / "adapter_config.json").read_text())
    assert not any("attention.output" in target or target == "dense" for target in config["target_modules"])
    assert config["modules_to_save"] == ["classifier"]
    assert json.loads((saved(trained(backbones["bert"]), backbones["bert"], tmp_path / "c") / "adapter_config.json").read_text())[
        "modules_to_save"
    ] == ["classifier", "pooler"]
