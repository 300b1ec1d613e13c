"""How is torch seeded and its threads set without anyone else noticing?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def private_state(seed: int, threads: int, device: str = "cpu") -> Iterator[None]:
    """A freshly seeded global generator (libraries draw initial weights and dropout from it) and this many threads; both are as before
    afterwards, also after an exception."""
    before = torch.get_num_threads()
    cuda = [torch.device(device)] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
