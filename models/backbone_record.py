"""Which backbone is meant? One frozen record per modality: what it is called, where it lies, the hash of its content, its sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.text_families.text_family import Pooling


@dataclass(frozen=True)
class Backbone:
    """One pretrained vision model on disk. `sha256` is of configuration and weights; the name is only a label."""

    name: str
    folder: Path
    revision: str | None  # commit of a hub model, None for a local folder
    sha256: str
    family: str
    image_size: int  # pixels per side at the model's input (preprocessing's crop, not config.json's training size)
    patch_size: int
    hidden_size: int
    n_prefix: int  # CLS and register tokens before the patches
    n_units: int  # patches per picture
    n_layers: int


@dataclass(frozen=True)
class TextBackbone:
    """One pretrained text encoder on disk. `sha256` is of configuration, weights, tokenizer and what its head reads; the name is only a
    label: another tokenizer is another backbone, for the same text becomes other numbers."""

    name: str
    folder: Path
    revision: str | None  # commit of a hub model, None for a local folder
    sha256: str
    family: str  # in models.text_families
    pooling: Pooling  # what the head and the pooled embedding read
    hidden_size: int
    n_layers: int
    n_tokens: int  # of the longest input, specials included
    own_head: tuple[str, ...]  # head modules that come pretrained with the backbone (BERT's pooler), the labels' rows never


AnyBackbone = Backbone | TextBackbone


def modality_of(backbone: AnyBackbone) -> Literal["image", "text"]:
    """What the backbone reads, as manifests and tables call it."""
    return "image" if isinstance(backbone, Backbone) else "text"
