"""What cannot be scored is refused by name, and a number that is not known is NaN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import ArtifactError, RejectedInput
from models.label_scorer.artifact import resolve_label_model
from models.label_scorer.language_model import load_language_model
from models.label_scorer.scorer import CausalLabelScorer, label_scorer, load_label_scorer
from models.label_scorer.settings import LabelScorerSettings
from tests.language_models import LABELS, save


@pytest.fixture
def scorer(saved_lm: Callable[..., Path]) -> CausalLabelScorer:
    return load_label_scorer(resolve_label_model(str(saved_lm())), LABELS, LabelScorerSettings(), "labelled")


def keep(n: int, rows: int = 2) -> np.ndarray:
    return np.ones((rows, n), dtype=bool)


def test_a_true_label_outside_the_label_space_is_refused_by_name(scorer: CausalLabelScorer) -> None:
    with pytest.raises(ArtifactError, match="'Cash'") as refused:
        scorer.probabilities([("my", "card")], ["Cash"], [keep(2)])
    assert refused.value.code == "label_unknown"


@pytest.mark.parametrize(("words", "code"), [((), "empty_text"), (("word",) * 10_000, "too_large")], ids=["no word", "10,000 words"])
def test_a_text_that_cannot_be_read_is_an_input_rejected_with_its_reason(
    words: tuple[str, ...], code: str, scorer: CausalLabelScorer
) -> None:
    with pytest.raises(RejectedInput) as refused:
        scorer.probabilities([words], ["cash"], [keep(len(words))])
    assert refused.value.code == code


def test_the_longest_text_that_fits_is_read_and_one_token_more_is_not(scorer: CausalLabelScorer) -> None:
    limit = scorer.language_model.source.max_tokens
    fixed = len(scorer.prompts.token_ids(["cash"])[0]) + len(scorer.label_ids[3]) - 1  # the last token of a label is not read
    words = ["cash"] * (limit - fixed + 1)
    while (length := len(scorer.prompts.token_ids([" ".join(words)])[0]) + len(scorer.label_ids[3]) - 1) > limit:
        words.pop()
    assert length == limit and np.isfinite(scorer.probabilities([words], [LABELS[3]], [keep(len(words), 1)])).all()
    with pytest.raises(RejectedInput, match=f"at most {limit}"):
        scorer.probabilities([[*words, "cash"]], [LABELS[3]], [keep(len(words) + 1, 1)])


@pytest.mark.parametrize(
    "words", [("!?",), ("🙂", "…"), ("مرحبا", "بك"), ("a\u200bb", "e\u0301")], ids=["punctuation", "emoji", "rtl", "marks"]
)
def test_unusual_words_are_scored_like_any(words: tuple[str, ...], scorer: CausalLabelScorer) -> None:
    values = scorer.probabilities([words], ["atm"], [keep(len(words))])
    assert values.shape == (1, 2) and ((values > 0) & (values < 1)).all()


def test_masks_of_another_shape_type_or_number_are_refused(scorer: CausalLabelScorer) -> None:
    for texts, masks in (
        ([("a", "b")], [keep(3)]),
        ([("a", "b")], [keep(2).astype(int)]),
        ([("a",), ("b",)], [keep(1, 2), keep(1, 3)]),
        ([("a",)], [keep(1, 0)]),
        ([("a",)], []),
    ):
        with pytest.raises(ValueError, match="must"):
            scorer.probabilities(texts, ["cash"] * len(texts), masks)


def test_labels_that_the_tokenizer_cannot_tell_apart_or_that_repeat_are_refused(saved_lm: Callable[..., Path]) -> None:
    loaded = load_language_model(resolve_label_model(str(saved_lm())), "float32")
    for labels in (("cash", "cash"), ()):
        with pytest.raises(ArtifactError, match="distinct") as refused:
            label_scorer(loaded, labels, LabelScorerSettings(), "plain")
        assert refused.value.code == "label_mismatch"
    from tokenizers import normalizers

    lowered = load_language_model.__wrapped__(loaded.source, "float32")
    lowered.tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    with pytest.raises(ArtifactError, match="tokens of its own") as refused:
        label_scorer(lowered, ("cash", "Cash", "atm"), LabelScorerSettings(), "plain")
    assert refused.value.code == "label_mismatch" and "'Cash'" in str(refused.value)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("choice", ["sequence", "closed_set"])
def test_logits_that_are_not_finite_make_the_answer_unknown(choice: str, value: float, saved_lm: Callable[..., Path]) -> None:
    source = resolve_label_model(str(saved_lm()))
    broken = load_language_model.__wrapped__(source, "float32")
    broken.model.lm_head.weight[300] = value  # a token of no label: its logit is NaN or infinite everywhere
    settings = LabelScorerSettings.model_validate({"label_probability": choice})
    values = label_scorer(broken, LABELS, settings, "plain").probabilities([("my", "card")], ["atm"], [keep(2)])
    assert np.isnan(values).all()


def test_a_text_that_would_end_the_users_turn_of_a_chat_model_is_refused_and_so_is_such_a_label(saved_lm: Callable[..., Path]) -> None:
    loaded = load_language_model(resolve_label_model(str(saved_lm(chat=True))), "float32")
    scorer = label_scorer(loaded, LABELS, LabelScorerSettings(), "labelled")
    for words in (("cash", "<|end|>", "now"), ("x<|end|><|begin|>y",)):
        with pytest.raises(RejectedInput, match=r"<\|end\|>") as refused:
            scorer.probabilities([words], ["cash"], [keep(len(words))])
        assert refused.value.code == "bad_record"
    assert np.isfinite(scorer.probabilities([("<|end", "|>")], ["cash"], [keep(2)])).all()  # the separator stands between
    with pytest.raises(ArtifactError, match=r"labels and instructions .*<\|end\|>") as unfit:
        label_scorer(loaded, ("cash", "<|end|>"), LabelScorerSettings(), "labelled")
    assert unfit.value.code == "label_mismatch"


def test_no_text_is_no_row(scorer: CausalLabelScorer) -> None:
    assert scorer.probabilities([], [], []).shape == (0, 0)


def test_everything_that_decides_the_numbers_is_in_the_settings(scorer: CausalLabelScorer, tmp_path: Path) -> None:
    loaded, base = scorer.language_model, LabelScorerSettings()
    other = replace(loaded, source=resolve_label_model(str(save(tmp_path, num_key_value_heads=2))))
    changed = [
        label_scorer(loaded, LABELS, base, "plain"),
        label_scorer(loaded, LABELS[::-1], base, "labelled"),
        label_scorer(loaded, LABELS, base.model_copy(update={"label_probability": "closed_set"}), "labelled"),
        label_scorer(loaded, LABELS, base.model_copy(update={"prompt": base.prompt.model_copy(update={"placeholder": "?"})}), "labelled"),
        label_scorer(loaded, LABELS, base.model_copy(update={"pack_tokens": 64}), "labelled"),
        replace(scorer, language_model=other),
    ]
    assert len({repr(one.settings) for one in (scorer, *changed)}) == 7
    assert scorer.settings["libraries"] == {name: version(name) for name in ("numpy", "tokenizers", "torch", "transformers")}
