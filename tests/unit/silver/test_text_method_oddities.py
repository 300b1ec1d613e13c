"""What becomes of texts that are no sentences, and of adapters whose numbers are none?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.classifier import new_classifier
from models.scored_adapter import ScoredAdapter
from models.text_backbone import resolve_text_backbone
from models.text_scoring import TextScoring
from tests.text_folders import save_family
from tests.unit.silver.text_rows import METHODS, SETTINGS, TEXTS, rows_of

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
        assert by_method["attention"]["values"] == by_method["attention_rollout"]["values"] == [1.0] and by_method["lime"][
            "values"
        ] == pytest.approx([0.0], abs=1e-20)
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
