"""Which language model scores labels for one selection of training texts, and does it know more than the target may?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lake.errors import ConfigError, MissingInputError
from lake.progress import Progress
from models.errors import ArtifactError
from models.label_scorer.artifact import LabelModel, label_model_folder, resolve_label_model
from models.label_scorer.prompt import Prompts
from models.label_scorer.seen import read_record
from models.label_scorer.settings import LabelPrompt
from models.label_scorer.train import train_label_scorer
from models.label_scorer.training_settings import LabelScorerTraining
from models.text_training_data import TextTrainingSet
from silver.priors.jobs import SOURCES
from silver.priors.settings import PriorSettings, ScorerSource
from silver.priors.words import words_of

ID_CHARACTERS = 32
Found = TypeVar("Found")
BEGIN = 1  # `<|begin|>`, the one special token of a tokenizer made here


@dataclass(frozen=True)
class Scorer:
    """A language model for one selection. `leaky`: it was trained on texts that the target is not trained on; None where nobody wrote
    down what it saw."""

    model: LabelModel
    leaky: bool | None

    @property
    def scorer_id(self) -> str:
        """Content hash of configuration, weights and tokenizer (128 bits, hex)."""
        return self.model.sha256[:ID_CHARACTERS]


def named_model(source: ScorerSource, labels: Sequence[str], settings: PriorSettings) -> LabelModel:
    """The model under a name or in a folder, checked as far as that costs no weights. MissingInputError where it is neither here nor in
    reach, ArtifactError for one that cannot be used or whose tokenizer cannot tell two labels apart (`label_mismatch`)."""
    model = _in_reach(source, resolve_label_model)
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model.folder, local_files_only=True, trust_remote_code=False)
    Prompts(tokenizer, settings.scoring.prompt, "labelled", tuple(labels)).label_ids()
    return model


def require_in_reach(source: ScorerSource) -> None:
    """Finds the model under a name or in a folder, and downloads it where it must; nothing of it is read. MissingInputError where it is
    neither here nor in reach: at the start of a run, which would else end so after hours of other work."""
    _in_reach(source, label_model_folder)


def _in_reach(source: ScorerSource, find: Callable[[str, str | None], Found]) -> Found:
    if source.name is None:
        raise ConfigError("priors.scorer: give name for a model from elsewhere")
    try:
        return find(source.name, source.revision)
    except ArtifactError as error:
        if error.code != "not_a_file":
            raise
        raise MissingInputError(
            f"priors.scorer.name: {source.name!r} is no folder here and cannot be downloaded now. Download it once where there is a "
            "network and set priors.scorer.name to that folder, or give priors.scorer.train instead"
        ) from error


def trained_model(settings: PriorSettings, examples: TextTrainingSet, labels: Sequence[str], folder: Path) -> LabelModel:
    """The small scorer of exactly these texts under these labels, trained below `folder` where it is not there yet.

    Texts that it might not be able to read are left out of its training: by bytes, since a byte is at most one token. ConfigError where
    none is left.
    """
    training = settings.training
    if training is None:
        raise ConfigError("priors.scorer: give train for a model that is trained here")
    texts, true_labels = readable(training, examples, labels)
    if not texts:
        raise ConfigError(
            f"priors.scorer.train.max_tokens must hold the prompt with its {len(labels)} labels and a text; {training.max_tokens:,} tokens "
            f"hold none of the {len(examples):,} training texts: raise it"
        )
    with Progress(f"training the label scorer on {len(texts):,} of {len(examples):,} texts", training.epochs) as progress:
        path = train_label_scorer(training, texts, true_labels, labels, folder, threads=settings.scorer.threads, on_epoch=progress.step)
    return resolve_label_model(str(path))


def readable(training: LabelScorerTraining, examples: TextTrainingSet, labels: Sequence[str]) -> tuple[list[tuple[str, ...]], list[str]]:
    """(words, labels) of the examples that fit the model with the longest label, whatever the tokenizer makes of them."""
    texts, true_labels, room = [], [], room_bytes(training, labels)
    for text, label_id in zip(examples.texts, examples.label_ids.tolist(), strict=True):
        words = words_of(text)
        if words and shown_bytes(training.prompt, words) <= room:
            texts.append(words)
            true_labels.append(labels[label_id])
    return texts, true_labels


def room_bytes(training: LabelScorerTraining, labels: Sequence[str]) -> int:
    """Bytes of a text (`shown_bytes`) that the model surely holds beside its prompt and the longest label; below 1 where none does."""
    prompt, longest = training.prompt, max(len(f"{training.prompt.label_prefix}{label}".encode()) for label in labels)
    return training.max_tokens - BEGIN - longest - max(len(prompt.filled(name, tuple(labels), "").encode()) for name in SOURCES)


def shown_bytes(prompt: LabelPrompt, words: Sequence[str]) -> int:
    """The most bytes that a text of these words has in a prompt, whichever of them are masked."""
    widest = max(len(prompt.placeholder.encode()), 1)
    return sum(max(len(word.encode()), widest) for word in words) + len(prompt.word_separator.encode()) * (len(words) - 1)


def scorer_of(model: LabelModel, examples: TextTrainingSet, labels: Sequence[str]) -> Scorer:
    """The model as the scorer of these training texts under these labels; its own record says what else it saw."""
    record = read_record(model.folder)
    if record is None:
        return Scorer(model, None)
    trained = [labels[label_id] for label_id in examples.label_ids.tolist()]
    return Scorer(model, record.seen.beyond((words_of(text) for text in examples.texts), trained, labels) > 0)
