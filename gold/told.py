"""How do a task's records leave it? As JSON text, made on one thread, so that the same task says the same anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def told(work: Callable[[], Any]) -> str:
    """What `work` gives, as JSON with NaN and infinities as null; torch has one thread meanwhile."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = work()
    finally:
        torch.set_num_threads(before)
    return json.dumps(plain(found), allow_nan=False)


def plain(value: Any) -> Any:
    """The same without arrays' scalars, tuples, NaN and infinities."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not np.isfinite(value) else value
