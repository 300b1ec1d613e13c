"""Are the arms without a teacher what they say: losses and views against numbers derived by hand, one small arm from file to figures?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.distil_settings import Distillation
from models.pretraining import PretrainSettings

Script = Callable[[str], Any]
UP, ACROSS = [1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]  # mean 0, deviation 1, uncorrelated
STILL = [1.0, 0.5, 0.5, 0.5, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5, 0.9, 0.9, 0.5]  # the whole picture, not mirrored, its own colours, no blur


def columns(*values: list[float]) -> torch.Tensor:
    return torch.tensor(values).T


def test_barlow_twins_counts_the_squares_off_the_diagonal_at_their_share_whatever_the_scale(script: Script) -> None:
    # correlations [[1, 1], [0, 0]]: (1 - 1)^2 + (0 - 1)^2 = 1 on the diagonal, 1^2 + 0^2 = 1 off it; 1e-5 is added to each variance
    loss = script("selfsup_views").barlow_loss
    one, two = columns(UP, ACROSS), columns(UP, UP)
    assert float(loss(one, two, 0.005)) == pytest.approx(1.005, abs=1e-4)
    assert float(loss(3 * one + 5, two - 2, 0.005)) == pytest.approx(1.005, abs=1e-4)
    assert float(loss(one, one, 0.005)) == pytest.approx(0, abs=1e-4)
    assert float(loss(one, -one, 0.005)) == pytest.approx(8, abs=1e-3)  # (-1 - 1)^2 twice


def test_vicreg_adds_distance_shortfall_and_covariance(script: Script) -> None:
    # one: variances 4/3 (n - 1 = 3), no shortfall, covariance 0. two, all halves: variances 1/3, shortfall 1 - sqrt(1/3 + 1e-4) = 0.42256
    # in both dimensions, halved; covariances 1/3 twice, squared and over d = 2: 1/9. Distances: 1/4 thrice in the first column's four
    # (UP - UP/2)^2 = 1/4 each; (ACROSS - UP/2): 1/2, -3/2, 3/2, -1/2, squares of mean 5/4. Mean 3/4.
    found = script("selfsup_views").vicreg_loss(columns(UP, ACROSS), columns(UP, UP) / 2)
    assert float(found) == pytest.approx(25 * 0.75 + 25 * 0.42256 / 2 + 1 / 9, abs=1e-3)


def test_supervision_scores_both_views(script: Script) -> None:
    # logits (ln 9, 0): probabilities 0.9 and 0.1; smoothed target 0.95 and 0.05. First view right, second wrong.
    logits = torch.tensor([[np.log(9.0), 0.0]])
    right, wrong = -(0.95 * np.log(0.9) + 0.05 * np.log(0.1)), -(0.05 * np.log(0.9) + 0.95 * np.log(0.1))
    assert float(script("selfsup_views").supervised_loss(logits, logits.flip(1), torch.tensor([0]))) == pytest.approx((right + wrong) / 2)


def pictures() -> torch.Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def changed(**at: float) -> torch.Tensor:
    """Draws that leave the picture as it is but for those named `d<place>`."""
    draws = torch.tensor([STILL, STILL])
    for place, value in at.items():
        draws[:, int(place[1:])] = value
    return draws


def test_draws_of_no_change_give_the_picture_and_a_mirror_its_mirror(script: Script) -> None:
    varied = script("selfsup_views").varied
    torch.testing.assert_close(varied(pictures(), changed()), pictures(), atol=1e-4, rtol=0)
    torch.testing.assert_close(varied(pictures(), changed(d4=0.1)), pictures().flip(3), atol=1e-4, rtol=0)


def test_colours_go_where_they_are_sent(script: Script) -> None:
    varied, half = script("selfsup_views").varied, pictures() / 2
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    grey = (half * luma).sum(1, keepdim=True)
    torch.testing.assert_close(varied(half, changed(d10=0.1)), grey.expand(-1, 3, -1, -1), atol=1e-3, rtol=0)
    # brightness draw 1: a factor of 1.4; contrast draw 0: a factor of 0.6 about the mean grey
    torch.testing.assert_close(varied(half, changed(d5=0.1, d6=1.0)), half * 1.4, atol=1e-4, rtol=0)
    mean = grey.mean(dim=(2, 3), keepdim=True)
    torch.testing.assert_close(varied(half, changed(d5=0.1, d7=0.0)), mean + (half - mean) * 0.6, atol=1e-4, rtol=0)
    turned = varied(half, changed(d5=0.1, d9=1.0))  # hue turns the colours about grey, which stays
    assert float((turned - half).abs().max()) > 0.05
    inside = ((turned > 0) & (turned < 1)).all(dim=1, keepdim=True)
    torch.testing.assert_close((turned * luma).sum(1, keepdim=True)[inside], grey[inside], atol=1e-3, rtol=0)


def test_a_blurred_point_spreads_over_nine_pixels(script: Script) -> None:
    # deviation 0.1 + 1.9 * 0.5 = 1.05: neighbours weigh exp(-1 / (2 * 1.05^2)) = 0.63539 of the middle, 0.63539 / 2.27078 = 0.27981 of all
    point = torch.zeros(2, 3, 8, 8)
    point[:, :, 4, 4] = 1
    found = script("selfsup_views").varied(point, changed(d11=0.1))[0, 0]
    assert float(found[3, 4]) == pytest.approx(0.27981 * (1 - 2 * 0.27981), abs=1e-4)
    assert float(found[3, 3]) == pytest.approx(0.27981**2, abs=1e-4) and int((found > 1e-3).sum()) == 9


def packed(path: Path) -> np.ndarray:
    """A packed file of 40 pictures of 8 pixels, dark or light as labels are even or odd, and 10 to judge by; returns the 40."""
    settings = PretrainSettings(
        width=32, depth=1, heads=2, image_size=8, resize_to=8, patch_size=4, initializer_range=0.1, distillation=Distillation()
    )
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 10
    images = rng.integers(0, 25, (40, 8, 8, 3), dtype=np.uint8)
    images[labels % 2 == 1] += 200
    neighbours = np.diff(images, axis=2, prepend=np.uint8(0))
    np.savez_compressed(
        path, images=neighbours, labels=labels, val_images=neighbours[:10], val_labels=labels[:10], held=np.arange(10),
        settings=np.array(settings.model_dump_json()),
    )  # fmt: skip
    return images


def test_a_packed_file_gives_back_its_pictures_and_keeps_those_held_out_apart(script: Script, tmp_path: Path) -> None:
    images = torch.from_numpy(packed(tmp_path / "p.npz")).permute(0, 3, 1, 2).float() / 255
    data = script("selfsup_pack").load(tmp_path / "p.npz", keep_all=False, device="cpu")
    assert torch.equal(data.images, images[10:]) and torch.equal(data.judges["held"][0], images[:10])
    every = script("selfsup_pack").load(tmp_path / "p.npz", keep_all=True, device="cpu")
    assert torch.equal(every.images, images) and list(every.judges) == ["val"]


@pytest.mark.parametrize(("objective", "inner", "n_rows"), [("none", 0, 1), ("barlow", 0.003, 3), ("vicreg", 0, 3), ("supervised", 0, 3)])
def test_an_arm_judges_its_start_and_each_part_of_the_way(
    script: Script, tmp_path: Path, objective: str, inner: float, n_rows: int
) -> None:
    packed(tmp_path / "p.npz")
    line = f"--data {tmp_path}/p.npz --objective {objective} --epochs 2 --evaluations 2 --batch 8 --width 16 --inner {inner}"
    assert script("selfsup_arm").main([*line.split(), "--out", str(tmp_path / "arm.json")]) == 0
    rows = json.loads((tmp_path / "arm.json").read_text(encoding="utf-8"))["rows"]
    # 30 pictures in batches of 8 are 3 steps an epoch
    assert [row["steps"] for row in rows] == [0, 3, 6][:n_rows]
    assert all(0 <= row[name] <= 1 for row in rows for name in ("val", "held"))


def last_row(script: Script, folder: Path, line: str) -> dict[str, float]:
    packed(folder / "p.npz")
    script("selfsup_arm").main([*f"--data {folder}/p.npz --all --evaluations 1 {line} --out {folder}/arm.json".split()])
    row: dict[str, float] = json.loads((folder / "arm.json").read_text(encoding="utf-8"))["rows"][-1]
    return row


def test_an_arm_learns_what_pictures_show(script: Script, tmp_path: Path) -> None:
    # who sees no more than light and dark is left with five labels: ln 5 = 1.61, smoothed by a tenth 1.68; guessing costs ln 10 = 2.30
    assert last_row(script, tmp_path, "--objective supervised --epochs 60 --batch 20")["loss"] < 1.9


def test_an_arm_of_seconds_ends_by_the_clock(script: Script, tmp_path: Path) -> None:
    row = last_row(script, tmp_path, "--objective barlow --seconds 0.5 --batch 20 --width 16")
    assert 0.5 <= row["seconds"] < 20 and row["steps"] >= 1
