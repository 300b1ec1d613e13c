"""What does one classifier say about n texts? Logits, embeddings, attention, masked values, and integrated gradients.

Every forward has exactly `batch_size` rows of one length bucket: floating-point sums depend on a batch's shape, not on its content, so a
text's numbers are the same bits whatever its neighbours are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numpy.typing import NDArray
from torch import nn

from models.attention_maps import AttentionMaps
from models.backbone_record import TextBackbone
from models.buckets import batches, bucket_of, filled
from models.encoder import Encoder
from models.errors import ArtifactError
from models.poked_texts import TokenNoise, poked_embeddings, sized_noise
from models.poked_value import PokedTextValue
from models.pokes import MAGNITUDE, Noise
from models.text_families import text_family_named
from models.text_families.text_family import TextFamily, mean_token
from models.text_gradients import word_embeddings
from models.text_masked_value import TEXT_BASELINES, Attended, Ids, Shares, TextMaskedValue, sized
from models.text_path import summed_over_path
from models.texts import NO_WORD, Texts, word_sums

# In every settings_id of a text row. Raise it with any change of arithmetic in encoder.py, layer.py, post_norm.py, linear.py,
# text_scorer.py, text_path.py, text_gradients.py, text_masked_value.py or texts.py.
TEXT_ENGINE = 2

PerText = Float32[NDArray[np.float32], "texts labels"]
PerWord = Float32[NDArray[np.float32], "texts words"]
Targets = Int64[NDArray[np.int64], " texts"]


class Integrated(NamedTuple):
    """Integrated gradients of n texts. `values`: signed, per word, 0 where there is none. `specials`: what went to tokens of no word. Their
    sum is logit(text) - logit(zero word embeddings), up to the midpoint rule's error."""

    values: PerWord
    specials: Float32[NDArray[np.float32], " texts"]


class _Inputs(NamedTuple):
    ids: torch.Tensor
    attended: torch.Tensor
    noise: TokenNoise | None = None


@dataclass(frozen=True)
class TextScorer:
    """One classifier (or an encoder without a head) in inference. numpy float32 in and out; not for two threads at once.

    Numbers that are not finite are returned as they are: the caller retries in float32, then rejects. `model` is the classifier without
    its layers, which `encoder` stands for; `whole` makes the classifier itself in float32, for gradients.
    """

    backbone: TextBackbone
    model: nn.Module
    encoder: Encoder
    n_labels: int  # 0: no head, only `embed` works
    dtype: torch.dtype
    device: str
    batch_size: int
    buckets: tuple[int, ...]
    heads: int
    scoring_bytes: int
    whole: Callable[[], tuple[nn.Module, int]]  # the classifier, and the memory of its tensors that no other scorer shares
    _whole: list[tuple[nn.Module, int]] = field(default_factory=list, compare=False)

    @property
    def own_bytes(self) -> int:
        """Memory of the tensors not shared with other scorers of this backbone."""
        return self.scoring_bytes + sum(size for _, size in self._whole)

    def logits(self, texts: Texts) -> PerText:
        """Logits float32[n,labels]. ArtifactError `label_mismatch` without a head."""
        self._require_head()
        result = np.empty((len(texts), self.n_labels), dtype=np.float32)
        for places, inputs in self._batches(texts):
            result[places] = _numpy(self._scored(inputs), places)
        return result

    def explain(self, texts: Texts) -> tuple[PerText, PerWord]:
        """(logits [n,labels], attention [n,W]): the last layer's CLS row, mean over heads, summed into words, as shares of the words.

        Each text's words sum to 1; uniform where CLS looks at no word at all (METHODS 2: an all-zero map is uniform).
        """
        self._require_head()
        logits = np.empty((len(texts), self.n_labels), dtype=np.float32)
        n_tokens = texts.ids.shape[-1]
        tokens = np.zeros((len(texts), n_tokens), dtype=np.float64)
        for places, inputs in self._batches(texts):
            scores, row = self._explained(inputs)
            logits[places] = _numpy(scores, places)
            width = min(row.shape[-1], n_tokens)
            tokens[places, :width] = _numpy(row, places).astype(np.float64).mean(axis=1)[:, :width]
        return logits, _shares_of_words(word_sums(tokens, texts.word_of, texts.included.shape[1]), texts)

    def attention(self, texts: Texts) -> PerWord:
        """The second half of `explain`: float32[n,W] >= 0, each text's words summing to 1, 0 where there is no word."""
        return self.explain(texts)[1]

    def attention_maps(self, texts: Texts) -> Iterator[AttentionMaps]:
        """What every token of each text looks at in every layer, a batch at a time."""
        for places, inputs in self._batches(texts):
            size = inputs.ids.shape[1]
            words = np.full((len(places), max(size, texts.word_of.shape[1])), NO_WORD, dtype=np.int64)
            words[:, : texts.word_of.shape[1]] = texts.word_of[places]
            yield AttentionMaps(places, _numpy(self._maps(inputs), places), words[:, :size])

    def embed(self, texts: Texts) -> tuple[Float32[NDArray[np.float32], "texts width"], Float32[NDArray[np.float32], "texts words width"]]:
        """(pooled [n,d], words [n,W,d]) of the last hidden state. Works without a head.

        `pooled` is what the head reads: CLS (METHODS 1), or with a sentence encoder the mean over all tokens with specials, not normalised
        in length. A word is the mean of its tokens; zero where there is no word, or the word has no token.
        """
        width, (n_texts, n_words) = self.backbone.hidden_size, texts.included.shape
        pooled = np.empty((n_texts, width), dtype=np.float32)
        words = np.zeros((n_texts, n_words, width), dtype=np.float32)
        for places, inputs in self._batches(texts):
            hidden, means = self._embedded(inputs)
            pooled[places] = _numpy(means, places)
            _add_words(words, places, _numpy(hidden, places), texts)
        words /= np.maximum(texts.tokens_per_word, 1)[:, :, None].astype(np.float32)
        return pooled, words

    def value(self, texts: Texts, targets: Targets, baseline: str) -> TextMaskedValue:
        """The value function of texts for the classes `targets` (int[n]): (rows int[m], keep bool[m,W]) -> p(target) [m].

        `baseline`: mask or drop (models.text_masked_value). ValueError on another, or on a target without a logit.
        """
        targets = self._checked(texts, targets)
        if baseline not in TEXT_BASELINES:
            raise ValueError(f"baseline must be one of {', '.join(TEXT_BASELINES)}, found {baseline!r}.")
        kind: Literal["mask", "drop"] = "mask" if baseline == "mask" else "drop"
        return TextMaskedValue(self._shares, texts, targets, kind, self.batch_size, self.buckets)

    def poked_value(self, texts: Texts, targets: Targets, baseline: str, noise: Noise, magnitude: float = MAGNITUDE) -> PokedTextValue:
        """`value` of texts and their pokes: (rows int[m], pokes int[m], keep bool[m,W]) -> p(target) [m]. ValueError as there."""

        def drawn(rows: NDArray[np.int64], pokes: NDArray[np.int64]) -> NDArray[np.float32]:
            return np.float32(magnitude) * noise(rows, pokes)

        return PokedTextValue(self.value(texts, targets, baseline), self._shares, drawn)

    def integrated_gradients(self, texts: Texts, targets: Targets, steps: int = 8) -> Integrated:
        """Signed integrated gradients of the target logits per word (models.text_gradients), always in float32: gradients rounded to 16
        bits miss completeness. For training, `models.text_gradients.self_attribution` differentiates them on the model itself."""
        targets = self._checked(texts, targets)
        if not self._whole:
            self._whole.append(self.whole())
        model = self._whole[0][0]
        tokens = summed_over_path(model, self._family, texts, targets, steps, self.batch_size, self.buckets, self.device)
        values = word_sums(tokens, texts.word_of, texts.included.shape[1])
        specials = tokens.sum(axis=1) - values.sum(axis=1)
        return Integrated(values.astype(np.float32), specials.astype(np.float32))

    @property
    def _family(self) -> TextFamily:
        return text_family_named(self.backbone.family)

    def _require_head(self) -> None:
        if not self.n_labels:
            raise ArtifactError("label_mismatch", f"{self.backbone.name} must have a head to score labels. Load it with an adapter.")

    def _checked(self, texts: Texts, targets: Targets) -> Targets:
        self._require_head()
        self._check(texts)
        targets = np.asarray(targets)
        if targets.shape != (len(texts),) or (len(targets) and not 0 <= targets.min() <= targets.max() < self.n_labels):
            raise ValueError(f"targets must be int[{len(texts)}] in 0..{self.n_labels - 1}, found {targets.tolist()[:5]}.")
        return targets.astype(np.int64)

    def _check(self, texts: Texts) -> None:
        if texts.backbone != self.backbone.sha256:
            found = f"{texts.backbone[:12]}, not {self.backbone.sha256[:12]}"
            raise ValueError(f"texts must be prepared for this backbone, found those of {found}. Prepare them with its tokenizer.")

    def _batches(self, texts: Texts) -> Iterator[tuple[NDArray[np.int64], _Inputs]]:
        """(rows filled, a full batch of one bucket on the device)."""
        self._check(texts)
        for size, places in batches(bucket_of(texts.lengths, self.buckets), self.batch_size):
            rows = filled(places, self.batch_size)
            ids, attended = sized(texts.ids[rows], texts.attended[rows], size, texts.pad_id)
            yield places, self._inputs(ids, attended, sized_noise(texts, rows, size))

    def _inputs(self, ids: Ids, attended: Attended, noise: TokenNoise | None = None) -> _Inputs:
        return _Inputs(torch.from_numpy(ids).to(self.device), torch.from_numpy(attended).to(self.device), noise)

    def _sequence(self, inputs: _Inputs) -> torch.Tensor:
        model: Any = self.model
        places = self._family.positions(inputs.attended, model.config)
        shown: dict[str, torch.Tensor] = {"input_ids": inputs.ids}
        if inputs.noise is not None:
            shown = {"inputs_embeds": poked_embeddings(word_embeddings(model, inputs.ids), inputs.noise)}
        embedded: torch.Tensor = self._family.embeddings(model)(**shown, position_ids=places)
        return embedded

    @torch.inference_mode()
    def _scored(self, inputs: _Inputs) -> torch.Tensor:
        return self._family.head(self.model, self.encoder(self._sequence(inputs), inputs.attended), inputs.attended)

    @torch.inference_mode()
    def _explained(self, inputs: _Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        hidden, row = self.encoder.reading(self._sequence(inputs), inputs.attended)
        return self._family.head(self.model, hidden, inputs.attended), row

    @torch.inference_mode()
    def _maps(self, inputs: _Inputs) -> torch.Tensor:
        return self.encoder.maps(self._sequence(inputs), inputs.attended)

    @torch.inference_mode()
    def _embedded(self, inputs: _Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.encoder(self._sequence(inputs), inputs.attended)
        return hidden, hidden[:, 0] if self._family.pooling == "cls" else mean_token(hidden, inputs.attended)

    def _shares(self, ids: Ids, attended: Attended, noise: TokenNoise | None = None) -> Shares:
        with torch.inference_mode():
            shares: Shares = self._scored(self._inputs(ids, attended, noise)).float().softmax(dim=1).cpu().numpy()
        return shares


def _numpy(batch: torch.Tensor, places: NDArray[np.int64]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = batch[: len(places)].float().cpu().numpy()
    return result


def _shares_of_words(sums: NDArray[np.float64], texts: Texts) -> PerWord:
    totals = sums.sum(axis=1, keepdims=True)
    uniform = texts.included / np.maximum(texts.included.sum(axis=1, keepdims=True), 1)
    # Not `totals > 0`: a total that is no number must stay one.
    return np.where(totals == 0, uniform, sums / np.where(totals == 0, 1, totals)).astype(np.float32)


def _add_words(words: NDArray[np.float32], places: NDArray[np.int64], hidden: NDArray[np.float32], texts: Texts) -> None:
    word_of = texts.word_of[places][:, : hidden.shape[1]]
    rows, tokens = np.nonzero(word_of >= 0)
    np.add.at(words, (places[rows], word_of[rows, tokens]), hidden[rows, tokens])
