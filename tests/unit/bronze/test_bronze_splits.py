"""Does every example stay in its split, and do the splits have their shares?"""

from __future__ import annotations

from collections import Counter
from math import sqrt

import pytest

from bronze.settings import SplitSettings, SplitShares
from bronze.specs import SPLITS
from bronze.splits import _drawn, split_of
from lake.identity import content_id

IDS = [content_id("image", str(number).encode()) for number in range(4000)]
SHARES = {"adapter_train": 0.5, "adapter_val": 0.1, "meta": 0.4}


def test_splits_have_their_shares_within_binomial_bounds() -> None:
    found = Counter(split_of(example_id, SplitSettings(seed=3)) for example_id in IDS)
    for split, share in SHARES.items():
        # 4.5 standard deviations of a binomial count: exceeded by chance once in 150,000, and the hash is fixed
        assert abs(found[split] - share * len(IDS)) < 4.5 * sqrt(len(IDS) * share * (1 - share))


def test_a_split_is_a_function_of_content_and_seed_alone() -> None:
    settings = SplitSettings(seed=3)
    forward = {example_id: split_of(example_id, settings) for example_id in IDS}
    assert {example_id: split_of(example_id, settings) for example_id in reversed(IDS)} == forward
    assert {example_id: split_of(example_id, SplitSettings(seed=4)) for example_id in IDS} != forward


def test_the_split_of_a_known_content_never_moves() -> None:
    # sha256 of "0\0" + id + "\0split": first 8 bytes / 2^64 = 0.1812, 0.5008, 0.9242 against the bounds 0.5 and 0.6
    found = [split_of(letter * 32, SplitSettings(adapter_train=0.5, adapter_val=0.1, meta=0.4)) for letter in "abd"]
    assert found == ["adapter_train", "adapter_val", "meta"]


def test_a_source_split_maps_to_its_own_shares() -> None:
    by_source = {"train": SplitShares(adapter_train=0.8, adapter_val=0.2), "test": SplitShares(meta=1.0)}
    assert {split_of(example_id, SplitSettings(), "test", by_source) for example_id in IDS} == {"meta"}
    found = Counter(split_of(example_id, SplitSettings(), "train", by_source) for example_id in IDS)
    assert set(found) == {"adapter_train", "adapter_val"}
    assert abs(found["adapter_val"] - 800) < 4.5 * sqrt(4000 * 0.2 * 0.8)


@pytest.mark.parametrize("split", SPLITS)
def test_a_share_of_one_takes_every_example(split: str) -> None:
    whole = SplitSettings.model_validate({name: float(name == split) for name in SPLITS})
    assert {split_of(example_id, whole) for example_id in IDS} == {split}


def test_no_position_falls_into_a_split_without_a_share() -> None:
    # shares may miss 1 by 1e-9: a position in the gap goes to the last split that has a share
    assert _drawn(1 - 1e-12, SplitShares(adapter_train=0.8, adapter_val=0.2 - 5e-10)) == "adapter_val"
    assert _drawn(1 - 1e-12, SplitShares(adapter_train=1 - 5e-10)) == "adapter_train"
    assert _drawn(1.0, SplitShares(adapter_val=0.5, meta=0.5)) == "meta"  # sha256 of all ones rounds to 1.0


@pytest.mark.parametrize("source_split", [None, "dev"])
def test_a_source_split_without_a_place_is_refused(source_split: str | None) -> None:
    with pytest.raises(ValueError, match=r"must be one of source\.split_map"):
        split_of(IDS[0], SplitSettings(), source_split, {"train": SplitShares(meta=1.0)})
