"""Does a text scorer give the numbers of the model, the same bits whatever the neighbours, and share what adapters have in common?"""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lake.identity import settings_id
from models.backbone_record import TextBackbone
from models.buckets import fitted
from models.classifier import new_classifier
from models.errors import ArtifactError
from models.scored_adapter import ScoredAdapter
from models.text_backbone import resolve_text_backbone
from models.text_loading import load_text_scorer
from models.text_scorer import TEXT_ENGINE
from models.text_scoring import TextScoring
from models.texts import Texts, prepare
from tests.text_folders import FAMILIES, SENTENCES, save_family

LABELS = ("a", "b", "c")
BUCKETS = (16, 32, 128)  # the last is cut to each model's limit
SOME = (*SENTENCES, "card", "...", "lost card alarm " * 30)


@pytest.fixture(scope="module")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TextBackbone]:
    return {family: resolve_text_backbone(str(save_family(tmp_path_factory.mktemp(family), family))) for family in FAMILIES}


def merged(backbone: TextBackbone, path: Path, seed: int = 0, n_labels: int = 3) -> tuple[Path, torch.nn.Module]:
    """A merged adapter as the pipeline makes it: the file of changed tensors, and the whole model to compare with."""
    model = new_classifier(backbone, [f"label {row}" for row in range(n_labels)], seed).requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    changed = {}
    for name, tensor in model.state_dict().items():
        if "intermediate.dense" in name or "pooler" in name or name.startswith("classifier."):
            tensor.add_(torch.randn(tensor.shape, generator=generator) * 0.3)
            changed[name] = tensor.clone()
    save_file(changed, path)
    return path, model


def asked(model: torch.nn.Module, texts: Texts, **how: bool) -> object:
    """The library's own forward, one text at a time and without padding."""
    rows = [torch.from_numpy(texts.ids[row : row + 1, : texts.lengths[row]]) for row in range(len(texts))]
    return [model(input_ids=row, **how) for row in rows]


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_are_those_of_the_librarys_model_on_each_text_alone(family: str, backbones: dict[str, TextBackbone], tmp_path: Path) -> None:
    backbone = backbones[family]
    path, model = merged(backbone, tmp_path / "m.safetensors")
    texts = prepare(SOME, backbone)
    found = load_text_scorer(backbone, path, "float32", 4, BUCKETS).logits(texts)
    expected = np.concatenate([output.logits.numpy() for output in asked(model, texts)])
    assert (found.shape, found.dtype) == ((len(SOME), 3), np.float32)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)
    assert expected.std(axis=0).min() > 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_attention_is_the_eager_cls_row_of_the_last_layer_summed_into_words(
    family: str, backbones: dict[str, TextBackbone], tmp_path: Path
) -> None:
    backbone = backbones[family]
    path, model = merged(backbone, tmp_path / "m.safetensors")
    texts = prepare(SOME, backbone)
    scorer = load_text_scorer(backbone, path, "float32", 4, BUCKETS)
    logits, attention = scorer.explain(texts)
    assert np.array_equal(logits, scorer.logits(texts))
    assert np.array_equal(attention, scorer.attention(texts))
    # the mean head has no output_attentions: its encoder is asked
    encoder = getattr(model, backbone.family.removesuffix("_mean"))
    encoder.set_attn_implementation("eager")
    for row, output in enumerate(asked(encoder, texts, output_attentions=True)):
        tokens = output.attentions[-1][0, :, 0].mean(dim=0).numpy()
        words = np.array([tokens[texts.word_of[row, : len(tokens)] == word].sum() for word in range(texts.included.shape[1])])
        np.testing.assert_allclose(attention[row], words / words.sum(), atol=1e-5, rtol=0)
    np.testing.assert_allclose(attention.sum(axis=1), 1.0, atol=1e-6)
    assert not attention[~texts.included].any()
    assert attention[1].std() > 1e-3


def test_attention_without_a_word_to_look_at_is_uniform(backbones: dict[str, TextBackbone], tmp_path: Path) -> None:
    backbone = backbones["bert"]
    scorer = load_text_scorer(backbone, merged(backbone, tmp_path / "m.safetensors")[0], "float32", 4, BUCKETS)
    texts = prepare(["\u200b \u200c", "card \u200b"], backbone)  # no token; a word with one and a word without
    np.testing.assert_allclose(scorer.attention(texts), [[0.5, 0.5], [1.0, 0.0]])


@pytest.mark.parametrize("family", FAMILIES)
def test_embeddings_are_the_last_hidden_state_pooled_as_the_head_reads_it_and_averaged_into_words(
    family: str, backbones: dict[str, TextBackbone]
) -> None:
    backbone = backbones[family]
    texts = prepare((*SOME, "card \u200b lost"), backbone)
    scorer = load_text_scorer(backbone, None, "float32", 4, BUCKETS)
    pooled, words = scorer.embed(texts)
    encoder = getattr(new_classifier(backbone, ["a"]).requires_grad_(False), family.removesuffix("_mean"))
    for row, output in enumerate(asked(encoder, texts)):
        hidden = output.last_hidden_state[0].numpy()
        np.testing.assert_allclose(pooled[row], hidden.mean(axis=0) if family.endswith("_mean") else hidden[0], atol=1e-5, rtol=1e-5)
        for word in range(texts.included.shape[1]):
            own = hidden[texts.word_of[row, : len(hidden)] == word]
            np.testing.assert_allclose(words[row, word], own.mean(axis=0) if len(own) else np.zeros(32), atol=1e-5, rtol=1e-5)
    for call in (scorer.logits, scorer.explain, lambda some: scorer.value(some, np.zeros(len(some), int), "mask")):
        with pytest.raises(ArtifactError, match="head"):
            call(texts)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("family", ["bert", "roberta_mean"])
def test_results_are_bit_equal_whatever_the_neighbours_and_the_place_in_the_batch(
    family: str, dtype: str, backbones: dict[str, TextBackbone], tmp_path: Path
) -> None:
    backbone = backbones[family]
    scorer = load_text_scorer(backbone, merged(backbone, tmp_path / "m.safetensors")[0], dtype, 4, BUCKETS)
    texts = prepare(SOME, backbone)
    targets = np.arange(len(SOME)) % 3
    logits, attention = scorer.explain(texts)
    pooled, words = scorer.embed(texts)
    gradients = scorer.integrated_gradients(texts, targets, steps=3)
    for some in ([4], [0, 9], list(np.random.default_rng(1).permutation(len(SOME)))):
        part = texts[some]
        assert np.array_equal(scorer.logits(part), logits[some])
        assert np.array_equal(scorer.attention(part), attention[some])
        assert np.array_equal(scorer.embed(part)[0], pooled[some])
        assert np.array_equal(scorer.embed(part)[1], words[some])
        assert np.array_equal(scorer.integrated_gradients(part, targets[some], steps=3).values, gradients.values[some])
    alone = prepare([SOME[2]], backbone)  # tokenised alone, it is padded to another width
    assert np.array_equal(scorer.logits(alone)[0], logits[2])


def test_two_files_of_the_same_tensors_give_the_same_bits(backbones: dict[str, TextBackbone], tmp_path: Path) -> None:
    # A file's metadata moves its tensors in memory, by 8 bytes from one length to the next; the content hash does not know it.
    first = save_family(tmp_path / "first", "bert", LABELS, hidden_size=192, num_attention_heads=3)
    found = set()
    for length in (1, 9, 17, 25):
        folder = Path(shutil.copytree(first, tmp_path / str(length)))
        save_file(load_file(first / "model.safetensors"), folder / "model.safetensors", metadata={"format": "pt", "note": "x" * length})
        backbone = resolve_text_backbone(str(folder))
        scorer = load_text_scorer(backbone, None, "float32", 4, BUCKETS)
        texts = prepare(SENTENCES, backbone)
        gradients = scorer.integrated_gradients(texts, np.zeros(len(texts), dtype=np.int64), 2).values
        found.add((backbone.sha256, scorer.logits(texts).tobytes(), gradients.tobytes()))
    assert len(found) == 1


def test_no_text_gives_empty_results_of_the_right_shape(backbones: dict[str, TextBackbone], tmp_path: Path) -> None:
    backbone = backbones["roberta"]
    scorer = load_text_scorer(backbone, merged(backbone, tmp_path / "m.safetensors")[0], "float32", 4, BUCKETS)
    none = prepare([], backbone)
    assert scorer.logits(none).shape == (0, 3)
    assert [part.shape for part in scorer.explain(none)] == [(0, 3), (0, 0)]
    assert [part.shape for part in scorer.embed(none)] == [(0, 32), (0, 0, 32)]
    assert scorer.integrated_gradients(none, np.zeros(0, dtype=np.int64)).values.shape == (0, 0)


def test_texts_of_another_backbone_or_beyond_the_buckets_are_refused(backbones: dict[str, TextBackbone]) -> None:
    scorer = load_text_scorer(backbones["bert"], None, "float32", 4, (16, 32))
    with pytest.raises(ValueError, match="prepared for this backbone"):
        scorer.embed(prepare(["card"], backbones["bert_mean"]))
    with pytest.raises(ValueError, match="at most 32 tokens"):
        scorer.embed(prepare(["card " * 50], backbones["bert"]))
    with pytest.raises(ValueError, match="batch_size"):
        load_text_scorer(backbones["bert"], None, "float32", 0)


@pytest.mark.parametrize(
    ("buckets", "limit", "expected"), [((16, 32), 66, (16, 32)), ((16, 32, 128), 66, (16, 32, 66)), ((128,), 66, (66,))]
)
def test_buckets_end_at_the_models_limit(buckets: tuple[int, ...], limit: int, expected: tuple[int, ...]) -> None:
    assert fitted(buckets, limit) == expected


@pytest.mark.parametrize("buckets", [(), (0, 4), (8, 8), (16, 8)])
def test_buckets_that_do_not_ascend_are_refused(buckets: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        fitted(buckets, 66)


def test_numbers_that_are_not_finite_come_back_as_they_are_and_neighbours_are_untouched(tmp_path: Path) -> None:
    folder = save_family(tmp_path / "r", "roberta")
    backbone = resolve_text_backbone(str(folder))
    path, model = merged(backbone, tmp_path / "m.safetensors")
    clean = load_text_scorer(backbone, path, "float32", 4, BUCKETS)
    texts = prepare(SENTENCES, backbone)
    other = prepare(["ж"], backbone)
    alone = next(token for token in other.ids[0].tolist() if token > 4 and token not in texts.ids)
    words = model.state_dict()["roberta.embeddings.word_embeddings.weight"].clone()
    words[alone] = torch.nan
    save_file(load_file(path) | {"roberta.embeddings.word_embeddings.weight": words}, tmp_path / "nan.safetensors")
    broken = load_text_scorer(backbone, tmp_path / "nan.safetensors", "float32", 4, BUCKETS)
    mixed = prepare((SENTENCES[0], "ж", *SENTENCES[1:3]), backbone)
    found, attention = broken.explain(mixed)
    assert np.isnan(found[1]).all() and np.isnan(attention[1]).any()
    assert np.array_equal(np.delete(found, 1, 0), clean.logits(texts[:3]))
    assert np.isnan(broken.value(mixed, np.zeros(4, int), "mask")(np.array([1]), np.ones((1, mixed.included.shape[1]), bool))).all()


def test_adapters_of_one_backbone_share_the_products_they_did_not_change(backbones: dict[str, TextBackbone], tmp_path: Path) -> None:
    backbone = backbones["roberta"]
    first, second = (
        load_text_scorer(backbone, merged(backbone, tmp_path / f"{seed}.safetensors", seed, labels)[0], "float32", 4, BUCKETS)
        for seed, labels in ((1, 3), (2, 5))
    )
    for mine, other in zip(first.encoder.layers, second.encoder.layers, strict=True):
        assert (mine.qkv is other.qkv, mine.out is other.out, mine.mlp.outer is other.mlp.outer) == (True, True, True)
        assert mine.mlp.inner is not other.mlp.inner
    assert (first.n_labels, second.n_labels) == (3, 5)
    # two layers of 64 x 32 + 64, a dense of 32 x 32 + 32, a head over 32 inputs, 4 bytes each
    scoring = 4 * (2 * (64 * 32 + 64) + 32 * 32 + 32 + 3 * 32 + 3)
    assert first.own_bytes == scoring
    texts = prepare(["card"], backbone)
    first.integrated_gradients(texts, np.array([0]), 1)
    assert first.own_bytes == 2 * scoring  # gradients need the same tensors in float32 beside them


@pytest.mark.parametrize("damage", ["name", "shape", "head", "half a head"])
def test_a_merged_file_that_does_not_fit_is_refused(damage: str, backbones: dict[str, TextBackbone], tmp_path: Path) -> None:
    path, _ = merged(backbones["roberta"], tmp_path / "m.safetensors")
    tensors = load_file(path)
    if damage == "name":
        tensors["roberta.encoder.layer.9.output.dense.bias"] = torch.zeros(32)
    elif damage == "shape":
        tensors["roberta.embeddings.LayerNorm.weight"] = torch.zeros(33)
    elif damage == "head":
        del tensors["classifier.out_proj.bias"]
    else:
        del tensors["classifier.dense.weight"]
    save_file(tensors, tmp_path / "damaged.safetensors")
    with pytest.raises(ArtifactError) as caught:
        load_text_scorer(backbones["roberta"], tmp_path / "damaged.safetensors", "float32", 4)
    assert caught.value.code == "tensor_mismatch"


def test_scoring_prepares_scores_in_the_datasets_label_order_and_ships_by_pickle(
    backbones: dict[str, TextBackbone], tmp_path: Path
) -> None:
    backbone = backbones["bert_mean"]
    path, model = merged(backbone, tmp_path / "m.safetensors")
    scoring = pickle.loads(pickle.dumps(TextScoring(backbone, "float32", 4, (16, 32))))  # noqa: S301 - our own record, made a line before
    texts = scoring.prepare(SOME)
    assert texts.truncated.tolist() == [False] * 9 + [True] and texts.lengths.max() == 32
    adapter = ScoredAdapter("id", str(path), (2, 0, 1))
    expected = np.concatenate([output.logits.numpy() for output in asked(model, texts)])
    np.testing.assert_allclose(scoring.logits(adapter, texts), expected[:, [2, 0, 1]], atol=1e-5, rtol=1e-5)
    assert scoring.scorer(adapter) is scoring.scorer(adapter)
    assert scoring.scorer().n_labels == 0


def test_rows_that_are_not_finite_in_sixteen_bits_are_tried_once_more_in_float32(tmp_path: Path) -> None:
    backbone = resolve_text_backbone(str(save_family(tmp_path / "b", "bert_mean")))
    model = new_classifier(backbone, LABELS).requires_grad_(False)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    inner = next(name for name in state if name.endswith("layer.0.intermediate.dense.bias"))
    state[inner][0] = 1e5  # beyond float16's 65,504
    save_file(
        {name: tensor for name, tensor in state.items() if name == inner or name.startswith("classifier.")}, tmp_path / "m.safetensors"
    )
    adapter = ScoredAdapter("id", str(tmp_path / "m.safetensors"), (0, 1, 2))
    half, single = (TextScoring(backbone, dtype, 4, (16,)) for dtype in ("float16", "float32"))
    texts = half.prepare(["lost card"])
    assert not np.isfinite(half.scorer(adapter).logits(texts)).all()
    assert np.isfinite(half.logits(adapter, texts)).all()
    assert half.logits(adapter, texts).tolist() == single.logits(adapter, texts).tolist()


def test_all_that_changes_numbers_is_in_the_settings(backbones: dict[str, TextBackbone], monkeypatch: pytest.MonkeyPatch) -> None:
    base = TextScoring(backbones["bert"], "float32", 4, (16, 32))
    others = [
        TextScoring(backbones["bert_mean"], "float32", 4, (16, 32)),
        TextScoring(backbones["bert"], "bfloat16", 4, (16, 32)),
        TextScoring(backbones["bert"], "float32", 8, (16, 32)),
        TextScoring(backbones["bert"], "float32", 4, (16,)),
    ]
    assert len({settings_id(scoring.settings()) for scoring in (base, *others)}) == 5
    assert settings_id(base.settings()) == settings_id(TextScoring(backbones["bert"], "float32", 4, (16, 32), cache_bytes=1).settings())
    assert settings_id(TextScoring(backbones["bert"], "float32", 4, (16, 66)).settings()) == settings_id(
        TextScoring(backbones["bert"], "float32", 4, (16, 512)).settings()
    )
    before = settings_id(base.settings())
    assert set(base.settings()["libraries"]) == {"numpy", "tokenizers", "torch", "transformers"}
    monkeypatch.setattr("models.text_scoring.TEXT_ENGINE", TEXT_ENGINE + 1)
    assert settings_id(base.settings()) != before
