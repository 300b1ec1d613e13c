"""How does a worker hold many adapters of one backbone? The base is loaded once; an adapter brings only the tensors it changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from models.backbone import Backbone, on_meta
from models.dtype import resolve_device, resolve_dtype
from models.errors import ArtifactError
from models.families import family_named
from models.folder import read_weights
from models.hashing import file_sha256
from models.image_scorer import ImageScorer
from models.shared_base import base_of, encoder_of

__all__ = ["ImageScorer", "ScorerCache", "load_scorer"]

_HEAD = ("classifier.weight", "classifier.bias")


def load_scorer(backbone: Backbone, changed: Path | str | None, dtype: str, batch_size: int) -> ImageScorer:
    """The scorer of `backbone` with the tensors in the safetensors file `changed` in place of its own (None: as it is).

    `changed` names tensors as the classifier does and holds the head, whose rows are the labels; products that none of them enters
    are shared, one copy per process, precision and batch size. `dtype` may be `auto`. Raises ArtifactError `tensor_mismatch` for a
    name or shape the classifier lacks.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, found {batch_size}.")
    base = base_of(backbone, resolve_dtype(dtype), resolve_device(), batch_size)
    own = {} if changed is None else {name: tensor.float() for name, tensor in read_weights((Path(changed),)).items()}
    state = {**base.state, **own}
    n_labels = len(state[_HEAD[0]]) if _HEAD[0] in state else 0
    model: Any = on_meta(backbone, n_labels or 1)
    if not n_labels:
        state |= {key: torch.zeros(model.state_dict()[key].shape) for key in _HEAD}
    _check(changed, state, model.state_dict())
    model.load_state_dict(state, strict=True, assign=True)
    encoder, heads = encoder_of(family_named(backbone.family), model.requires_grad_(False), base)
    rest = {name: base.placed(name, tensor) for name, tensor in model.state_dict().items()}
    model.load_state_dict(rest, strict=True, assign=True)
    return ImageScorer(
        backbone=backbone,
        model=model.requires_grad_(False),
        encoder=encoder,
        n_labels=n_labels,
        dtype=base.dtype,
        device=base.device,
        batch_size=batch_size,
        own_bytes=encoder.nbytes + sum(rest[name].nbytes for name in rest if name in own),
        heads=heads,
    )


def _check(changed: Path | str | None, state: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor]) -> None:
    wrong = [name for name in sorted(state) if name not in expected or state[name].shape != expected[name].shape]
    wrong += sorted(expected.keys() - state.keys())
    if wrong:
        raise ArtifactError(
            "tensor_mismatch",
            f"{changed}: tensors must have the names and shapes of the classifier; {len(wrong)} have not, the first is {wrong[0]}. "
            "Merge the adapter again on this backbone.",
        )


class ScorerCache:
    """Scorers of one process, the least recently used dropped when their own tensors exceed `max_bytes` (the shared base not counted).

    Keyed by content: a file written anew under the same path is another scorer, the same content under two paths is one.
    The one in use is kept even if it alone is larger. Safe for threads; the scorers in it are not.
    """

    def __init__(self, max_bytes: int) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes must be at least 0, found {max_bytes}.")
        self._max_bytes = max_bytes
        self._scorers: OrderedDict[tuple[str, str | None, str, int], ImageScorer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, backbone: Backbone, changed: Path | str | None, dtype: str, batch_size: int) -> ImageScorer:
        """The scorer `load_scorer` gives for these arguments, loaded at most once while memory allows."""
        content = None if changed is None else _content_of(Path(changed))
        key = (backbone.sha256, content, resolve_dtype(dtype), batch_size)
        with self._lock:
            if key not in self._scorers:
                self._scorers[key] = load_scorer(backbone, changed, dtype, batch_size)
            self._scorers.move_to_end(key)
            self._shrink()
            return self._scorers[key]

    def __len__(self) -> int:
        return len(self._scorers)

    def _shrink(self) -> None:
        while len(self._scorers) > 1 and sum(scorer.own_bytes for scorer in self._scorers.values()) > self._max_bytes:
            self._scorers.popitem(last=False)


def _content_of(path: Path) -> str:
    stat = path.stat()
    return _hash_once(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


@lru_cache(maxsize=4096)
def _hash_once(path: Path, size: int, modified_ns: int, inode: int) -> str:
    """Content hash of a file, computed once per version of it: `get` is called for every batch."""
    return file_sha256(path)
