"""What does one classifier say about a stack of pictures? Logits, attention, embeddings, masked values, and integrated gradients.

Every forward has exactly `batch_size` rows, the last batch filled with zeros: floating-point sums depend on a batch's shape, not on its
content, so a picture's numbers are the same bits whatever its neighbours are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float32, Int64
from numpy.typing import NDArray
from torch import nn

from models.attention_maps import AttentionMaps
from models.backbone import Backbone
from models.baselines import BASELINES, baseline_pixels
from models.encoder import Encoder
from models.errors import ArtifactError
from models.families import family_named
from models.families.family import Family
from models.image_path import summed_over_pixels
from models.masked_value import MaskedValue, Shares
from models.poked_value import PokedPictureValue
from models.pokes import MAGNITUDE, Noise, poked_pixels

Floats = NDArray[np.float32]
Targets = Int64[NDArray[np.int64], " pictures"]
PerPatch = Float32[NDArray[np.float32], "pictures patches"]
# With nothing visible these show every picture alike: each patch is the training mean colour, or gone.
ALIKE = ("zero", "drop")


@dataclass(frozen=True)
class ImageScorer:
    """One classifier (or a backbone without a head) in inference. numpy float32 in and out; not for two threads at once.

    Numbers that are not finite are returned as they are: the caller retries in float32, then rejects.
    `model` is the classifier without its layers, which `encoder` stands for; its own forward means nothing. `whole` makes the classifier
    itself in float32, for gradients.
    """

    backbone: Backbone
    model: nn.Module
    encoder: Encoder
    n_labels: int  # 0: no head, only `embed` works
    dtype: torch.dtype
    device: str
    batch_size: int
    scoring_bytes: int
    heads: int
    whole: Callable[[], tuple[nn.Module, int]]  # the classifier, and the memory of its tensors that no other scorer shares
    _blank: dict[str, list[Shares]] = field(default_factory=dict, compare=False)
    _whole: list[tuple[nn.Module, int]] = field(default_factory=list, compare=False)

    @property
    def own_bytes(self) -> int:
        """Memory of the tensors not shared with other scorers of this backbone."""
        return self.scoring_bytes + sum(size for _, size in self._whole)

    def logits(self, pixels: Floats) -> Floats:
        """Normalised pictures [n,3,s,s] -> logits [n,labels]. ArtifactError `label_mismatch` without a head."""
        self._require_head()
        result = np.empty((len(pixels), self.n_labels), dtype=np.float32)
        for where, batch in self._batches(pixels):
            result[where] = self._to_numpy(self._logits(batch), where)
        return result

    def explain(self, pixels: Floats) -> tuple[Floats, Floats]:
        """(logits [n,labels], last layer's CLS row [n,heads,tokens]); rows sum to 1 over all tokens, the `n_prefix` first included."""
        self._require_head()
        logits = np.empty((len(pixels), self.n_labels), dtype=np.float32)
        attention = np.empty((len(pixels), self.heads, self.backbone.n_prefix + self.backbone.n_units), dtype=np.float32)
        for where, batch in self._batches(pixels):
            scores, row = self._explained(batch)
            logits[where], attention[where] = self._to_numpy(scores, where), self._to_numpy(row, where)
        return logits, attention

    def attention_maps(self, pixels: Floats) -> Iterator[AttentionMaps]:
        """What every token of each picture looks at in every layer, a batch at a time: twelve layers of 257 tokens are 3 MB a picture."""
        units = np.arange(self.backbone.n_prefix + self.backbone.n_units) - self.backbone.n_prefix
        for where, batch in self._batches(pixels):
            places = np.arange(len(pixels))[where]
            yield AttentionMaps(places, self._to_numpy(self._maps(batch), where), np.tile(units, (len(places), 1)))

    def embed(self, pixels: Floats) -> tuple[Floats, Floats]:
        """(CLS [n,d], patches [n,N,d]) of the last hidden state, after the layer norm. Works without a head."""
        width, n_units = self.backbone.hidden_size, self.backbone.n_units
        pooled = np.empty((len(pixels), width), dtype=np.float32)
        units = np.empty((len(pixels), n_units, width), dtype=np.float32)
        for where, batch in self._batches(pixels):
            hidden = self._to_numpy(self._hidden(batch), where)
            pooled[where], units[where] = hidden[:, 0], hidden[:, self.backbone.n_prefix :]
        return pooled, units

    def value(self, pixels: Floats, targets: Targets, baseline: str) -> MaskedValue:
        """The value function of pictures [b,3,s,s] for the classes `targets` (int[b]): (rows int[m], keep bool[m,N]) -> p(target) [m].

        `baseline` mean, zero, blur (models.baselines) or drop. ValueError on another, or on a target without a logit.
        """
        targets = self._checked(pixels, targets, baseline)
        tokens, removed = self._tokens(pixels, baseline)
        return MaskedValue(
            shares=self._shares,
            tokens=tokens,
            removed=removed,
            n_prefix=self.backbone.n_prefix,
            targets=targets,
            batch_size=self.batch_size,
            blank=self._blank.setdefault(baseline, []) if baseline in ALIKE else None,
        )

    def poked_value(
        self, pixels: Floats, targets: NDArray[np.int64], baseline: str, noise: Noise, magnitude: float = MAGNITUDE
    ) -> PokedPictureValue:
        """`value` of pictures and their pokes: (rows int[m], pokes int[m], keep bool[m,N]) -> p(target) [m]. ValueError as there."""

        def tokens(rows: NDArray[np.int64], pokes: NDArray[np.int64]) -> torch.Tensor:
            return self._tokens(poked_pixels(pixels[rows], noise(rows, pokes), magnitude), "drop")[0]

        return PokedPictureValue(self.value(pixels, targets, baseline), tokens)

    def integrated_gradients(self, pixels: Floats, targets: Targets, steps: int, baseline: str) -> PerPatch:
        """Signed integrated gradients of the target logits per patch (models.image_path), always in float32, as those of texts.

        `baseline` mean, zero or blur names the picture that the path begins at. `drop` has none: zero stands in for it.
        """
        targets = self._checked(pixels, targets, baseline)
        self._check(pixels)
        if not self._whole:
            self._whole.append(self.whole())
        begin = "zero" if baseline == "drop" else baseline
        model, patch = self._whole[0][0], self.backbone.patch_size
        found = summed_over_pixels(model, self._family, pixels, targets, steps, begin, patch, self.batch_size, self.device)
        return found.astype(np.float32)

    @property
    def _family(self) -> Family:
        return family_named(self.backbone.family)

    def _require_head(self) -> None:
        if not self.n_labels:
            raise ArtifactError("label_mismatch", f"{self.backbone.name} must have a head to score labels. Load it with an adapter.")

    def _checked(self, pixels: Floats, targets: Targets, baseline: str) -> Targets:
        self._require_head()
        targets = np.asarray(targets)
        if baseline not in BASELINES:
            raise ValueError(f"baseline must be one of {', '.join(BASELINES)}, found {baseline!r}.")
        if targets.shape != (len(pixels),) or (len(targets) and not 0 <= targets.min() <= targets.max() < self.n_labels):
            raise ValueError(f"targets must be int[{len(pixels)}] in 0..{self.n_labels - 1}, found {targets.tolist()[:5]}.")
        return targets.astype(np.int64)

    def _check(self, pixels: Floats) -> None:
        side = self.backbone.image_size
        if pixels.ndim != 4 or pixels.shape[1:] != (3, side, side):
            raise ValueError(f"pixels must be float32[n,3,{side},{side}], found {list(pixels.shape)}. Prepare them with models.images.")

    def _batches(self, pixels: Floats) -> Iterator[tuple[slice, torch.Tensor]]:
        """(rows filled, float32[batch_size,3,s,s] on the device); checks the shape."""
        self._check(pixels)
        for start in range(0, len(pixels), self.batch_size):
            rows = pixels[start : start + self.batch_size]
            batch = np.zeros((self.batch_size, *pixels.shape[1:]), dtype=np.float32)
            batch[: len(rows)] = rows
            yield slice(start, start + len(rows)), torch.from_numpy(batch).to(self.device)

    def _sequence(self, batch: torch.Tensor) -> torch.Tensor:
        family = self._family
        return family.sequence(self.model, family.patch_tokens(self.model, batch))

    def _scored(self, hidden: torch.Tensor) -> torch.Tensor:
        """Hidden states before the last layer norm -> logits."""
        family = self._family
        return family.head(self.model, family.norm(self.model)(hidden))

    @torch.inference_mode()
    def _hidden(self, batch: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self._family.norm(self.model)(self.encoder(self._sequence(batch)))
        return hidden

    @torch.inference_mode()
    def _logits(self, batch: torch.Tensor) -> torch.Tensor:
        return self._scored(self.encoder(self._sequence(batch)))

    @torch.inference_mode()
    def _explained(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden, row = self.encoder.reading(self._sequence(batch))
        return self._scored(hidden), row

    @torch.inference_mode()
    def _maps(self, batch: torch.Tensor) -> torch.Tensor:
        return self.encoder.maps(self._sequence(batch))

    @torch.inference_mode()
    def _shares(self, sequences: torch.Tensor) -> torch.Tensor:
        return self._scored(self.encoder(sequences)).float().softmax(dim=1)

    @torch.inference_mode()
    def _tokens(self, pixels: Floats, baseline: str) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Tokens of the pictures with prefix and positions, and of their baseline pictures unless tokens are dropped: [b,n_prefix+N,d]."""
        shape = (len(pixels), self.backbone.n_prefix + self.backbone.n_units, self.backbone.hidden_size)
        tokens = torch.empty(shape, device=self.device)
        removed = None if baseline == "drop" else torch.empty_like(tokens)
        for where, batch in self._batches(pixels):
            count = where.stop - where.start
            tokens[where] = self._sequence(batch)[:count]
            if removed is not None:
                removed[where] = self._sequence(baseline_pixels(batch, baseline, self.backbone.patch_size))[:count]
        return tokens, removed

    @staticmethod
    def _to_numpy(batch: torch.Tensor, where: slice) -> Floats:
        result: Floats = batch[: where.stop - where.start].float().cpu().numpy()
        return result
