"""Do identities move with what they identify, and with nothing else?"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from lake.identity import canonical_json, content_id, rng, settings_id, unit_interval

ROOT = Path(__file__).resolve().parents[3]


def test_a_content_is_known_by_its_modality_and_bytes() -> None:
    # Written out once by hand, so that nobody changes identities unseen: every key of every lake would move.
    assert content_id("image", b"abc") == hashlib.sha256(b"image\0abc").hexdigest()[:32]
    assert len({content_id("image", b"abc"), content_id("text", b"abc"), content_id("image", b"abd"), content_id("image", b"")}) == 4


def test_a_modality_cannot_run_into_the_content() -> None:
    assert content_id("image", b"x") != content_id("imag", b"ex")


def test_settings_hash_by_meaning_not_by_order_or_container() -> None:
    class Record(BaseModel):
        b: int = 2
        a: tuple[int, ...] = (1,)

    same = [{"a": [1], "b": 2}, {"b": 2, "a": (1,)}, Record()]
    assert len({settings_id(value) for value in same}) == 1
    assert settings_id({"a": [1], "b": 3}) != settings_id(same[0])
    assert settings_id(frozenset("cab")) == settings_id(["a", "b", "c"])


def test_settings_that_are_no_plain_data_or_hold_nan_are_refused() -> None:
    with pytest.raises(ValueError, match=r"(?i)json"):
        canonical_json({"a": float("nan")})
    with pytest.raises(TypeError, match="plain data, got object"):
        canonical_json({"a": object()})


def test_randomness_is_a_function_of_the_record_alone() -> None:
    first = rng(7, "e", "fog", 2).random(4)
    np.testing.assert_array_equal(first, rng(7, "e", "fog", 2).random(4))
    others = [rng(8, "e", "fog", 2), rng(7, "f", "fog", 2), rng(7, "e", "fog", 3), rng(7, "e", "fog2"), rng(7, "e", "fog", 2, "")]
    assert all(other.random() != first[0] for other in others)


def test_a_unit_interval_is_uniform_and_inside() -> None:
    values = np.array([unit_interval("split", number) for number in range(4000)])
    assert values.min() >= 0 and values.max() < 1
    # Kolmogorov-Smirnov at n = 4000: D > 1.63 / sqrt(n) = 0.0258 has probability 1 %; these values are fixed, so the test never flickers
    ranks = np.arange(1, 4001) / 4000
    assert np.abs(np.sort(values) - ranks).max() < 0.0258


def test_identities_survive_another_process_hash_seed_and_locale() -> None:
    code = (
        "from lake.identity import *\n"
        "print(settings_id({'b': 1, 'a': frozenset('xyz')}), content_id('text', 'é'.encode()))\n"
        "print(unit_interval('a', 1), rng(1, 'e', 'x').random())"
    )
    answers = set()
    for seed, locale in (("1", "C"), ("2", "C.UTF-8")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONPATH": str(ROOT)}
        answers.add(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(answers) == 1
