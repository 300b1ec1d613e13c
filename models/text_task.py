"""What does one batch of texts cost a model in training, and how good is it on validation?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import nn

from models.attribution_loss import attribution_loss, prior_matrix
from models.buckets import batches, bucket_of, filled
from models.gradients import evaluating
from models.text_families import text_family_named
from models.text_families.text_family import TextFamily
from models.text_gradients import TokenBatch, logits_of_embedded, word_embeddings
from models.text_masked_value import sized
from models.text_recipe import TextRecipe
from models.text_training_data import TextTrainingSet
from models.texts import NO_WORD, Texts
from models.training_loop import BatchLoss, Task
from models.training_progress import Epoch, TrainingCheckpoint
from models.validation import validation_metrics

VALIDATION_BATCH = 64


@dataclass(frozen=True)
class TextTask:
    """A classifier (wrapped by peft or not), the examples it is trained on as it reads them, and those that choose its epoch."""

    recipe: TextRecipe
    model: nn.Module
    family_name: str
    train: TextTrainingSet
    texts: Texts
    val: TextTrainingSet
    val_texts: Texts
    buckets: tuple[int, ...]
    device: str

    def task(
        self,
        state: Callable[[], dict[str, torch.Tensor]],
        checkpoint: TrainingCheckpoint,
        on_epoch: Callable[[Epoch], None] | None,
        on_step: Callable[[int, int], None] | None,
    ) -> Task:
        """The training for models.training_loop."""
        return Task(
            recipe=self.recipe,
            model=self.model,
            n_examples=len(self.train),
            begin=lambda epoch: self.batch_loss,
            evaluate=self.evaluated,
            state=state,
            patience=self.recipe.patience,
            keyed_steps=True,
            checkpoint=checkpoint,
            on_epoch=on_epoch,
            on_step=on_step,
        )

    def batch_loss(self, places: Int64[torch.Tensor, " batch"]) -> BatchLoss:
        """Cross-entropy, in train mode, and beta times the attribution loss, in eval mode; summed over the texts at these places."""
        rows = places.numpy()
        targets = torch.from_numpy(self.train.label_ids[rows]).to(self.device)
        with self._precision():
            logits = self._logits(self._batch(self.texts, rows))
        logits = logits.float() if logits.dtype == torch.bfloat16 else logits
        entropy = F.cross_entropy(logits, targets, reduction="sum", label_smoothing=self.recipe.label_smoothing)
        sums = {"train_loss": (entropy.item(), len(rows))}
        steered = rows[self._has_prior[rows]] if self.recipe.priors is not None and self.recipe.priors.beta else rows[:0]
        if not len(steered) or self.recipe.priors is None:
            return BatchLoss(entropy, sums)
        away = self._attribution_loss(steered, self.recipe.priors.ig_steps)
        sums["attribution_loss"] = (away.item(), len(steered))
        return BatchLoss(entropy + self.recipe.priors.beta * away, sums)

    def evaluated(self) -> dict[str, float]:
        """Metrics on validation, in batches of fixed shape: models.validation."""
        logits = torch.empty(len(self.val), self._n_labels)
        with evaluating(self.model), torch.no_grad():
            for size, places in batches(bucket_of(self.val_texts.lengths, self.buckets), VALIDATION_BATCH):
                rows = filled(places, VALIDATION_BATCH)
                logits[places] = self._logits(token_batch_of(self.val_texts, rows, size, self.device))[: len(places)].float().cpu()
        return validation_metrics(logits, self.val.label_ids)

    def notes(self) -> dict[str, float]:
        """What of the training texts could not be used in full."""
        without = {} if self.recipe.priors is None else {"texts_without_prior": float((~self._has_prior).sum())}
        return without | {"truncated_texts": float(self.texts.truncated.sum())}

    def _attribution_loss(self, rows: NDArray[np.int64], steps: int) -> Float[torch.Tensor, ""]:
        targets = torch.from_numpy(self.train.label_ids[rows]).to(self.device)
        words = int(self.texts.included[rows].sum(axis=1).max())
        included = torch.from_numpy(self.texts.included[rows, :words]).to(self.device)
        priors = torch.from_numpy(self._priors[0][rows, :words]).to(self.device)
        with self._precision():
            return attribution_loss(self.model, self._family, self._batch(self.texts, rows), targets, included, priors, steps)

    def _precision(self) -> torch.autocast:
        """In which the products of training are computed."""
        return torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.recipe.precision == "bfloat16")

    def _logits(self, batch: TokenBatch) -> Float[torch.Tensor, "batch labels"]:
        return logits_of_embedded(self.model, self._family, word_embeddings(self.model, batch.ids), batch.attended)

    def _batch(self, texts: Texts, rows: NDArray[np.int64]) -> TokenBatch:
        """These texts, padded to the longest. Buckets are for scoring, where a text's last bits must not depend on its neighbours."""
        return token_batch_of(texts, rows, int(texts.lengths[rows].max()), self.device)

    @cached_property
    def _priors(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        return prior_matrix(self.texts, self.train.priors or (None,) * len(self.train))

    @property
    def _has_prior(self) -> NDArray[np.bool_]:
        return self._priors[1]

    @property
    def _family(self) -> TextFamily:
        return text_family_named(self.family_name)

    @property
    def _n_labels(self) -> int:
        return int(self.model.config.num_labels)  # type: ignore[union-attr, arg-type]  # a classifier of transformers, which torch calls a module


def token_batch_of(texts: Texts, rows: NDArray[np.int64], size: int, device: str) -> TokenBatch:
    """The texts at these rows, `size` tokens wide: no shorter than the longest of them."""
    ids, attended = sized(texts.ids[rows], texts.attended[rows], size, texts.pad_id)
    word_of = np.full(ids.shape, NO_WORD, dtype=np.int64)
    width = min(size, texts.word_of.shape[1])
    word_of[:, :width] = texts.word_of[rows, :width]
    return TokenBatch(*(torch.from_numpy(part).to(device) for part in (ids, attended, word_of)))
