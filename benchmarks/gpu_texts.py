"""What do texts cost on a GPU: a steered training step beside a plain one, by precision and batch, and p of a label under 100 masks beside
the naive way on the same card? Asked for by name alone: `python -m benchmarks --only gpu_texts`.

The classifier is a BERT of MiniLM's size with random weights; every step is waited for.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks import label_scorer
from benchmarks.card import card_name, seconds_on_card
from benchmarks.row import Row
from benchmarks.timing import ratio, spread
from models.attribution_loss import attribution_loss
from models.text_families import text_family_named
from models.text_gradients import TokenBatch

DEVICE = "cuda"
N_LABELS, TOKENS, IG_STEPS = 77, 24, 4  # Banking77's labels; its texts have 11 words in the middle
MINILM = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536, "vocab_size": 30522}
TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 200}
BATCHES = {False: (8, 64, 256), True: (2, 4)}
ROUNDS = {False: 10, True: 1}


def measure(folder: Path, quick: bool) -> list[Row]:
    """Steered and plain steps, then the label scorer's rows on the card. Needs a CUDA device."""
    card = card_name("gpu_texts")
    model = _classifier(TINY if quick else MINILM)
    rows = [_step(model, precision, batch, ROUNDS[quick]) for precision in ("float32", "bfloat16") for batch in BATCHES[quick]]
    return rows + [replace(row, what=f"{row.what}, on {card}", aim="stated", met=None) for row in label_scorer.measure(folder, quick)]


def _classifier(size: dict[str, int]) -> Any:
    from transformers.models.bert.configuration_bert import BertConfig
    from transformers.models.bert.modeling_bert import BertForSequenceClassification

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: Any = BertForSequenceClassification(BertConfig.from_dict({**size, "num_labels": N_LABELS}))
    return model.to(DEVICE)


def _step(model: Any, precision: str, batch: int, rounds: int) -> Row:
    """Forward and backward of cross-entropy alone, and with the attribution loss beside it."""
    texts, targets, priors = _texts(batch, int(model.config.vocab_size))
    ways: dict[str, Callable[[], None]] = {
        "plain": partial(_plain, model, texts, targets, precision),
        "steered": partial(_steered, model, texts, targets, priors, precision),
    }
    seconds = seconds_on_card(ways, rounds)
    torch.cuda.reset_peak_memory_stats()
    ways["steered"]()
    steered = statistics.median(seconds["steered"])
    return Row(
        what=f"steered training step on {torch.cuda.get_device_name()}, BERT of MiniLM's size, {precision}, {batch} texts",
        figure=f"times a plain step ({IG_STEPS} midpoints, second order)",
        value=round(ratio(seconds["steered"], seconds["plain"]), 2),
        unit="x",
        aim="stated",
        met=None,
        details={
            "steered_ms": round(1e3 * steered, 1),
            "plain_ms": round(1e3 * statistics.median(seconds["plain"]), 1),
            "steered_texts_per_second": round(batch / steered),
            "peak_mib": round(torch.cuda.max_memory_allocated() / 2**20),
            "tokens": TOKENS,
            "spread": round(spread(seconds["steered"]), 3),
        },
        limited_by="starting kernels, as far as a step of more texts takes no longer",
    )


def _texts(batch: int, vocabulary: int) -> tuple[TokenBatch, torch.Tensor, torch.Tensor]:
    """Texts of one length, each token a word; their targets, and uniform priors."""
    generator = torch.Generator().manual_seed(batch)
    ids = torch.randint(vocabulary // 2, vocabulary, (batch, TOKENS), generator=generator)
    words = torch.arange(TOKENS).expand(batch, TOKENS)
    texts = TokenBatch(*(part.to(DEVICE) for part in (ids, torch.ones_like(ids, dtype=torch.bool), words.contiguous())))
    targets = torch.randint(N_LABELS, (batch,), generator=generator).to(DEVICE)
    return texts, targets, torch.full((batch, TOKENS), TOKENS**-0.5, device=DEVICE)


def _plain(model: Any, texts: TokenBatch, targets: torch.Tensor, precision: str) -> None:
    _entropy(model, texts, targets, precision).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    model.zero_grad()


def _steered(model: Any, texts: TokenBatch, targets: torch.Tensor, priors: torch.Tensor, precision: str) -> None:
    loss = _entropy(model, texts, targets, precision)
    included = torch.ones_like(priors, dtype=torch.bool)
    with torch.autocast(torch.device(DEVICE).type, torch.bfloat16, enabled=precision == "bfloat16"):
        loss = loss + attribution_loss(model, text_family_named("bert"), texts, targets, included, priors, IG_STEPS)
    loss.backward()  # type: ignore[no-untyped-call]  # as above
    model.zero_grad()


def _entropy(model: Any, texts: TokenBatch, targets: torch.Tensor, precision: str) -> torch.Tensor:
    model.train()
    with torch.autocast(torch.device(DEVICE).type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits = model(input_ids=texts.ids, attention_mask=texts.attended).logits
    return F.cross_entropy(logits.float(), targets, reduction="sum")
