"""Which token ids does a masked text become, and which ids does a label have?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from models.errors import ArtifactError
from models.label_scorer.settings import LabelPrompt, Template
from models.label_scorer.tree import Path


@dataclass(frozen=True)
class Prompts:
    """One prompt over one label space, for one tokenizer of transformers."""

    tokenizer: Any
    settings: LabelPrompt
    template: Template
    labels: tuple[str, ...]

    def masked(self, words: Sequence[str], keep: Bool[np.ndarray, " words"]) -> str:
        """The text in which every word with a False is the placeholder."""
        shown = (word if kept else self.settings.placeholder for word, kept in zip(words, keep, strict=True))
        return self.settings.word_separator.join(shown)

    def string(self, text: str) -> str:
        """The whole prompt as one string: the filled template, as the user's turn where the tokenizer has a chat template."""
        prompt = self.settings.filled(self.template, self.labels, text)
        if not self._chats:
            return prompt
        turns = [{"role": "user", "content": prompt}]
        chat: str = self.tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, date_string=self.settings.chat_date
        )
        return chat

    def token_ids(self, texts: Sequence[str]) -> list[Path]:
        """Token ids of the prompt with each text, each tokenized whole. A chat template writes its own special tokens."""
        found = self.tokenizer([self.string(text) for text in texts], add_special_tokens=not self._chats, verbose=False)["input_ids"]
        return [tuple(ids) for ids in found]

    def label_ids(self) -> tuple[Path, ...]:
        """Token ids of each label's answer. Raises ArtifactError `label_mismatch` for labels the tokenizer cannot tell apart, and for
        a label without a token."""
        answers = [f"{self.settings.label_prefix}{label}" for label in self.labels]
        found = [tuple(ids) for ids in self.tokenizer(answers, add_special_tokens=False, verbose=False)["input_ids"]]
        if len(set(found)) != len(found) or not all(found):
            alike = [label for label, ids in zip(self.labels, found, strict=True) if not ids or found.count(ids) > 1]
            raise ArtifactError(
                "label_mismatch",
                f"every label must have tokens of its own; this tokenizer gives none, or those of another label, to {alike[:4]}. "
                "Rename the labels or use another language model.",
            )
        return tuple(found)

    @property
    def _chats(self) -> bool:
        return self.settings.chat == "auto" and bool(self.tokenizer.chat_template)
