"""Which rows do all methods give of texts, what do they share, and what becomes of texts that are not sentences?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from lake.identity import rng
from lake.rows import ERROR_COLUMNS, Identity
from models.any_scoring import Flat
from models.classifier import new_classifier
from models.scored_adapter import ScoredAdapter
from models.text_backbone import resolve_text_backbone
from models.text_scorer import TextScorer
from models.text_scoring import TextScoring
from models.texts import Texts
from silver.attribute import Attribution, attribute
from silver.explainers import EXPLAINERS, block_of, explained
from silver.methods import MethodSettings, forwards_per_text
from silver.settings import COMPUTED
from silver.specs import ATTRIBUTIONS
from tests.text_folders import save_family
from xai.masks import Masking, coalitions, drawn_masks

METHODS = COMPUTED["text"]
SETTINGS = MethodSettings(masks=Masking(n=20), ig_steps=3)
# One word, seven, and fourteen: Shapley values of the first two are enumerated, of the last drawn.
TEXTS = ("lost", "i lost my card, please block it", "set an alarm for seven and which alarm is set for tomorrow morning card")
IDS = ("t0", "t1", "t2")
ORDERS = {"a": (0, 1, 2), "b": (2, 0, 1)}


@dataclass(frozen=True)
class Recording(TextScoring):
    """The real scoring, which notes every (text, mask) that its values are asked about."""

    asked: list[tuple[int, bytes]] = field(default_factory=list, compare=False)

    def value(self, adapter: ScoredAdapter, inputs: Texts, targets: NDArray[np.int64], baseline: str) -> Flat:
        flat = super().value(adapter, inputs, targets, baseline)

        def noted(rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
            self.asked.extend((int(row), (mask & inputs.included[row]).tobytes()) for row, mask in zip(rows, keep, strict=True))
            return flat(rows, keep)

        return noted


@pytest.fixture(scope="module")
def scoring(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("backbone")
    return Recording(resolve_text_backbone(str(save_family(folder / "roberta", "roberta"))), "float32", 4, (16, 32))


@pytest.fixture(scope="module")
def adapters(scoring: TextScoring, tmp_path_factory: pytest.TempPathFactory) -> tuple[ScoredAdapter, ...]:
    path = tmp_path_factory.mktemp("merged") / "m.safetensors"
    state = new_classifier(scoring.backbone, ["x", "y", "z"], seed=4).requires_grad_(False).state_dict()
    save_file({name: 20 * tensor.clone() for name, tensor in state.items() if name.startswith("classifier.")}, path)
    return tuple(ScoredAdapter(name, str(path), order) for name, order in ORDERS.items())


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many texts went through each of a scorer's clean forwards."""
    counted: Counter[str] = Counter()
    for name in ("logits", "explain", "integrated_gradients"):
        real = getattr(TextScorer, name)

        def counting(self: TextScorer, texts: Texts, *more: Any, _real: Any = real, _name: str = name) -> Any:
            counted[_name] += len(texts)
            return _real(self, texts, *more)

        monkeypatch.setattr(TextScorer, name, counting)
    return counted


def identity(adapters: tuple[ScoredAdapter, ...], methods: tuple[str, ...] = METHODS) -> Identity:
    return Identity("d", "s", tuple({"adapter_id": own.adapter_id, "method": method} for own in adapters for method in methods))


def rows_of(
    scoring: TextScoring,
    adapters: tuple[ScoredAdapter, ...],
    texts: tuple[str, ...] = TEXTS,
    todo: list[list[int]] | None = None,
    settings: MethodSettings = SETTINGS,
    methods: tuple[str, ...] = METHODS,
) -> list[dict[str, Any]]:
    own = identity(adapters, methods)
    asked = todo or [list(range(len(own.variants)))] * len(texts)
    names = [f"t{place}" for place in range(len(texts))]
    columns = {"example_id": names, "text": list(texts), "todo": pa.array(asked, pa.list_(pa.int32()))}
    made = list(attribute(iter([pa.RecordBatch.from_pydict(columns)]), Attribution(scoring, adapters, own, settings)))
    assert all(part.schema == ATTRIBUTIONS.arrow_schema(ERROR_COLUMNS) for part in made)
    return [row for part in made for row in part.to_pylist()]


def test_every_method_that_may_be_asked_for_has_its_function() -> None:
    assert {kind: tuple(method for column, method in EXPLAINERS if column == kind) for kind in ("image", "text")} == COMPUTED


def test_every_example_adapter_and_method_gives_one_row_over_the_texts_own_words(scoring, adapters) -> None:
    rows = rows_of(scoring, adapters)
    found = sorted((row["example_id"], row["adapter_id"], row["method"]) for row in rows)
    assert found == sorted((name, adapter, method) for name in IDS for adapter in ORDERS for method in METHODS)
    for row in rows:
        words = TEXTS[IDS.index(row["example_id"])].split()
        assert row["error_code"] is None and row["words"] == words and len(row["values"]) == row["n_units"] == len(words)
        assert np.isfinite(row["values"]).all()
    targets = {(row["example_id"], row["adapter_id"]): row["target_id"] for row in rows}
    assert all(row["target_id"] == targets[row["example_id"], row["adapter_id"]] for row in rows)  # one class, whatever the method


def test_what_is_drawn_carries_its_error_what_is_not_has_none_and_attention_says_nothing(scoring, adapters) -> None:
    rows = {(row["example_id"], row["method"]): row for row in rows_of(scoring, adapters[:1])}
    for name in IDS:
        assert rows[name, "attention"]["error"] is None and rows[name, "attention"]["errors"] is None
        for method in ("ig", "occlusion"):
            assert rows[name, method]["error"] == 0.0 and set(rows[name, method]["errors"]) == {0.0}
    assert rows["t1", "kernel_shap"]["error"] == 0.0  # seven words: all coalitions
    for method in ("lime", "kernel_shap", "cap"):
        errors = rows["t2", method]["errors"]
        assert len(errors) == 14 and min(errors) > 0
        assert rows["t2", method]["error"] == pytest.approx(np.sqrt(np.mean(np.square(errors))))


def test_masks_too_few_to_tell_an_error_leave_it_null_and_the_values_stay(scoring, adapters) -> None:
    few = MethodSettings(masks=Masking(n=5))  # four drawn masks over fourteen words
    (row,) = rows_of(scoring, adapters[:1], TEXTS[2:], settings=few, methods=("kernel_shap",))
    assert row["error"] is None and row["errors"] is None and np.isfinite(row["values"]).all()


def test_adapters_of_one_function_get_the_same_rows_whatever_their_label_order(scoring, adapters) -> None:
    # a and b are one file in two orders: the same masks, the same p of the same class by name, and so the same bits.
    rows = {(row["adapter_id"], row["example_id"], row["method"]): row for row in rows_of(scoring, adapters)}
    for name in IDS:
        for method in METHODS:
            assert rows["a", name, method]["values"] == rows["b", name, method]["values"], method
            assert rows["a", name, method]["errors"] == rows["b", name, method]["errors"], method
    assert any(rows["a", name, "ig"]["target_id"] != rows["b", name, "ig"]["target_id"] for name in IDS)


def test_a_text_has_to_the_bit_the_rows_it_has_alone(scoring, adapters) -> None:
    together = {(row["example_id"], row["method"]): row for row in rows_of(scoring, adapters[:1])}
    own = identity(adapters[:1])
    for name, text in zip(IDS, TEXTS, strict=True):
        columns = {"example_id": [name], "text": [text], "todo": [list(range(len(METHODS)))]}
        alone = attribute(iter([pa.RecordBatch.from_pydict(columns)]), Attribution(scoring, adapters[:1], own, SETTINGS))
        for row in (row for part in alone for row in part.to_pylist()):
            assert row == together[name, row["method"]], row["method"]


def test_masks_are_keyed_by_seed_and_example_alone(scoring, adapters) -> None:
    def masks(adapter: ScoredAdapter, rows: list[int], seed: int = 0) -> NDArray[np.bool_]:
        texts = scoring.prepare([TEXTS[row] for row in rows])
        names = [IDS[row] for row in rows]
        return block_of(scoring, adapter, texts, names, ("lime",), SETTINGS.model_copy(update={"seed": seed})).masks

    all_of_a = masks(adapters[0], [0, 1, 2])
    np.testing.assert_array_equal(all_of_a, masks(adapters[1], [0, 1, 2]))
    np.testing.assert_array_equal(all_of_a[2], masks(adapters[0], [2])[0])
    assert not np.array_equal(all_of_a, masks(adapters[0], [0, 1, 2], seed=1))


@pytest.mark.parametrize("methods", [METHODS, *((method,) for method in METHODS)], ids="-".join)
def test_no_forward_is_done_twice_within_one_adapter_and_batch(scoring, adapters, calls, methods: tuple[str, ...]) -> None:
    scoring.asked.clear()
    rows_of(scoring, adapters[:1], methods=methods)
    assert len(scoring.asked) == len(set(scoring.asked))
    included = scoring.prepare(TEXTS).included
    assert not {(row, own.tobytes()) for row, own in enumerate(included)} & set(scoring.asked)  # the clean forward knows that one
    assert calls["logits"] + calls["explain"] == len(TEXTS) and calls["integrated_gradients"] == len(TEXTS) * ("ig" in methods)
    asked = Counter(row for row, _ in scoring.asked)
    for row, (name, text) in enumerate(zip(IDS, TEXTS, strict=True)):
        assert asked[row] == len(wanted_masks(name, len(text.split()), methods))
        gradients = SETTINGS.ig_steps if "ig" in methods else 0
        assert 1 + asked[row] + gradients <= forwards_per_text(methods, len(text.split()), SETTINGS)


def wanted_masks(name: str, n_words: int, methods: tuple[str, ...]) -> set[tuple[bool, ...]]:
    """The distinct masks that these methods need of one text beside the intact one, written down method by method."""
    (drawn,) = drawn_masks([rng(0, name, "masks")], np.ones((1, n_words), dtype=bool), SETTINGS.masks)
    masks: list[NDArray[np.bool_]] = []
    if "occlusion" in methods:
        masks.extend(~np.eye(n_words, dtype=bool))
    if {"lime", "cap"} & set(methods) or ("kernel_shap" in methods and n_words > 10):
        masks.extend(drawn)
    if "kernel_shap" in methods:
        masks.extend(coalitions(n_words) if n_words <= 10 else [np.zeros(n_words, dtype=bool)])
    return {tuple(mask.tolist()) for mask in masks if not mask.all()}


def test_forwards_by_hand() -> None:
    # 1 clean. Occlusion: N. A draw of n: n - 1 more. Shapley: 2^N - 1 more up to ten words, else the draw and the empty mask.
    expected = {
        ("attention",): (1, 1), ("occlusion",): (8, 15), ("lime",): (20, 20), ("cap",): (20, 20), ("kernel_shap",): (128, 21),
        ("ig",): (4, 4), ("lime", "cap"): (20, 20), METHODS: (131, 38),
    }  # fmt: skip
    for methods, (of_seven, of_fourteen) in expected.items():
        assert (forwards_per_text(methods, 7, SETTINGS), forwards_per_text(methods, 14, SETTINGS)) == (of_seven, of_fourteen), methods
    assert forwards_per_text(("lime",), 2, SETTINGS) == 4 - 1 + 1  # there are no more masks than four, of which one is the clean text


def test_only_what_is_missing_is_computed(scoring, adapters, calls) -> None:
    """A method that was added later, and a text of which one row was rejected before a kill."""
    lime, ig = METHODS.index("lime"), METHODS.index("ig")
    rows = rows_of(scoring, adapters, todo=[[lime], [ig, lime, len(METHODS) + ig], [lime]])
    found = sorted((row["example_id"], row["adapter_id"], row["method"]) for row in rows)
    expected = [("t0", "a", "lime"), ("t1", "a", "ig"), ("t1", "a", "lime"), ("t1", "b", "ig"), ("t2", "a", "lime")]
    assert found == expected
    assert calls["explain"] == 0 and calls["integrated_gradients"] == 2
    whole = {(row["example_id"], row["adapter_id"], row["method"]): row for row in rows_of(scoring, adapters)}
    assert all(row == whole[row["example_id"], row["adapter_id"], row["method"]] for row in rows)


ODD = {
    "one word": "lost",
    "punctuation": "... !!! ?",
    "emoji": "👍🏽 👩‍👩‍👧 ❤️",
    "right to left": "שלום עולם، مرحبا",
    "zero width": "card \u200b lost",
    "combining": "cafe\u0301 nai\u0308ve",
    "long": "lost card alarm my " * 2_500,
    "one long word": "a" * 10_000,
}


@pytest.mark.parametrize("kind", ["roberta", "bert_mean"])
def test_texts_that_are_no_sentences_are_explained_word_by_word(kind: str, tmp_path) -> None:
    scoring = TextScoring(resolve_text_backbone(str(save_family(tmp_path / kind, kind))), "float32", 4, (16, 32))
    state = new_classifier(scoring.backbone, ["x", "y"], seed=4).requires_grad_(False).state_dict()
    save_file({name: 20 * tensor.clone() for name, tensor in state.items() if name.startswith("classifier.")}, tmp_path / "m.safetensors")
    adapter = ScoredAdapter("a", str(tmp_path / "m.safetensors"), (0, 1))
    for baseline in ("mask", "drop"):
        settings = SETTINGS.model_copy(update={"baseline": baseline})
        rows = rows_of(scoring, (adapter,), tuple(ODD.values()), settings=settings)
        assert len(rows) == len(ODD) * len(METHODS)
        for row in rows:
            text = list(ODD.values())[int(row["example_id"][1:])]
            assert row["error_code"] is None and np.isfinite(row["values"]).all()
            # Words come back as they stand in the text; of the long one only those inside 32 tokens are words to explain.
            assert row["words"] == text.split()[: row["n_units"]] and (row["n_units"] == len(text.split()) or row["n_units"] <= 30)
        by_method = {row["method"]: row for row in rows if row["example_id"] == "t0"}
        # A word that is always shown has no slope: centred masks are 0 to rounding, 1e-16 squared.
        assert by_method["attention"]["values"] == [1.0] and by_method["lime"]["values"] == pytest.approx([0.0], abs=1e-20)
        # One word: all that hiding it loses is its own, to the bit.
        assert by_method["occlusion"]["values"] == by_method["kernel_shap"]["values"]


def test_a_word_that_the_tokenizer_drops_changes_nothing_to_the_bit(tmp_path) -> None:
    scoring = TextScoring(resolve_text_backbone(str(save_family(tmp_path / "b", "bert_mean"))), "float32", 4, (16, 32))
    state = new_classifier(scoring.backbone, ["x", "y"], seed=4).requires_grad_(False).state_dict()
    save_file({name: 20 * tensor.clone() for name, tensor in state.items() if name.startswith("classifier.")}, tmp_path / "m.safetensors")
    adapter = ScoredAdapter("a", str(tmp_path / "m.safetensors"), (1, 0))
    for row in rows_of(scoring, (adapter,), ("card \u200b lost",), methods=("ig", "occlusion", "kernel_shap")):
        assert row["words"][1] == "\u200b" and row["values"][1] == 0.0 and row["values"][0] != 0.0


def test_p_of_the_intact_text_is_that_of_its_logits_to_the_bit(scoring, adapters) -> None:
    texts = scoring.prepare([*TEXTS, *ODD.values()])
    for adapter in adapters:
        logits = scoring.logits(adapter, texts)
        targets = logits.argmax(axis=1)
        known = scoring.shares(adapter, logits)[np.arange(len(texts)), targets]
        for baseline in ("mask", "drop"):
            asked = scoring.value(adapter, texts, targets, baseline)(np.arange(len(texts)), texts.included)
            np.testing.assert_array_equal(known, asked)


def test_an_adapter_that_gives_no_numbers_makes_rejected_rows_and_its_neighbour_does_not(scoring, adapters, tmp_path) -> None:
    state = new_classifier(scoring.backbone, ["x", "y", "z"], seed=4).requires_grad_(False).state_dict()
    broken = {name: tensor.clone() for name, tensor in state.items() if name.startswith("classifier.")}
    broken["classifier.out_proj.bias"][1] = torch.nan
    save_file(broken, tmp_path / "nan.safetensors")
    rows = rows_of(scoring, (ScoredAdapter("nan", str(tmp_path / "nan.safetensors"), (0, 1, 2)), adapters[0]))
    assert len(rows) == 2 * len(TEXTS) * len(METHODS)
    assert {(row["adapter_id"], row["error_code"]) for row in rows} == {("nan", "nonfinite"), ("a", None)}
    assert all(row["values"] is None and row["error"] is None for row in rows if row["adapter_id"] == "nan")


def test_a_method_that_inputs_of_this_kind_have_not_is_refused(scoring, adapters) -> None:
    texts = scoring.prepare(TEXTS)
    with pytest.raises(ValueError, match=r"one of attention, ig, .* for text inputs, got rollout"):
        block_of(scoring, adapters[0], texts, IDS, ("lime", "rollout"), SETTINGS)
    with pytest.raises(ValueError, match="found attention behind lime"):
        explained(block_of(scoring, adapters[0], texts, IDS, ("lime",), SETTINGS), "attention")


def test_p_beyond_sixteen_bits_is_tried_once_more_in_float32(tmp_path) -> None:
    backbone = resolve_text_backbone(str(save_family(tmp_path / "b", "bert_mean")))
    state = {name: tensor.clone() for name, tensor in new_classifier(backbone, ["x", "y"]).requires_grad_(False).state_dict().items()}
    inner = next(name for name in state if name.endswith("layer.0.intermediate.dense.bias"))
    state[inner][0] = 1e5  # beyond float16's 65,504
    changed = {name: 20 * tensor if name.startswith("classifier.") else tensor for name, tensor in state.items()}
    save_file({n: t for n, t in changed.items() if n == inner or n.startswith("classifier.")}, tmp_path / "m.safetensors")
    adapter = ScoredAdapter("id", str(tmp_path / "m.safetensors"), (0, 1))
    half, single = (rows_of(TextScoring(backbone, dtype, 4, (16,)), (adapter,), TEXTS[:2]) for dtype in ("float16", "float32"))
    assert half == single and all(row["error_code"] is None for row in half)
