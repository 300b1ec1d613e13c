"""How does a worker hold many adapters of one backbone? The base is loaded once; an adapter brings only the tensors it changed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from models.assembly import assembled
from models.backbone_record import Backbone
from models.dtype import resolve_device, resolve_dtype
from models.families import family_named
from models.image_scorer import ImageScorer
from models.layer import lean
from models.scorer_cache import ScorerCache as AnyScorerCache
from models.shared_base import base_of, encoder_of
from models.whole import whole

__all__ = ["ImageScorer", "ScorerCache", "load_scorer"]


def load_scorer(backbone: Backbone, changed: Path | str | None, dtype: str, batch_size: int) -> ImageScorer:
    """The scorer of `backbone` with the tensors in the safetensors file `changed` in place of its own (None: as it is).

    `changed` names tensors as the classifier does and holds the head, whose rows are the labels; products that none of them enters
    are shared, one copy per process, precision and batch size. `dtype` may be `auto`. Raises ArtifactError `tensor_mismatch` for a
    name or shape the classifier lacks.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, found {batch_size}.")
    base = base_of(backbone, resolve_dtype(dtype), resolve_device(), batch_size * (backbone.n_prefix + backbone.n_units))
    model, n_labels, own = assembled(backbone, base.state, changed)
    family = family_named(backbone.family)
    encoder, heads = encoder_of(family.layers(model), lambda layer, make: lean(family.block(layer), make), base)
    rest = base.settled_rest(model)
    return ImageScorer(
        backbone=backbone,
        model=model.requires_grad_(False),
        encoder=encoder,
        n_labels=n_labels,
        dtype=base.dtype,
        device=base.device,
        batch_size=batch_size,
        scoring_bytes=encoder.nbytes + sum(rest[name].nbytes for name in rest if name in own),
        heads=heads,
        whole=partial(whole, backbone, base, changed),
    )


class ScorerCache(AnyScorerCache[Backbone, ImageScorer]):
    """Scorers of pictures."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes, load_scorer)
