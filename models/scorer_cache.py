"""How many scorers does a worker keep? As many as its memory allows, the least recently used dropped first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from models.backbone_record import AnyBackbone
from models.dtype import resolve_dtype
from models.hashing import file_sha256


class Sized(Protocol):
    """A scorer that knows the memory of the tensors it shares with no other."""

    @property
    def own_bytes(self) -> int: ...


B = TypeVar("B", bound=AnyBackbone)
S = TypeVar("S", bound=Sized)


class ScorerCache(Generic[B, S]):
    """Scorers of one process, the least recently used dropped when their own tensors exceed `max_bytes` (the shared base not counted).

    `load(backbone, changed, dtype, batch_size)` makes one. Keyed by content: a file written anew under the same path is another scorer,
    the same content under two paths is one. The one in use is kept even if it alone is larger. Safe for threads; the scorers in it are not.
    """

    def __init__(self, max_bytes: int, load: Callable[[B, Path | str | None, str, int], S]) -> None:
        if max_bytes < 0:
            raise ValueError(f"max_bytes must be at least 0, found {max_bytes}.")
        self._max_bytes = max_bytes
        self._load = load
        self._scorers: OrderedDict[tuple[str, str | None, str, int], S] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, backbone: B, changed: Path | str | None, dtype: str, batch_size: int) -> S:
        """The scorer that `load` gives for these arguments, loaded at most once while memory allows."""
        content = None if changed is None else _content_of(Path(changed))
        key = (backbone.sha256, content, resolve_dtype(dtype), batch_size)
        with self._lock:
            if key not in self._scorers:
                self._scorers[key] = self._load(backbone, changed, dtype, batch_size)
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
