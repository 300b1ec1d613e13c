"""Which rows do all methods give of pictures, what do they share, and what do they cost?"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lake.identity import rng
from models.families import FAMILIES
from models.image_scorer import ImageScorer
from models.scored_adapter import ScoredAdapter
from silver.explainers import block_of, explained
from silver.methods import forwards_per_example
from tests.unit.silver.picture_rows import IDS, METHODS, SETTINGS, RecordingPictures, adapter_of, contents, rows_of, scoring_of
from xai.masks import Masking, drawn_masks

DRAWN = ("lime", "kernel_shap", "cap")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[RecordingPictures, tuple[ScoredAdapter, ...]]:
    """A scoring, and one adapter under two label orders."""
    scoring = scoring_of(tmp_path_factory.mktemp("backbone"))
    first = adapter_of(scoring, tmp_path_factory.mktemp("merged") / "m.safetensors")
    return scoring, (first, ScoredAdapter("b", first.merged, (2, 0, 1)))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many pictures went through each of a scorer's ways that are no masks."""
    counted: Counter[str] = Counter()
    for name in ("logits", "explain", "integrated_gradients", "attention_maps"):
        real = getattr(ImageScorer, name)

        def counting(self: ImageScorer, pixels: np.ndarray, *more: Any, _real: Any = real, _name: str = name) -> Any:
            counted[_name] += len(pixels)
            return _real(self, pixels, *more)

        monkeypatch.setattr(ImageScorer, name, counting)
    return counted


@pytest.mark.parametrize("kind", [family.name for family in FAMILIES])
def test_every_picture_adapter_and_method_gives_one_row_over_all_patches(kind: str, tmp_path) -> None:
    scoring = scoring_of(tmp_path / kind, kind)
    rows = rows_of(scoring, (adapter_of(scoring, tmp_path / "m.safetensors"),))
    assert sorted((row["example_id"], row["method"]) for row in rows) == sorted((name, method) for name in IDS for method in METHODS)
    for row in rows:
        assert row["error_code"] is None and row["words"] is None and len(row["values"]) == row["n_units"] == 16
        assert np.isfinite(row["values"]).all() and np.std(row["values"]) > 0
    assert all(len({row["target_id"] for row in rows if row["example_id"] == name}) == 1 for name in IDS)


def test_what_is_drawn_carries_its_error_what_is_not_has_none_and_attention_says_nothing(pictures) -> None:
    scoring, adapters = pictures
    for row in rows_of(scoring, adapters[:1]):
        if row["method"] in DRAWN:
            assert len(row["errors"]) == 16 and min(row["errors"]) > 0
        elif row["method"] in ("ig", "occlusion"):
            assert row["error"] == 0.0 and set(row["errors"]) == {0.0}
        else:
            assert row["error"] is None and row["errors"] is None and sum(row["values"]) == pytest.approx(1.0, abs=1e-6)


def test_adapters_of_one_function_get_the_same_rows_whatever_their_label_order(pictures) -> None:
    scoring, adapters = pictures
    rows = {(row["adapter_id"], row["example_id"], row["method"]): row for row in rows_of(scoring, adapters)}
    for name in IDS:
        for method in METHODS:
            assert rows["a", name, method]["values"] == rows["b", name, method]["values"], method
    assert any(rows["a", name, "ig"]["target_id"] != rows["b", name, "ig"]["target_id"] for name in IDS)


def test_a_picture_has_to_the_bit_the_rows_it_has_alone(pictures) -> None:
    scoring, adapters = pictures
    together = {(row["example_id"], row["method"]): row for row in rows_of(scoring, adapters[:1])}
    for place in range(len(IDS)):
        for row in rows_of(scoring, adapters[:1], contents()[place : place + 1], first=place):
            assert row == together[row["example_id"], row["method"]], row["method"]


@pytest.mark.parametrize("baseline", ["mean", "zero", "blur", "drop"])
def test_p_of_the_intact_picture_is_that_of_its_logits_to_the_bit(baseline: str, pictures) -> None:
    scoring, adapters = pictures
    pixels = scoring.prepare(contents())
    for adapter in adapters:
        logits = scoring.logits(adapter, pixels)
        targets = logits.argmax(axis=1)
        asked = scoring.value(adapter, pixels, targets, baseline)(np.arange(3), np.ones((3, 16), dtype=bool))
        np.testing.assert_array_equal(scoring.shares(adapter, logits)[np.arange(3), targets], asked)


@pytest.mark.parametrize("baseline", ["mean", "zero", "blur", "drop"])
def test_occlusion_is_the_loss_of_p_patch_by_patch_under_every_baseline(baseline: str, pictures) -> None:
    """Naive twin: one mask at a time through the scorer's own value."""
    scoring, adapters = pictures
    pixels = scoring.prepare(contents())
    targets = scoring.logits(adapters[0], pixels).argmax(axis=1)
    value = scoring.scorer(adapters[0]).value(pixels, targets, baseline)
    settings = SETTINGS.model_copy(update={"baseline": baseline})
    for row in rows_of(scoring, adapters[:1], settings=settings, methods=("occlusion",)):
        place = np.array([IDS.index(row["example_id"])])
        whole = float(value(place, np.ones((1, 16), dtype=bool))[0])
        hidden = [float(value(place, ~np.eye(16, dtype=bool)[unit][None])[0]) for unit in range(16)]
        np.testing.assert_array_equal(np.float32(row["values"]), np.float32([whole - p for p in hidden]))


def test_few_patches_have_exact_shapley_values_that_are_complete(tmp_path) -> None:
    scoring = scoring_of(tmp_path / "b", side=28)
    adapter = adapter_of(scoring, tmp_path / "m.safetensors")
    pixels = scoring.prepare(contents())
    value = block_of(scoring, adapter, pixels, IDS, ("kernel_shap",), SETTINGS).value
    ends = value(np.stack([np.ones((3, 4), dtype=bool), np.zeros((3, 4), dtype=bool)], axis=1))
    rows = rows_of(scoring, (adapter,), methods=("kernel_shap",))
    assert all(row["error"] == 0.0 for row in rows)
    np.testing.assert_allclose([sum(row["values"]) for row in rows], ends[:, 0] - ends[:, 1], atol=1e-6)


def test_masks_are_keyed_by_seed_and_example_alone(pictures) -> None:
    scoring, adapters = pictures
    pixels = scoring.prepare(contents())

    def masks(adapter: ScoredAdapter, rows: list[int], seed: int = 0) -> np.ndarray:
        settings = SETTINGS.model_copy(update={"seed": seed})
        return block_of(scoring, adapter, pixels[rows], [IDS[row] for row in rows], ("lime",), settings).masks

    everyone = masks(adapters[0], [0, 1, 2])
    np.testing.assert_array_equal(everyone, masks(adapters[1], [0, 1, 2]))
    np.testing.assert_array_equal(everyone[2], masks(adapters[0], [2])[0])
    np.testing.assert_array_equal(everyone[1], drawn_masks([rng(0, "p1", "masks")], np.ones((1, 16), dtype=bool), Masking(n=40))[0])
    assert not np.array_equal(everyone, masks(adapters[0], [0, 1, 2], seed=1))


@pytest.mark.parametrize("methods", [METHODS, *((method,) for method in METHODS)], ids="-".join)
def test_no_forward_is_done_twice_and_none_beyond_what_the_plan_promises(pictures, calls, methods: tuple[str, ...]) -> None:
    scoring, adapters = pictures
    scoring.asked.clear()
    rows_of(scoring, adapters[:1], methods=methods)
    assert len(scoring.asked) == len(set(scoring.asked))
    assert not any(np.frombuffer(mask, dtype=bool).all() for _, mask in scoring.asked)  # the clean forward knows that one
    clean = calls["logits"] + calls["explain"]
    assert clean == 3 and calls["explain"] == 3 * ("attention" in methods)
    assert calls["integrated_gradients"] == 3 * ("ig" in methods) and calls["attention_maps"] == 3 * ("attention_rollout" in methods)
    asked = Counter(row for row, _ in scoring.asked)
    others = 1 + SETTINGS.ig_steps * ("ig" in methods) + ("attention_rollout" in methods)
    promised = forwards_per_example(methods, 16, SETTINGS)
    for row in range(3):
        assert others + asked[row] <= promised
    # 40 draws of 16 patches at a chance of 0.7 repeat each other, or hide one patch alone, so rarely that all but a few are asked.
    assert others + min(asked[row] for row in range(3)) >= promised - 3


def test_an_adapter_that_gives_no_numbers_makes_rejected_rows_and_its_neighbour_does_not(pictures, tmp_path) -> None:
    scoring, adapters = pictures
    broken = load_file(adapters[0].merged)
    broken["classifier.bias"][1] = torch.nan
    save_file(broken, tmp_path / "nan.safetensors")
    rows = rows_of(scoring, (ScoredAdapter("nan", str(tmp_path / "nan.safetensors"), (0, 1, 2)), adapters[0]))
    assert len(rows) == 2 * len(IDS) * len(METHODS)
    assert {(row["adapter_id"], row["error_code"]) for row in rows} == {("nan", "nonfinite"), ("a", None)}


def test_p_beyond_sixteen_bits_is_tried_once_more_in_float32(tmp_path) -> None:
    single = scoring_of(tmp_path / "b")
    adapter = adapter_of(single, tmp_path / "m.safetensors")
    state = load_file(single.backbone.folder / "model.safetensors")
    inner = next(name for name in state if name.endswith("layer.0.mlp.fc1.bias"))
    changed = load_file(adapter.merged) | {f"dinov2.{inner}": state[inner].clone()}
    changed[f"dinov2.{inner}"][0] = 1e5  # beyond float16's 65,504
    save_file(changed, adapter.merged)
    half = RecordingPictures(single.backbone, single.preprocessing, single.limits, "float16", 4)
    assert rows_of(half, (adapter,)) == rows_of(single, (adapter,))


def test_attention_behind_a_block_that_was_not_told_of_it_is_refused(pictures) -> None:
    scoring, adapters = pictures
    with pytest.raises(ValueError, match="found attention behind lime"):
        explained(block_of(scoring, adapters[0], scoring.prepare(contents()), IDS, ("lime",), SETTINGS), "attention")
    with pytest.raises(ValueError, match="for image inputs, got rollout"):
        block_of(scoring, adapters[0], scoring.prepare(contents()), IDS, ("rollout",), SETTINGS)
