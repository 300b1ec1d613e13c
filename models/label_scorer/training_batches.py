"""What does a label scorer read in one step of its training, and what is the loss of its answer?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from models.errors import RejectedInput
from models.hashing import seed_of
from models.label_scorer.prefix import common_length, read_prefix
from models.label_scorer.prompt import Prompts
from models.label_scorer.seen import text_id
from models.label_scorer.settings import Template
from models.label_scorer.training_settings import LabelScorerTraining
from models.label_scorer.tree import Path

WIDTH_STEP = 8  # rows are padded to a multiple of this


@dataclass(frozen=True)
class Part:
    """Prompts of one template and the labels that answer them; `guess`: what such prompts are thought to begin with."""

    guess: Path
    prompts: tuple[Path, ...]
    answers: tuple[Path, ...]


@dataclass(frozen=True)
class Batch:
    """One step: the parts of both templates that are not empty."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Teacher:
    """The training set in canonical order, and the prompts it is asked with."""

    settings: LabelScorerTraining
    tokenizer: Any
    labels: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    true_labels: tuple[str, ...]

    @cached_property
    def prompts(self) -> dict[Template, Prompts]:
        """The prompt of each template."""
        templates: tuple[Template, ...] = ("labelled", "plain")
        return {name: Prompts(self.tokenizer, self.settings.prompt, name, self.labels) for name in templates}

    @cached_property
    def guesses(self) -> dict[Template, Path]:
        """Token ids of each template's prompt without a text."""
        return {name: prompts.token_ids([""])[0] for name, prompts in self.prompts.items()}

    @cached_property
    def answers(self) -> dict[str, Path]:
        """Token ids of each label."""
        return dict(zip(self.labels, self.prompts["labelled"].label_ids(), strict=True))


def epoch_of(teacher: Teacher, epoch: int) -> list[Batch]:
    """All batches of one epoch, in an order and with hidden words fixed by (seed, epoch, text): a resumed run draws the same."""
    asked = [_asked(teacher, epoch, number) for number in range(len(teacher.texts))]
    generator = torch.Generator().manual_seed(seed_of("label_scorer", teacher.settings.seed, epoch))
    order: list[int] = torch.randperm(len(asked), generator=generator).tolist()
    size = teacher.settings.batch_size
    chunks = [order[start : start + size] for start in range(0, len(order), size)]
    return [Batch(tuple(part for name in teacher.prompts if (part := _part(teacher, name, asked, chunk)).prompts)) for chunk in chunks]


def _asked(teacher: Teacher, epoch: int, number: int) -> tuple[Template, str]:
    """Template and masked text of one example; at least one word is shown."""
    words, settings = teacher.texts[number], teacher.settings
    rng = np.random.default_rng(seed_of("label_scorer", settings.seed, epoch, text_id(words)))
    plain, whole, rate = rng.random() < settings.plain_share, rng.random() < settings.whole_share, rng.random() * settings.hidden_to
    draws = rng.random(len(words))
    keep = np.ones(len(words), dtype=bool) if whole else draws >= rate
    keep[draws.argmax()] = True
    name: Template = "plain" if plain else "labelled"
    return name, teacher.prompts[name].masked(words, keep)


def _part(teacher: Teacher, name: Template, asked: Sequence[tuple[Template, str]], chunk: Sequence[int]) -> Part:
    chosen = [number for number in chunk if asked[number][0] == name]
    prompts = teacher.prompts[name].token_ids([asked[number][1] for number in chosen]) if chosen else []
    answers = tuple(teacher.answers[teacher.true_labels[number]] for number in chosen)
    longest = max((len(prompt) + len(answer) for prompt, answer in zip(prompts, answers, strict=True)), default=0)
    if longest > teacher.settings.max_tokens:
        limit = f"prompt and label must be at most max_tokens = {teacher.settings.max_tokens:,} tokens"
        raise RejectedInput("too_large", f"{limit} in training, found {longest:,}. Shorten the text or raise max_tokens.")
    return Part(teacher.guesses[name], tuple(prompts), answers)


def loss_of(model: Any, batch: Batch) -> torch.Tensor:
    """Mean over the examples of -log p(label | prompt) in nats, p being the product over the label's tokens."""
    examples = sum(len(part.prompts) for part in batch.parts)
    losses = [_summed(model, part) for part in batch.parts]
    return torch.stack(losses).sum() / examples


def _summed(model: Any, part: Part) -> torch.Tensor:
    """What the prompts share is read once per step, gradients flowing through it; texts and answers are rows padded on the right, where
    no token sees the padding."""
    length = common_length(part.guess, part.prompts)
    cache = read_prefix(model, part.guess[:length]).cache(length, len(part.prompts))
    rows = [(*prompt[length:], *answer) for prompt, answer in zip(part.prompts, part.answers, strict=True)]
    width = -(-max(map(len, rows)) // WIDTH_STEP) * WIDTH_STEP
    tokens, asked = torch.zeros(len(rows), width, dtype=torch.int64), torch.zeros(len(rows), width, dtype=torch.bool)
    for place, (row, answer) in enumerate(zip(rows, part.answers, strict=True)):
        tokens[place, : len(row)] = torch.tensor(row)
        asked[place, len(row) - len(answer) - 1 : len(row) - 1] = True
    tokens, asked = tokens.to(model.device), asked.to(model.device)
    logits = model(input_ids=tokens, past_key_values=cache, use_cache=True, logits_to_keep=asked).logits
    targets = torch.tensor([token for answer in part.answers for token in answer], device=model.device)
    return F.cross_entropy(logits, targets, reduction="sum")
