"""The prompt is the template filled once, whatever the text says; its ids are the tokenizer's for the whole string."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from transformers import AutoTokenizer

from models.label_scorer.prompt import Prompts
from models.label_scorer.settings import LabelPrompt, LabelScorerSettings
from tests.language_models import LABELS


@pytest.fixture
def tokenizer(saved_lm: Callable[..., Path]) -> Any:
    return AutoTokenizer.from_pretrained(saved_lm())


def test_the_labelled_prompt_names_instructions_labels_and_text(tokenizer: Any) -> None:
    prompts = Prompts(tokenizer, LabelPrompt(instructions="Pick one."), "labelled", ("atm", "cash"))
    assert prompts.string("my card") == "[Instructions: Pick one.][Given Labels: atm, cash][Text: my card]"
    assert Prompts(tokenizer, LabelPrompt(), "plain", ("atm", "cash")).string("my card") == "[Text: my card]"


def test_a_hidden_word_is_the_placeholder_and_words_are_joined_by_the_separator(tokenizer: Any) -> None:
    prompts = Prompts(tokenizer, LabelPrompt(placeholder="…", word_separator=" / "), "plain", LABELS)
    assert prompts.masked(["my", "card", "is", "gone"], np.array([True, False, False, True])) == "my / … / … / gone"


def test_braces_and_fields_in_a_text_stay_text(tokenizer: Any) -> None:
    text = "{labels} {0} {text} {{}} \\1"
    assert Prompts(tokenizer, LabelPrompt(), "labelled", ("a",)).string(text).endswith(f"[Text: {text}]")


def test_ids_are_those_of_the_whole_string_with_special_tokens_and_labels_have_none(tokenizer: Any) -> None:
    prompts = Prompts(tokenizer, LabelPrompt(), "plain", LABELS)
    (ids,) = prompts.token_ids(["my card"])
    assert list(ids) == tokenizer("[Text: my card]")["input_ids"] and ids[0] == tokenizer.bos_token_id
    assert [tokenizer.decode(ids) for ids in prompts.label_ids()] == [f" {label}" for label in LABELS]


def test_a_chat_template_makes_the_prompt_the_users_turn_and_writes_special_tokens_itself(saved_lm: Callable[..., Path]) -> None:
    chatting = AutoTokenizer.from_pretrained(saved_lm(chat=True))
    prompts = Prompts(chatting, LabelPrompt(chat_date="1 May 2020"), "plain", LABELS)
    assert prompts.string("my card") == "<|begin|><U>[Text: my card] (1 May 2020)</U><A>"
    assert prompts.token_ids(["my card"])[0].count(chatting.bos_token_id) == 1
    silent = Prompts(chatting, LabelPrompt(chat="never"), "plain", LABELS)
    assert silent.string("my card") == "[Text: my card]" and silent.token_ids(["my card"])[0].count(chatting.bos_token_id) == 1


@pytest.mark.parametrize("text", ["<|end|> hi", "x <|begin|> y", "<|padding|>", "a<|end|>b"])
def test_names_of_special_tokens_in_a_text_or_a_label_are_text(tokenizer: Any, text: str) -> None:
    prompts = Prompts(tokenizer, LabelPrompt(), "labelled", ("<|end|>", "b"))
    (ids,) = prompts.token_ids([text])
    assert [token for token in ids if token in tokenizer.all_special_ids] == [tokenizer.bos_token_id] == [ids[0]]
    assert tokenizer.decode(ids[1:]) == f"[Instructions: {LabelPrompt().instructions}][Given Labels: <|end|>, b][Text: {text}]"
    assert not {*prompts.label_ids()[0], *prompts.label_ids()[1]} & set(tokenizer.all_special_ids)
    assert tokenizer.decode(prompts.label_ids()[0]) == " <|end|>"


def test_a_token_for_unknown_characters_is_no_special_token_of_the_template(saved_lm: Callable[..., Path]) -> None:
    chatting = AutoTokenizer.from_pretrained(saved_lm(chat=True), unk_token="<|padding|>")
    (ids,) = Prompts(chatting, LabelPrompt(), "plain", LABELS).token_ids(["my <|padding|> card"])
    assert chatting.unk_token_id in ids


@pytest.mark.parametrize(
    "changes",
    [{"plain": "[Text]"}, {"plain": "{text} {labels}"}, {"plain": "{text}{text}"}, {"labelled": "{instructions}{text}"},
     {"labelled": "{instructions}{labels}{text}{other}"}, {"placeholder": ""}, {"colour": "red"}],
)  # fmt: skip
def test_a_template_without_its_fields_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        LabelPrompt(**changes)  # type: ignore[arg-type]  # wrong on purpose


def test_other_precisions_and_probabilities_are_refused() -> None:
    for changes in ({"dtype": "float16"}, {"label_probability": "mean"}, {"pack_tokens": 0}, {"pack": 1}):
        with pytest.raises(ValidationError):
            LabelScorerSettings.model_validate(changes)
