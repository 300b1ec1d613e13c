"""Which token ids does a masked text become, and which ids does a label have?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool

from models.errors import ArtifactError, RejectedInput
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
        return self._turn(self.settings.filled(self.template, self.labels, text))

    def _turn(self, prompt: str) -> str:
        if not self._chats:
            return prompt
        turns = [{"role": "user", "content": prompt}]
        chat: str = self.tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, date_string=self.settings.chat_date
        )
        return chat

    def token_ids(self, texts: Sequence[str]) -> list[Path]:
        """Token ids of the prompt with each text, each tokenized whole.

        Names of special tokens are plain text in a plain prompt, to which the tokenizer adds its own special tokens. A chat template writes
        its own by name, so that there a name in a text could end the user's turn: RejectedInput `bad_record` for such a text,
        ArtifactError `label_mismatch` where labels or instructions hold one.
        """
        found = self._ids([self.string(text) for text in texts])
        for ids in found:
            if foreign := self._foreign(ids, self._own_specials):
                raise RejectedInput("bad_record", f"a text for a chat model must hold no name of its special tokens, found {foreign}.")
        return found

    def label_ids(self) -> tuple[Path, ...]:
        """Token ids of each label's answer, in which names of special tokens are plain text. Raises ArtifactError `label_mismatch` for
        labels the tokenizer cannot tell apart, and for a label without a token."""
        answers = [f"{self.settings.label_prefix}{label}" for label in self.labels]
        asked = self.tokenizer(answers, add_special_tokens=False, split_special_tokens=True, verbose=False)
        found = [tuple(ids) for ids in asked["input_ids"]]
        if len(set(found)) != len(found) or not all(found):
            alike = [label for label, ids in zip(self.labels, found, strict=True) if not ids or found.count(ids) > 1]
            raise ArtifactError(
                "label_mismatch",
                f"every label must have tokens of its own; this tokenizer gives none, or those of another label, to {alike[:4]}. "
                "Rename the labels or use another language model.",
            )
        return tuple(found)

    def _ids(self, prompts: Sequence[str]) -> list[Path]:
        found = self.tokenizer(list(prompts), add_special_tokens=not self._chats, split_special_tokens=not self._chats, verbose=False)
        return [tuple(ids) for ids in found["input_ids"]]

    def _foreign(self, ids: Path, own: Path) -> list[str]:
        """Special tokens among `ids` that are not the template's own, by name."""
        specials = self._specials(ids)
        if specials == own:
            return []
        names: list[str] = self.tokenizer.convert_ids_to_tokens(list(Counter(specials) - Counter(own)))
        return names[:3] or ["the template's own in another order"]

    def _specials(self, ids: Path) -> Path:
        return tuple(token for token in ids if token in self._special_ids)

    @cached_property
    def _own_specials(self) -> Path:
        """The special tokens of every prompt, in their order: those of the prompt without a text, which are those of an empty turn."""
        empty, bare = self._ids([self.string(""), self._turn(self.settings.placeholder)])
        own = self._specials(bare)
        if foreign := self._foreign(empty, own):
            raise ArtifactError(
                "label_mismatch",
                f"labels and instructions for a chat model must hold no name of its special tokens, found {foreign}. Rename the labels.",
            )
        return own

    @cached_property
    def _special_ids(self) -> frozenset[int]:
        """Without the token for unknown characters, which any text may have, unless it is the one that begins or ends texts too."""
        own = self.tokenizer
        ids = {*own.all_special_ids, *(number for number, token in own.added_tokens_decoder.items() if token.special)}
        return frozenset(ids if own.unk_token_id in (own.bos_token_id, own.eos_token_id) else ids - {own.unk_token_id})

    @property
    def _chats(self) -> bool:
        return self.settings.chat == "auto" and bool(self.tokenizer.chat_template)
