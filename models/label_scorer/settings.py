"""How is a language model asked which label fits a text, and what is read from its answer?"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

# `labelled`: instructions, label space and text (CAP). `plain`: the text alone (LIME and SHAP).
Template = Literal["labelled", "plain"]

FIELDS: dict[Template, tuple[str, ...]] = {"labelled": ("instructions", "labels", "text"), "plain": ("text",)}
_FIELD = re.compile(r"\{(\w*)\}")


class LabelPrompt(BaseModel):
    """The strings a prompt is made of (METHODS 5 and 9). Every one of them changes the tokens read, so all are part of settings_id.

    A hidden word becomes `placeholder`; words are joined by `word_separator`. Token ids are those of the filled template as one string;
    a label's are those of `label_prefix` + label without special tokens, appended behind it. A special token's name in any of them is
    plain text: special tokens come from the tokenizer and its chat template alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instructions: str = Field(default="Choose the label that fits the text best.", description="put in place of `{instructions}`")
    labelled: str = Field(
        default="[Instructions: {instructions}][Given Labels: {labels}][Text: {text}]",
        description="prompt of the CAP prior; `{instructions}`, `{labels}` and `{text}` once each",
    )
    plain: str = Field(default="[Text: {text}]", description="prompt of the LIME and SHAP priors; `{text}` once, nothing else")
    label_separator: str = Field(default=", ", description="between the labels in the prompt, which stand there in the data's order")
    word_separator: str = Field(default=" ", description="between the words of the text")
    placeholder: str = Field(default="_", min_length=1, description="what stands for a hidden word")
    label_prefix: str = Field(default=" ", description="before the label in the answer")
    chat: Literal["auto", "never"] = Field(
        default="auto", description="auto: the prompt is the user's turn of the tokenizer's chat template, if it has one; never: plain text"
    )
    chat_date: str = Field(default="26 Jul 2024", description="the date for chat templates that print today's: else prompts change daily")

    @field_validator("labelled")
    @classmethod
    def _labelled_has_its_fields(cls, template: str) -> str:
        return _checked("labelled", template)

    @field_validator("plain")
    @classmethod
    def _plain_has_its_field(cls, template: str) -> str:
        return _checked("plain", template)

    def filled(self, template: Template, labels: tuple[str, ...], text: str) -> str:
        """The prompt with the text in it. What the text itself has in braces stays as it is."""
        values = {"instructions": self.instructions, "labels": self.label_separator.join(labels), "text": text}
        return _FIELD.sub(lambda found: values[found[1]], self.labelled if template == "labelled" else self.plain)


def _checked(name: Template, template: str) -> str:
    found = sorted(_FIELD.findall(template))
    if found != sorted(FIELDS[name]):
        needed = ", ".join(f"{{{field}}}" for field in FIELDS[name])
        raise ValueError(f"{name} must hold {needed} once each and no other field, found {found}: {template!r}")
    return template


class LabelScorerSettings(BaseModel):
    """What p of a label is, in which precision, and how many tokens are read at once.

    `sequence`: exp of the teacher-forced sum of the label's token log-probabilities, no end token. `closed_set`: softmax of those sums
    over all labels; a label that is a prefix of another is therefore not normalised against it (METHODS 9).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: LabelPrompt = LabelPrompt()
    label_probability: Literal["sequence", "closed_set"] = "sequence"
    dtype: Literal["float32", "bfloat16"] = Field(
        default="float32", description="of weights and products; sums of log-probabilities: float64"
    )
    pack_tokens: int = Field(
        default=512, ge=1, description="most tokens of one forward; a single masked text with its labels may need more, and gets it"
    )
    pack_step: int = Field(default=32, ge=1, description="forwards are padded to a multiple of this many tokens, or to pack_tokens")
