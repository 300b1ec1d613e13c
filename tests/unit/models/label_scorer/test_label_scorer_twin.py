"""The scorer's numbers are those of the naive twin: whole prompt, one mask, one label, one plain call each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import label_twin
from models.label_scorer.artifact import resolve_label_model
from models.label_scorer.language_model import LanguageModel, load_language_model
from models.label_scorer.scorer import CausalLabelScorer, label_scorer, log_shares
from models.label_scorer.settings import LabelPrompt, LabelScorerSettings, Template
from models.label_scorer.tree import label_tree
from tests.language_models import LABELS

TEXTS = (
    ("I", "still", "have", "not", "received", "my", "new", "card!"),
    ("cash",),
    ("Where", "is", "my", "€50", "{labels}", "שלום", "🙂?"),
)
PLACES: dict[Template, str] = {"labelled": LabelPrompt().labelled, "plain": LabelPrompt().plain}
MODELS = {
    "llama": {},
    "grouped": {"num_key_value_heads": 2},
    "one_kv_head": {"num_key_value_heads": 1},
    "chat": {"chat": True, "num_key_value_heads": 2},
    "qwen2": {"kind": "qwen2", "num_key_value_heads": 2},
    "gpt2": {"kind": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 4},
}


def masks(words: tuple[str, ...], n: int = 6) -> np.ndarray:
    """The full text, the text of placeholders alone, and draws of which some are equal."""
    rng = np.random.default_rng(len(words))
    return np.vstack([np.ones(len(words)), np.zeros(len(words)), rng.integers(0, 2, (n - 2, len(words)))]).astype(bool)


def prompt_of(settings: LabelPrompt, template: Template, words: tuple[str, ...], keep: np.ndarray) -> str:
    fields = {"instructions": settings.instructions, "labels": ", ".join(LABELS)}
    return label_twin.prompt_text(PLACES[template], fields, words, keep.tolist(), "_", " ")


def naive_sums(loaded: LanguageModel, template: Template, words: tuple[str, ...], keep: np.ndarray) -> np.ndarray:
    """float64[masks, labels]"""
    prompts = [prompt_of(LabelPrompt(), template, words, row) for row in keep]
    return np.array([[label_twin.log_likelihood(loaded.model, loaded.tokenizer, prompt, label) for label in LABELS] for prompt in prompts])


def scorer_of(folder: Path, template: Template = "labelled", **choices: object) -> CausalLabelScorer:
    settings = LabelScorerSettings.model_validate(choices)
    return label_scorer(load_language_model(resolve_label_model(str(folder)), settings.dtype), LABELS, settings, template)


@pytest.mark.parametrize("template", list(PLACES))
@pytest.mark.parametrize("name", MODELS)
def test_both_probabilities_are_those_of_one_plain_call_per_mask_and_label(
    name: str, template: Template, saved_lm: Callable[..., Path]
) -> None:
    folder = saved_lm(**MODELS[name])
    keep = [masks(words) for words in TEXTS]
    sums = [naive_sums(scorer_of(folder).language_model, template, words, rows) for words, rows in zip(TEXTS, keep, strict=True)]
    labels = ("cash", "cash withdrawal", LABELS[3])
    places = [LABELS.index(label) for label in labels]
    sequence = scorer_of(folder, template).probabilities(TEXTS, labels, keep)
    expected = np.array([np.exp(rows[:, place]) for rows, place in zip(sums, places, strict=True)])
    np.testing.assert_allclose(sequence, expected, rtol=1e-4)
    closed = scorer_of(folder, template, label_probability="closed_set").probabilities(TEXTS, labels, keep)
    expected = np.array([[label_twin.closed_set(row, place) for row in rows] for rows, place in zip(sums, places, strict=True)])
    np.testing.assert_allclose(closed, expected, rtol=1e-4, atol=1e-12)
    assert sequence.dtype == closed.dtype == np.float64 and sequence.std(axis=1)[[0, 2]].min() > 0  # masks do make a difference


@pytest.mark.parametrize("name", ["grouped", "chat"])
@pytest.mark.parametrize("pack_tokens", [1, 48, 512])
def test_every_logit_that_a_label_is_scored_with_is_the_plain_calls_within_1e_4(
    name: str, pack_tokens: int, saved_lm: Callable[..., Path]
) -> None:
    scorer = scorer_of(saved_lm(**MODELS[name]), pack_tokens=pack_tokens, pack_step=16)
    loaded, words, tree = scorer.language_model, TEXTS[0], label_tree(scorer.label_ids)
    keep = masks(words)
    plan = scorer.forwards(words, keep, tree)
    assert plan.length > 40  # instructions and labels are read once
    logits = np.concatenate([loaded.logits(scorer.prefix, plan.length, pack).numpy() for pack in plan.packs])
    assert np.abs(logits).max() > 1
    for row, path in zip(keep, plan.path_of_mask, strict=True):
        for number, label in enumerate(LABELS):
            naive, answer = label_twin.token_logits(loaded.model, loaded.tokenizer, prompt_of(LabelPrompt(), "labelled", words, row), label)
            assert tuple(answer) == scorer.label_ids[number]
            nodes = tree.edges[list(tree.label_edges[number]), 0]
            np.testing.assert_allclose(logits[path, nodes], naive.numpy(), rtol=0, atol=1e-4)


def test_a_share_near_one_keeps_its_digits() -> None:
    # log p = -log(1 + e^-16) = -1.1253516e-7 for logits 16 and 0, and -16 - 1.1253516e-7 for the other; float32 knows no 16.0000001
    logits = torch.tensor([[[16.0, 0.0]]])
    found = log_shares(logits, label_tree(((0,), (1,))))[0].numpy()
    np.testing.assert_allclose(found, [-np.log1p(np.exp(-16.0)), -16 - np.log1p(np.exp(-16.0))], rtol=1e-6)
    np.testing.assert_allclose(found[0], -1.1253516e-7, rtol=1e-6)
    assert float(logits.log_softmax(-1)[0, 0, 0]) == pytest.approx(-1.19e-7, rel=0.01)  # what it would be: one float32 step


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_logit_that_is_not_finite_makes_every_share_of_its_row_unknown_and_no_others(value: float, place: int) -> None:
    logits = torch.tensor([[[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]]])
    logits[0, 0, place] = value
    found = log_shares(logits, label_tree(((0,), (1,)))).numpy()
    assert np.isnan(found[0]).all()  # never log 0, a probability of 0
    np.testing.assert_allclose(found[1], np.array([0.0, 1.0]) - np.log(1 + np.e + np.e**2), rtol=1e-6)


def test_a_label_that_begins_another_is_more_likely_in_sequence_and_not_normalised_against_it(saved_lm: Callable[..., Path]) -> None:
    scorer = scorer_of(saved_lm())
    cash, withdrawal = (scorer.label_ids[place] for place in (0, 1))
    assert withdrawal[: len(cash)] == cash  # the tokenizer does make it a prefix
    sums = scorer.log_likelihoods(TEXTS[0], masks(TEXTS[0]))
    assert (sums[:, 0] > sums[:, 1]).all()


def test_the_closed_set_sums_to_one(saved_lm: Callable[..., Path]) -> None:
    scorer = scorer_of(saved_lm(), label_probability="closed_set")
    shares = scorer.probabilities([TEXTS[0]] * len(LABELS), LABELS, [masks(TEXTS[0])] * len(LABELS))
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, rtol=1e-12)


@pytest.mark.parametrize("choice", ["sequence", "closed_set"])
def test_a_text_has_the_same_bits_alone_and_among_others_and_in_any_order_of_masks(choice: str, saved_lm: Callable[..., Path]) -> None:
    scorer = scorer_of(saved_lm(num_key_value_heads=2), label_probability=choice, pack_tokens=96)
    keep = [masks(words, 20) for words in TEXTS]
    together = scorer.probabilities(TEXTS, ("atm",) * 3, keep)
    for row, (words, rows) in enumerate(zip(TEXTS, keep, strict=True)):
        alone = scorer.probabilities([words], ["atm"], [rows[::-1]])
        assert np.array_equal(alone[0, ::-1], together[row])


def test_equal_masked_texts_are_read_once(saved_lm: Callable[..., Path]) -> None:
    scorer, words = scorer_of(saved_lm()), ("cash", "card")
    tree = label_tree(scorer.label_ids[:1])
    once = scorer.forwards(words, np.array([[True, False], [False, True]]), tree)
    often = scorer.forwards(words, np.array([[True, False], [False, True]] * 50), tree)
    assert once.n_tokens == often.n_tokens and often.path_of_mask.tolist() == once.path_of_mask.tolist() * 50


@pytest.mark.parametrize("labelled", ["{text} [{instructions}] [{labels}]", "{text}{instructions}{labels}"])
def test_a_prompt_whose_text_comes_first_shares_only_what_is_really_common(labelled: str, saved_lm: Callable[..., Path]) -> None:
    settings = LabelScorerSettings(prompt=LabelPrompt(labelled=labelled))
    loaded = load_language_model(resolve_label_model(str(saved_lm())), "float32")
    scorer = label_scorer(loaded, LABELS, settings, "labelled")
    words, keep = TEXTS[0], masks(TEXTS[0])
    assert scorer.forwards(words, keep, label_tree(scorer.label_ids)).length == 1  # <|begin|>
    fields = {"instructions": settings.prompt.instructions, "labels": ", ".join(LABELS)}
    prompts = [label_twin.prompt_text(labelled, fields, words, row.tolist(), "_", " ") for row in keep]
    expected = [[label_twin.log_likelihood(loaded.model, loaded.tokenizer, prompt, label) for label in LABELS] for prompt in prompts]
    np.testing.assert_allclose(scorer.log_likelihoods(words, keep), expected, rtol=1e-5)


def test_bfloat16_gives_nearly_the_same(saved_lm: Callable[..., Path]) -> None:
    folder, keep = saved_lm(), [masks(TEXTS[0])]
    exact, rough = (scorer_of(folder, dtype=dtype, label_probability="closed_set") for dtype in ("float32", "bfloat16"))
    answers = [scorer.probabilities([TEXTS[0]], ["cash"], keep) for scorer in (exact, rough)]
    assert 0 < np.abs(answers[0] - answers[1]).max() < 0.05
