"""Where does a small text backbone in the real RoBERTa architecture come from, when none can be downloaded?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, model_validator
from tokenizers import Tokenizer
from torch import nn

from models.atomic import write_folder
from models.errors import ArtifactError
from models.hashing import canonical_json, hash_of, seed_of
from models.masked_words import mask_words
from models.pretrain_stage import BETAS, decay_groups
from models.private_state import private_state
from models.text_vocabulary import CLS, PAD, SEP, SMALLEST, learn_vocabulary, save_vocabulary
from models.texts import NO_WORD, word_at
from models.words import word_spans

HASH_CHARACTERS = 12
WINDOW = 16  # batches that are sorted by length together


class TextPretrainSettings(BaseModel):
    """A small RoBERTa and how it is trained: byte-level BPE learnt from the texts, whole words masked (every epoch other ones), AdamW,
    learning rate up over `warm_share` of the steps and down along half a cosine. The architecture and the files are the real ones; what is
    small is the size. With the defaults 2,000 sentences of six or seven words take 9 to 13 s on one core (docs/decisions/0015)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modality: Literal["text"] = Field(default="text", exclude=True, description="what it reads; said by the dataset's reader")
    name: str = Field(default="roberta-small-scale", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    vocabulary: int = Field(default=1000, ge=SMALLEST, description="tokens at most, 256 bytes and 5 specials included")
    width: int = Field(default=64, ge=1)
    depth: int = Field(default=4, ge=1)
    heads: int = Field(default=4, ge=1)
    mlp_ratio: int = Field(default=4, ge=1)
    n_tokens: int = Field(default=64, ge=8, description="longest input, specials included")
    initializer_range: float = Field(default=0.125, gt=0, lt=1, description="1 / sqrt(width); 0.02 suits 768, and starves a width of 64")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="0: a dozen passes over few texts are far from learning them by heart")
    mask_share: float = Field(default=0.25, gt=0, lt=1, description="of the words; RoBERTa's 0.15 asks too little of few texts and passes")
    epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.01, ge=0, allow_inf_nan=False)
    warm_share: float = Field(default=0.1, gt=0, lt=1)
    clip_norm: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _sizes_divide(self) -> TextPretrainSettings:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, found {self.width} / {self.heads}")
        return self

    @property
    def total_epochs(self) -> int:
        """Epochs of all stages together: there is one."""
        return self.epochs


def pretrain_text(
    settings: TextPretrainSettings,
    texts: Sequence[str],
    folder: Path,
    threads: int = 1,
    on_epoch: Callable[[float], None] = lambda loss: None,
) -> Path:
    """Train the backbone on unlabelled texts and write it below `folder` in Hugging Face layout (config.json, model.safetensors without
    the language-modelling head, tokenizer.json, tokenizer_config.json); returns its path, `<name>-<hash of settings and texts>`.
    A folder of that name is used as it is.

    Their order does not matter, repetitions do. `on_epoch` is called after each epoch with its mean loss (nats per masked token).
    Deterministic on one machine and thread count; no global generator is moved; written whole or not at all. Raises ArtifactError
    `nonfinite` when the loss diverges, ValueError without a text that has a word.
    """
    ordered = sorted(text for text in texts if word_spans(text))
    if not ordered:
        raise ValueError(f"pretraining {settings.name}: at least one text with a word is needed, found {len(texts)} texts without")
    digest = hash_of([canonical_json(settings.model_dump(mode="json")).encode(), *(text.encode() for text in ordered)])
    path = folder / f"{settings.name}-{digest[:HASH_CHARACTERS]}"
    if path.is_dir():
        return path
    tokenizer = learn_vocabulary(ordered, settings.vocabulary)
    corpus = _tokenised(tokenizer, ordered, settings.n_tokens)
    with private_state(seed_of("pretrain_text", settings.seed, "torch"), threads):
        model = _new_model(settings, tokenizer.get_vocab_size())
        _fit(model, settings, corpus, on_epoch)
    write_folder(path, lambda pending: _save(model, tokenizer, settings, pending))
    return path


@dataclass(frozen=True)
class _Corpus:
    ids: torch.Tensor  # int64[n,T]
    word_of: torch.Tensor  # int64[n,T]
    lengths: torch.Tensor  # int64[n]
    n_words: torch.Tensor  # int64[n]


def _tokenised(tokenizer: Tokenizer, texts: Sequence[str], n_tokens: int) -> _Corpus:
    ids = torch.full((len(texts), n_tokens), PAD)
    word_of = torch.full((len(texts), n_tokens), NO_WORD)
    lengths = torch.zeros(len(texts), dtype=torch.int64)
    tokenizer.encode_special_tokens = True
    tokenizer.enable_truncation(n_tokens)
    for row, text in enumerate(texts):
        encoding = tokenizer.encode(text)
        starts = [start for start, _ in word_spans(text)]
        marks = zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
        words = [NO_WORD if special else word_at(text, starts, span) for span, special in marks]
        lengths[row] = count = len(encoding.ids)
        ids[row, :count], word_of[row, :count] = torch.tensor(encoding.ids), torch.tensor(words)
    tokenizer.no_truncation()
    return _Corpus(ids, word_of, lengths, word_of.amax(dim=1) + 1)


def _new_model(settings: TextPretrainSettings, vocabulary: int) -> Any:
    from transformers.models.roberta.configuration_roberta import RobertaConfig
    from transformers.models.roberta.modeling_roberta import RobertaForMaskedLM

    config: Any = RobertaConfig(
        vocab_size=vocabulary,
        hidden_size=settings.width,
        num_hidden_layers=settings.depth,
        num_attention_heads=settings.heads,
        intermediate_size=settings.mlp_ratio * settings.width,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
        max_position_embeddings=settings.n_tokens + PAD + 1,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        initializer_range=settings.initializer_range,
        pad_token_id=PAD,
        bos_token_id=CLS,
        eos_token_id=SEP,
    )
    return RobertaForMaskedLM(config)


def _fit(model: Any, settings: TextPretrainSettings, corpus: _Corpus, on_epoch: Callable[[float], None]) -> None:
    optimiser = torch.optim.AdamW(
        decay_groups(model.parameters(), settings.weight_decay), lr=settings.learning_rate, betas=BETAS, fused=True
    )
    steps = settings.epochs * -(-len(corpus.ids) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / steps, settings.warm_share))
    model.train()
    for epoch in range(settings.epochs):
        generator = torch.Generator().manual_seed(seed_of("pretrain_text", settings.seed, epoch))
        masked = mask_words(corpus.ids, corpus.word_of, corpus.n_words, settings.mask_share, model.config.vocab_size, generator)
        total, count = 0.0, 0
        for batch in _batches(corpus.lengths, settings.batch_size, generator):
            width = int(corpus.lengths[batch].max())
            asked = masked.asked[batch, :width]
            loss = _loss(model, masked.shown[batch, :width], corpus.lengths[batch], asked, corpus.ids[batch, :width])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
            optimiser.step()
            schedule.step()
            total, count = total + loss.item() * int(asked.sum()), count + int(asked.sum())
        if not math.isfinite(total):
            found = f"found {total / count} in epoch {epoch + 1}"
            raise ArtifactError("nonfinite", f"pretraining {settings.name}: the loss must stay finite, {found}: lower learning_rate")
        on_epoch(total / count)
    model.eval()


def _batches(lengths: torch.Tensor, batch_size: int, generator: torch.Generator) -> list[torch.Tensor]:
    """The texts in a random order, in batches of about one length: a batch is as wide as its longest text."""
    order = torch.randperm(len(lengths), generator=generator)
    windows = (part[lengths[part].argsort(stable=True)] for part in torch.split(order, WINDOW * batch_size))
    found = [batch for window in windows for batch in torch.split(window, batch_size)]
    return [found[place] for place in torch.randperm(len(found), generator=generator).tolist()]


def _loss(model: Any, shown: torch.Tensor, lengths: torch.Tensor, asked: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the asked tokens, in nats; only they go through the vocabulary's product."""
    attended = torch.arange(shown.shape[1]) < lengths.unsqueeze(1)
    hidden = model.roberta(shown, attention_mask=attended.long()).last_hidden_state
    return F.cross_entropy(model.lm_head(hidden[asked]), truth[asked])


def _rate(share: float, warm_share: float) -> float:
    """Factor of the peak learning rate at a share of all steps: linear from near 0 to 1, then half a cosine to 0.
    Not pretrain_stage's, which begins at 1/25: another curve would make other backbones under the same names."""
    if share < warm_share:
        return max(share / warm_share, 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (share - warm_share) / (1 - warm_share)))


def _save(model: Any, tokenizer: Tokenizer, settings: TextPretrainSettings, folder: Path) -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar for one small file on a stream not ours
    model.roberta.save_pretrained(folder)
    logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # transformers has no types here
    save_vocabulary(tokenizer, settings.n_tokens, folder)
