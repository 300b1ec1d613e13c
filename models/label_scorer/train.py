"""Where does a small label scorer in the real Llama architecture come from, when none can be downloaded?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.atomic import PENDING, write_folder
from models.dtype import resolve_device
from models.errors import ArtifactError, RejectedInput
from models.hashing import canonical_json, hash_of, seed_of
from models.label_scorer.artifact import tokenizer_sha256
from models.label_scorer.seen import FILE_NAME, FORMAT, Record, Seen, seen_of, text_id
from models.label_scorer.training_batches import Batch, Teacher, epoch_of, loss_of
from models.label_scorer.training_settings import LabelScorerTraining
from models.label_scorer.vocabulary import train_tokenizer
from models.pretrain_checkpoint import Checkpoint
from models.pretrain_stage import BETAS, decay_groups, learning_rate_at
from models.private_state import private_state

HASH_CHARACTERS = 12


def train_label_scorer(
    settings: LabelScorerTraining,
    texts: Sequence[Sequence[str]],
    true_labels: Sequence[str],
    labels: Sequence[str],
    folder: Path,
    tokenizer: Path | None = None,
    threads: int = 1,
    on_epoch: Callable[[], None] = lambda: None,
    device: str | None = None,
) -> Path:
    """Train a label scorer on texts given as words and write it below `folder` in Hugging Face layout (config.json, model.safetensors,
    the tokenizer's files, label_scorer.json); returns its path, `<name>-<hash of settings and data>`. One of that name is used as it is.

    `labels` is the label space in the order in which prompts name it. `tokenizer`: a folder whose tokenizer (and chat template) is used
    instead of one made from the texts. `device`: where there is a GPU it is that. The order of the examples does not matter.
    Deterministic on one CPU and thread count (on a GPU all but the last bits); written whole or not at all; a killed run goes on from its
    checkpoint below `folder` and gives the same weights. `on_epoch` is called after each epoch, at once for those done before.
    Raises ArtifactError `label_unknown`, `label_mismatch` (labels that the tokenizer cannot tell apart), `nonfinite` (the loss diverges),
    RejectedInput `too_large` and `bad_record` (of a text, see Prompts.token_ids), ValueError where texts and labels do not match.
    """
    _check(texts, true_labels, labels)
    device = device or resolve_device()
    seen = seen_of(texts, true_labels, labels)
    path = folder / f"{settings.name}-{_identity(settings, seen, tokenizer)[:HASH_CHARACTERS]}"
    if path.is_dir():
        return path
    checkpoints = folder / f"{PENDING}{path.name}"
    ordered = sorted(zip(texts, true_labels, strict=True), key=lambda example: (text_id(example[0]), example[1]))
    own = _tokenizer(settings, [words for words, _ in ordered], labels, tokenizer)
    teacher = Teacher(settings, own, tuple(labels), tuple(tuple(words) for words, _ in ordered), tuple(label for _, label in ordered))
    with private_state(seed_of("label_scorer", settings.seed, "torch"), threads, device):
        model = _new_model(settings, own).to(device)
        try:
            _fit(model, teacher, Checkpoint(checkpoints / "training.safetensors", settings.checkpoint_seconds), on_epoch)
        except (ArtifactError, RejectedInput):  # it would end so again: nothing to go on from
            shutil.rmtree(checkpoints, ignore_errors=True)
            raise
    write_folder(path, lambda pending: _save(model, own, Record(training=settings, seen=seen), pending))
    shutil.rmtree(checkpoints, ignore_errors=True)
    return path


def _check(texts: Sequence[Sequence[str]], true_labels: Sequence[str], labels: Sequence[str]) -> None:
    if len(texts) != len(true_labels) or not texts or not all(len(words) for words in texts):
        raise ValueError(f"there must be texts, each with words and a label; found {len(texts)} texts and {len(true_labels)} labels.")
    if not labels or len(set(labels)) != len(labels):
        raise ArtifactError("label_mismatch", f"labels must be distinct and at least one, found {list(labels)[:4]}.")
    if unknown := sorted(set(true_labels) - set(labels)):
        raise ArtifactError("label_unknown", f"every text's label must be one of the {len(labels)} given, found {unknown[0]!r}.")


def _identity(settings: LabelScorerTraining, seen: Seen, tokenizer: Path | None) -> str:
    parts = (canonical_json(settings.model_dump(mode="json")), canonical_json(list(seen.labels)), seen.fingerprint, str(FORMAT))
    return hash_of(part.encode() for part in (*parts, "" if tokenizer is None else tokenizer_sha256(tokenizer)))


def _tokenizer(settings: LabelScorerTraining, texts: Sequence[Sequence[str]], labels: Sequence[str], given: Path | None) -> Any:
    if given is not None:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(given, local_files_only=True, trust_remote_code=False)
    prompt = settings.prompt
    strings = [prompt.filled("plain", tuple(labels), prompt.word_separator.join(words)) for words in texts]
    strings += [f"{prompt.label_prefix}{label}" for label in labels] + [prompt.filled("labelled", tuple(labels), prompt.placeholder)]
    return train_tokenizer(strings, settings.vocabulary, settings.max_tokens)


def _new_model(settings: LabelScorerTraining, tokenizer: Any) -> Any:
    from transformers.models.llama.configuration_llama import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.width,
        intermediate_size=settings.mlp_width,
        num_hidden_layers=settings.depth,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.kv_heads,
        max_position_embeddings=settings.max_tokens,
        initializer_range=settings.initializer_range,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def _fit(model: Any, teacher: Teacher, checkpoint: Checkpoint, on_epoch: Callable[[], None]) -> None:
    settings = teacher.settings
    groups = decay_groups(model.parameters(), settings.weight_decay)
    optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=BETAS, fused=True)
    done = checkpoint.load(model, (optimiser,))
    for _ in range(done):
        on_epoch()
    for epoch in range(done, settings.epochs):
        model.train()
        loss = torch.zeros(())
        batches = epoch_of(teacher, epoch)
        for step, batch in enumerate(batches):
            rate = learning_rate_at((epoch * len(batches) + step) / (settings.epochs * len(batches)), settings.warm_share)
            loss = _step(model, batch, optimiser, settings.learning_rate * rate, settings.clip_norm)
        if not torch.isfinite(loss):
            found = f"found {loss.item()} in epoch {epoch + 1}"
            raise ArtifactError("nonfinite", f"label scorer {settings.name}: the loss must stay finite, {found}: lower learning_rate")
        checkpoint.save(model, (optimiser,), epoch + 1, last=epoch + 1 == settings.epochs)
        on_epoch()
    model.eval()


def _step(model: Any, batch: Batch, optimiser: torch.optim.Optimizer, rate: float, clip_norm: float) -> torch.Tensor:
    for group in optimiser.param_groups:
        group["lr"] = rate
    loss = loss_of(model, batch)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimiser.step()
    return loss.detach()


def _save(model: Any, tokenizer: Any, record: Record, folder: Path) -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar for one small file on a stream not ours
    model.save_pretrained(folder)
    logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # transformers has no types here
    tokenizer.save_pretrained(folder)
    (folder / FILE_NAME).write_text(json.dumps(record.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
