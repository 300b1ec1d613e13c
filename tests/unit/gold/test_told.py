"""A task's records leave it as JSON that says the same anywhere."""

from __future__ import annotations

import json

import numpy as np
import torch

from gold.told import told


def test_what_is_no_number_is_null_and_numpys_scalars_are_plain() -> None:
    found = json.loads(
        told(lambda: {"a": [1.5, float("nan"), np.float32(2.0)], "b": (np.int64(3), None), "c": {"d": float("inf"), "e": True}})
    )
    assert found == {"a": [1.5, None, 2.0], "b": [3, None], "c": {"d": None, "e": True}}


def test_it_is_made_on_one_thread_and_the_threads_are_as_before() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert told(torch.get_num_threads) == "1" and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
