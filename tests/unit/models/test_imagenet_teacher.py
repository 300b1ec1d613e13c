"""The packaged teacher: one cell per patch, the same answers when settled, and no file opened but the known one."""

from __future__ import annotations

import sys

import pytest
import torch

import models.imagenet_teacher as room
from models.distil_settings import Teacher
from models.distil_teacher import new_teacher
from models.errors import ArtifactError
from models.imagenet_teacher import ImagenetTeacher
from models.images import IMAGENET_MEAN, IMAGENET_STD

PICTURES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_its_map_has_one_cell_per_patch_and_its_new_head_knows_nothing_yet() -> None:
    teacher, channels = new_teacher(Teacher(net="efficientnet_lite0"), 5, 4, grid=8)
    logits, map_ = teacher.eval()(PICTURES)
    assert map_.shape == (2, channels, 8, 8)
    assert torch.equal(logits, torch.zeros(2, 5))
    assert map_.std() > 0.1


@torch.no_grad()
def test_settled_it_gives_the_same_answers() -> None:
    """Batch norms inside the convolutions: equal but for rounding, 1e-4 of the largest value (measured 4e-5 at values up to 10)."""
    teacher = ImagenetTeacher(3, 4).eval()
    torch.nn.init.normal_(teacher.head.weight, generator=torch.Generator().manual_seed(1))
    before = teacher(PICTURES)
    teacher.settle()
    for old, new in zip(before, teacher(PICTURES), strict=True):
        torch.testing.assert_close(new, old, atol=1e-4 * float(old.abs().max()), rtol=0)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in teacher.modules())


def test_pictures_reach_it_in_its_own_normalisation_at_sixteen_pixels_a_cell() -> None:
    """White is 1 on the scale of shares: (1 - 127/255) / (128/255) = 1; black -127/128."""
    teacher = ImagenetTeacher(3, 4)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    for share, expected in ((1.0, 1.0), (0.0, -127 / 128)):
        seen = teacher._enlarged((share - mean) / std * torch.ones(1, 3, 8, 8))
        torch.testing.assert_close(seen, torch.full((1, 3, 64, 64), expected), atol=1e-5, rtol=0)


def test_a_file_of_another_content_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "WEIGHTS_SHA256", "0" * 64)
    monkeypatch.setattr(torch, "load", lambda *given, **named: pytest.fail("opened"))
    with pytest.raises(ArtifactError, match="pinned package") as refused:
        ImagenetTeacher(3, 4)
    assert refused.value.code == "tensor_mismatch"


def test_without_the_packages_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ArtifactError, match=r"assay\[teacher\]"):
        ImagenetTeacher(3, 4)
