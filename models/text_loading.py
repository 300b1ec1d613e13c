"""How does a text classifier get ready to score? The base is loaded once; an adapter brings only the tensors it changed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from torch import nn

from models.assembly import assembled
from models.backbone_record import TextBackbone
from models.buckets import BUCKETS, fitted
from models.dtype import resolve_device, resolve_dtype
from models.layer import Make
from models.post_norm import PostNormLayer, lean_post_norm
from models.shared_base import Base, base_of, encoder_of
from models.text_families import text_family_named
from models.text_families.text_family import TextFamily
from models.text_scorer import TextScorer
from models.whole import whole


def load_text_scorer(
    backbone: TextBackbone, changed: Path | str | None, dtype: str, batch_size: int, buckets: tuple[int, ...] = BUCKETS
) -> TextScorer:
    """The scorer of `backbone` with the tensors in the safetensors file `changed` in place of its own (None: as it is).

    `changed` names tensors as the classifier does and holds the head, whose last rows are the labels; products that none of them enters
    are shared, one copy per process, precision and batch size. `dtype` may be `auto`; buckets beyond the model's limit are cut to it.
    Raises ArtifactError `tensor_mismatch` for a name or shape the classifier lacks, ValueError for a batch or buckets of no size.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, found {batch_size}.")
    buckets = fitted(buckets, backbone.n_tokens)
    base = base_of(backbone, resolve_dtype(dtype), resolve_device(), batch_size * buckets[0])
    model, n_labels, own = assembled(backbone, base.state, changed)
    family = text_family_named(backbone.family)
    encoder, heads = encoder_of(family.layers(model), partial(_lean, family, base), base)
    rest = base.settled_rest(model)
    # The head multiplies: it must not lie where a file's header put it (Base.copied).
    model.load_state_dict({name: rest[name].clone() for name in family.head_tensors}, strict=False, assign=True)
    return TextScorer(
        backbone=backbone,
        model=model.requires_grad_(False).to(base.device),
        encoder=encoder,
        n_labels=n_labels,
        dtype=base.dtype,
        device=base.device,
        batch_size=batch_size,
        buckets=buckets,
        heads=heads,
        scoring_bytes=encoder.nbytes + sum(rest[name].nbytes for name in rest if name in own),
        whole=partial(whole, backbone, base, changed),
    )


def _lean(family: TextFamily, base: Base, layer: nn.Module, make: Make) -> PostNormLayer:
    return lean_post_norm(family.block(layer), make, base.device)
