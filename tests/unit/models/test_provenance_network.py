"""Which layers do the two branches of a provenance network share, and how many numbers does each variant hold?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from models.provenance.network import ProvenanceNetwork, Variant
from models.provenance.slots import Slots
from models.provenance.trunk import SIZES, Size, conv_trunk, vector_trunk

LABELS = np.array([0, 0, 1, 0, 1])  # 3 and 2 examples


def network(variant: Variant, shared: int = 4, hidden: int = 10) -> ProvenanceNetwork:
    torch.manual_seed(0)
    return ProvenanceNetwork(variant, conv_trunk("small", hidden), Slots(LABELS, 2, variant == "class_conditional"), shared)


def pictures(n: int = 3) -> torch.Tensor:
    return torch.rand(n, 28, 28, generator=torch.Generator().manual_seed(n))


def counts(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_parameters_are_those_counted_by_hand() -> None:
    # small: 8, 16, 32 channels. Convolutions 9(8 + 8 x 16 + 16 x 32), batch norms 2(8 + 16 + 32), fully connected 32 x 16 x 10 + 10
    trunk = 9 * (8 + 128 + 512) + 2 * 56 + 512 * 10 + 10
    class_head, hidden, outputs = 10 * 2 + 2, 10 * 10 + 10 + 2 * 10, 11 * 5  # the hidden layer has a batch norm
    assert network("plain").parameters_count == trunk + class_head
    assert network("single_branch").parameters_count == trunk + class_head + hidden + outputs
    assert network("two_branch", 0).parameters_count == 2 * trunk + class_head + hidden + outputs
    # the class as one-hot of two, and max_y K_y = 3 slots instead of 5
    assert network("class_conditional").parameters_count == trunk + class_head + (12 * 10 + 10 + 2 * 10) + 11 * 3


def test_at_level_four_two_branches_are_one_and_every_lower_level_adds_what_it_no_longer_shares() -> None:
    whole = network("single_branch").parameters_count
    stages = [counts(stage) for stage in conv_trunk("small", 10).stages()]
    assert stages == [9 * 8 + 16, 9 * 128 + 32, 9 * 512 + 64, 5130]
    found = {level: network("two_branch", level).parameters_count - whole for level in (4, 3, 2, 1)}
    assert found == {4: 0, 3: 5130, 2: 5130 + 4672, 1: 5130 + 4672 + 1184}


@pytest.mark.parametrize("variant", ["two_branch", "class_conditional"])
@pytest.mark.parametrize("shared", [0, 1, 2, 3, 4])
def test_the_first_stages_are_shared_and_behind_them_each_branch_has_its_own(variant: Variant, shared: int) -> None:
    net = network(variant, shared).eval()
    assert [len(part) for part in (net.common, net.class_branch, net.index_branch)] == [shared, 4 - shared, 4 - shared]
    with torch.inference_mode():
        told, indexed = net.branches(pictures())
        assert (told is indexed) == (shared == 4)
        for part, heads in (("common", {"class", "index"}), ("class_branch", {"class"}), ("index_branch", {"index"})):
            for parameter in getattr(net, part).parameters():
                parameter.mul_(1.5)
            after = net.branches(pictures())
            changed = {head for head, one, other in zip(("class", "index"), (told, indexed), after, strict=True) if not one.equal(other)}
            assert changed == (heads if len(getattr(net, part)) else set()), part
            told, indexed = after


def test_a_plain_classifier_has_no_index_head_and_its_shared_stages_are_all() -> None:
    net = network("plain", shared=1)
    assert net.index_head is None and len(net.common) == 4
    assert net(pictures()).shape == (3, 2)


@pytest.mark.parametrize("size", SIZES)
def test_the_conv_net_gives_64_numbers_per_channel_of_its_first_block(size: Size) -> None:
    stages = conv_trunk(size).stages()
    assert stages[3][0].in_features == 64 * SIZES[size]  # type: ignore[index]  # of size large 2,048, the paper's
    features = pictures()
    for stage in stages[:3]:
        features = stage(features)
    assert features.shape == (3, 64 * SIZES[size])


def test_the_scale_of_frozen_vectors_does_not_matter() -> None:
    torch.manual_seed(1)
    (stage,) = vector_trunk(6, 4).stages()
    vectors = torch.randn(5, 6)
    torch.testing.assert_close(stage(100 * vectors), stage(vectors), rtol=1e-3, atol=1e-4)  # the layer norm's own 1e-5
    assert [tuple(one.shape) for one in stage.parameters()] == [(4, 6), (4,)]


@pytest.mark.parametrize("variant", ["two_branch", "class_conditional"])
def test_more_stages_than_there_are_cannot_be_shared(variant: Variant) -> None:
    with pytest.raises(ValueError, match="0 to 4 can be shared, found 5"):
        network(variant, 5)


@pytest.mark.parametrize("variant", ["two_branch", "class_conditional"])
def test_slots_of_the_other_kind_are_refused(variant: Variant) -> None:
    with pytest.raises(ValueError, match="class-conditional"):
        ProvenanceNetwork(variant, vector_trunk(3), Slots(LABELS, 2, variant == "two_branch"), 1)
