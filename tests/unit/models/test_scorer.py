"""Does a scorer give the numbers of the model, the same bits whatever the neighbours, and share what adapters have in common?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lake.identity import settings_id
from models.backbone import Backbone, new_classifier, resolve_backbone
from models.decode import DecodeLimits
from models.dtype import resolve_dtype
from models.encoder import ENGINE
from models.errors import ArtifactError
from models.families import FAMILIES
from models.images import preprocessing_of
from models.scorer import ScorerCache, load_scorer
from models.scoring import Scoring

Make = Callable[..., Path]
KINDS = [family.name for family in FAMILIES]


def pictures(n: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 3, 56, 56)).astype(np.float32)


def merged(backbone: Backbone, path: Path, seed: int = 0, labels: int = 3) -> tuple[Path, torch.nn.Module]:
    """A merged adapter as the pipeline makes it: the file of changed tensors, and the whole model to compare with."""
    model = new_classifier(backbone, [f"label {row}" for row in range(labels)], seed).requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    changed = {}
    for name, tensor in model.state_dict().items():
        if "mlp.fc1" in name or name.startswith("classifier."):
            tensor.add_(torch.randn(tensor.shape, generator=generator) * 0.3)
            changed[name] = tensor.clone()
    save_file(changed, path)
    return path, model


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_those_of_the_whole_model(kind: str, saved: Make, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(saved(kind)))
    path, model = merged(backbone, tmp_path / "m.safetensors")
    pixels = pictures(7)
    found = load_scorer(backbone, path, "float32", 4).logits(pixels)
    assert (found.shape, found.dtype) == ((7, 3), np.float32)
    np.testing.assert_allclose(found, model(torch.from_numpy(pixels)).logits.numpy(), atol=1e-5, rtol=0)


def test_two_files_of_the_same_tensors_give_the_same_bits(saved: Make, tmp_path: Path) -> None:
    # A file's metadata moves its tensors in memory, by 8 bytes from one length to the next; the content hash does not know it.
    first = saved("dinov2", hidden_size=192, num_attention_heads=3)  # narrower products happened to agree
    found = set()
    for length in (1, 9, 17, 25):
        folder = Path(shutil.copytree(first, tmp_path / str(length)))
        save_file(load_file(first / "model.safetensors"), folder / "model.safetensors", metadata={"format": "pt", "note": "x" * length})
        backbone = resolve_backbone(str(folder))
        found.add((backbone.sha256, load_scorer(backbone, None, "float32", 4).embed(pictures(3))[0].tobytes()))
    assert len(found) == 1


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_results_are_bit_equal_whatever_the_neighbours_and_the_place_in_the_batch(dtype: str, saved: Make, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(saved("dinov2")))
    scorer = load_scorer(backbone, merged(backbone, tmp_path / "m.safetensors")[0], dtype, 8)
    pixels = pictures(19)
    order = np.random.default_rng(1).permutation(19)
    logits, attention = scorer.explain(pixels)
    pooled, units = scorer.embed(pixels)
    for some in ([4], [0, 18], list(order)):
        assert np.array_equal(scorer.logits(pixels[some]), logits[some])
        assert np.array_equal(scorer.explain(pixels[some])[1], attention[some])
        again = scorer.embed(pixels[some])
        assert np.array_equal(again[0], pooled[some])
        assert np.array_equal(again[1], units[some])


@pytest.mark.parametrize("kind", KINDS)
def test_explaining_gives_the_logits_and_the_eager_cls_row(kind: str, saved: Make, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(saved(kind)))
    path, model = merged(backbone, tmp_path / "m.safetensors")
    scorer, pixels = load_scorer(backbone, path, "float32", 4), pictures(5)
    logits, attention = scorer.explain(pixels)
    assert np.array_equal(logits, scorer.logits(pixels))
    model.set_attn_implementation("eager")
    eager = model(torch.from_numpy(pixels), output_attentions=True).attentions[-1][:, :, 0]
    np.testing.assert_allclose(attention, eager.numpy(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_backbone_without_a_head_gives_its_last_hidden_state_but_no_logits(kind: str, saved: Make) -> None:
    backbone = resolve_backbone(str(saved(kind)))
    scorer, pixels = load_scorer(backbone, None, "float32", 4), pictures(5)
    pooled, units = scorer.embed(pixels)
    base = getattr(new_classifier(backbone, ["a"]), backbone.family).requires_grad_(False)
    hidden = base(torch.from_numpy(pixels)).last_hidden_state.numpy()
    np.testing.assert_allclose(pooled, hidden[:, 0], atol=1e-5, rtol=0)
    np.testing.assert_allclose(units, hidden[:, backbone.n_prefix :], atol=1e-5, rtol=0)
    for call in (lambda: scorer.logits(pixels), lambda: scorer.explain(pixels), lambda: scorer.value(pixels, np.zeros(5, int), "zero")):
        with pytest.raises(ArtifactError, match="head"):
            call()


def test_no_picture_gives_empty_results_of_the_right_shape(saved: Make, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(saved("dinov2")))
    scorer = load_scorer(backbone, merged(backbone, tmp_path / "m.safetensors")[0], "float32", 4)
    assert scorer.logits(pictures(0)).shape == (0, 3)
    assert [part.shape for part in scorer.explain(pictures(0))] == [(0, 3), (0, 2, 17)]
    assert [part.shape for part in scorer.embed(pictures(0))] == [(0, 32), (0, 16, 32)]


def test_pictures_of_another_size_are_refused(saved: Make) -> None:
    scorer = load_scorer(resolve_backbone(str(saved("dinov2"))), None, "float32", 4)
    with pytest.raises(ValueError, match=r"float32\[n,3,56,56\]"):
        scorer.embed(np.zeros((2, 3, 42, 42), dtype=np.float32))


def test_numbers_that_are_not_finite_come_back_as_they_are_and_neighbours_are_untouched(saved: Make, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(saved("dinov2")))
    scorer = load_scorer(backbone, merged(backbone, tmp_path / "m.safetensors")[0], "float32", 4)
    pixels = pictures(4)
    clean = scorer.logits(pixels)
    pixels[2, 0, 0, 0] = np.nan
    found = scorer.logits(pixels)
    assert np.isnan(found[2]).all()
    assert np.array_equal(np.delete(found, 2, 0), np.delete(clean, 2, 0))


def test_adapters_of_one_backbone_share_the_products_they_did_not_change(saved: Make, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(saved("dinov2")))
    first, second = (
        load_scorer(backbone, merged(backbone, tmp_path / f"{seed}.safetensors", seed, labels)[0], "float32", 4)
        for seed, labels in ((1, 3), (2, 5))
    )
    for mine, other in zip(first.encoder.layers, second.encoder.layers, strict=True):
        assert (mine.qkv is other.qkv, mine.out is other.out, mine.mlp.outer is other.mlp.outer) == (True, True, True)
        assert mine.mlp.inner is not other.mlp.inner
    one, two = first.model.state_dict(), second.model.state_dict()
    assert {name for name in one if one[name].data_ptr() != two[name].data_ptr()} == {"classifier.weight", "classifier.bias"}
    assert (first.n_labels, second.n_labels) == (3, 5)
    # two layers of fc1 (128 x 32 + 128) and a head over 64 inputs, 4 bytes each
    assert first.own_bytes == 4 * (2 * (128 * 32 + 128) + 3 * 64 + 3)


def test_a_backbone_with_a_head_of_its_own_scores_without_an_adapter(saved: Make) -> None:
    backbone = resolve_backbone(str(saved("dinov2", labels=("cat", "dog", "emu"))))
    expected = new_classifier(backbone, ["cat", "dog", "emu"]).requires_grad_(False)
    pixels = pictures(2)
    found = load_scorer(backbone, None, "float32", 4).logits(pixels)
    np.testing.assert_allclose(found, expected(torch.from_numpy(pixels)).logits.numpy(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("damage", ["name", "shape", "head"])
def test_a_merged_file_that_does_not_fit_is_refused(damage: str, saved: Make, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(saved("dinov2")))
    tensors = {"classifier.weight": torch.zeros(3, 64), "classifier.bias": torch.zeros(3)}
    if damage == "name":
        tensors["dinov2.encoder.layer.0.attention.attention.query.weight"] = torch.zeros(32, 32)
    elif damage == "shape":
        tensors["dinov2.layernorm.weight"] = torch.zeros(33)
    else:
        del tensors["classifier.bias"]
    save_file(tensors, tmp_path / "m.safetensors")
    with pytest.raises(ArtifactError) as caught:
        load_scorer(backbone, tmp_path / "m.safetensors", "float32", 4)
    assert caught.value.code == "tensor_mismatch"


def test_the_cache_goes_by_content_not_by_path(saved: Make, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(saved("dinov2")))
    cache = ScorerCache(10**9)
    path = merged(backbone, tmp_path / "m.safetensors", 1)[0]
    first = cache.get(backbone, path, "float32", 4)
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(path.read_bytes())
    assert cache.get(backbone, str(copy), "float32", 4) is first
    assert cache.get(backbone, path, "float32", 8) is not first
    assert cache.get(backbone, path, "bfloat16", 4) is not first
    (tmp_path / "new.safetensors").write_bytes(merged(backbone, tmp_path / "other.safetensors", 2)[0].read_bytes())
    (tmp_path / "new.safetensors").rename(path)
    assert not np.array_equal(cache.get(backbone, path, "float32", 4).logits(pictures(1)), first.logits(pictures(1)))


def test_the_cache_drops_the_least_recently_used_beyond_its_bytes(saved: Make, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(saved("dinov2")))
    paths = [merged(backbone, tmp_path / f"{seed}.safetensors", seed)[0] for seed in range(3)]
    size = load_scorer(backbone, paths[0], "float32", 4).own_bytes
    cache = ScorerCache(2 * size)
    first, second = (cache.get(backbone, path, "float32", 4) for path in paths[:2])
    assert cache.get(backbone, paths[0], "float32", 4) is first  # now the second is the least recent
    cache.get(backbone, paths[2], "float32", 4)
    assert len(cache) == 2
    assert cache.get(backbone, paths[0], "float32", 4) is first
    assert cache.get(backbone, paths[1], "float32", 4) is not second


def test_a_scorer_larger_than_the_cache_is_still_given(saved: Make, tmp_path: Path) -> None:
    backbone = resolve_backbone(str(saved("dinov2")))
    cache = ScorerCache(0)
    path = merged(backbone, tmp_path / "m.safetensors")[0]
    assert cache.get(backbone, path, "float32", 4) is cache.get(backbone, path, "float32", 4)


def test_auto_precision_is_resolved_to_a_name_that_can_be_recorded() -> None:
    assert resolve_dtype("auto") in ("float32", "bfloat16", "float16")
    assert resolve_dtype("bfloat16") == "bfloat16"
    with pytest.raises(ValueError, match="float64"):
        resolve_dtype("float64")


def test_another_arithmetic_is_another_settings_id(saved: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = resolve_backbone(str(saved("dinov2")))
    scoring = Scoring(backbone, preprocessing_of(backbone.folder), DecodeLimits(), "float32", 4)
    before = settings_id(scoring.settings())
    monkeypatch.setattr("models.scoring.ENGINE", ENGINE + 1)
    assert settings_id(scoring.settings()) != before
