"""Which two views of a picture must look alike to a backbone that is told no label, and how is their likeness scored?

Views: window, mirror, colours, grey, blur, computed for a batch at once on its device. Scores: Barlow Twins (Zbontar et al., 2103.03230),
VICReg (Bardes et al., 2105.04906); cross-entropy beside them, for orientation. Differences: a blur has 3 taps (pictures have 32 pixels),
and nothing is solarised.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F

from models.augmentation import LUMA

N_DRAWS = 13
SMALLEST_AREA, ASPECT = 0.2, 4 / 3
JITTERED, GREYED, BLURRED = 0.8, 0.2, 0.2  # shares of the pictures
JITTER = (0.4, 0.4, 0.2, 0.2 * math.pi)  # largest change of brightness, contrast, saturation (shares) and hue (radians), either way
YIQ = (LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))
RGB = tuple(map(tuple, np.linalg.inv(YIQ).tolist()))
REDUNDANCY, SMOOTHING = 0.005, 0.1

Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


@cache
def _on(device: torch.device, values: tuple[object, ...]) -> torch.Tensor:
    """Constants, copied to the device once: a copy a step would make the host wait for the card."""
    return torch.tensor(values, dtype=torch.float32, device=device)


def varied(pixels: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """A window of each picture zoomed to its size, mirrored, its colours changed, blurred: float[n, 3, s, s] in [0, 1], of the same and
    draws float[n, 13] in [0, 1). Strengths are those of Barlow Twins."""
    area, stretch = SMALLEST_AREA + (1 - SMALLEST_AREA) * draws[:, 0], torch.exp((draws[:, 1] - 0.5) * math.log(ASPECT))
    wide, high = (area.sqrt() * stretch).clamp(max=1), (area.sqrt() / stretch).clamp(max=1)
    mirror, nothing = torch.where(draws[:, 4] < 0.5, -1.0, 1.0), torch.zeros_like(wide)
    right, down = (2 * draws[:, 2] - 1) * (1 - wide), (2 * draws[:, 3] - 1) * (1 - high)
    maps = torch.stack([wide * mirror, nothing, right, nothing, high, down], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(maps, list(pixels.shape), align_corners=False)
    cut = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return _blurred(_recoloured(cut, draws), draws[:, 11:13])


def _recoloured(pixels: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """Brightness times a factor, contrast about the picture's mean grey, saturation and hue in YIQ; some pictures without any colour."""
    yiq, rgb, strengths = (_on(pixels.device, values) for values in (YIQ, RGB, JITTER))
    jitter = (2 * draws[:, 6:10] - 1) * (draws[:, 5:6] < JITTERED) * strengths
    brightness, contrast, saturation, angle = jitter.unbind(1)
    pixels = (pixels * (1 + brightness).view(-1, 1, 1, 1)).clamp(0, 1)
    mean = (pixels.mean(dim=(2, 3)) @ yiq[0]).view(-1, 1, 1, 1)
    pixels = (mean + (pixels - mean) * (1 + contrast).view(-1, 1, 1, 1)).clamp(0, 1)
    colour = (1 + saturation) * (draws[:, 10] >= GREYED)
    turn = torch.eye(3, device=pixels.device).repeat(len(pixels), 1, 1)
    turn[:, 1, 1] = turn[:, 2, 2] = colour * angle.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -colour * angle.sin(), colour * angle.sin()
    return torch.einsum("nij,njhw->nihw", rgb @ turn @ yiq, pixels).clamp(0, 1)


def _blurred(pixels: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """Gaussian blur of 3 x 3 taps and a standard deviation between 0.1 and 2 pixels, over a share of the pictures."""
    side = torch.exp(-0.5 / (0.1 + 1.9 * draws[:, 1]).square()) * (draws[:, 0] < BLURRED)
    side = side.view(-1, 1, 1, 1)
    for dim in (2, 3):
        rim = F.pad(pixels, (0, 0, 1, 1) if dim == 2 else (1, 1, 0, 0), mode="reflect")
        size = pixels.shape[dim]
        pixels = (pixels + side * (rim.narrow(dim, 0, size) + rim.narrow(dim, 2, size))) / (1 + 2 * side)
    return pixels


def barlow_loss(one: torch.Tensor, two: torch.Tensor, redundancy: float = REDUNDANCY) -> torch.Tensor:
    """Distance of the cross-correlation (over the batch) of two embeddings float[n, d] from the identity: squares on the diagonal, plus
    `redundancy` times the squares off it. At least 0, lower is better; eq. 1 of 2103.03230."""
    standard = [F.batch_norm(each.float(), None, None, training=True) for each in (one, two)]
    correlation = standard[0].T @ standard[1] / len(one)
    on = correlation.diagonal()
    return (on - 1).square().sum() + redundancy * (correlation.square().sum() - on.square().sum())


def vicreg_loss(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    """25 mean squared distance + 25 mean shortfall of each dimension's deviation from 1 + the squared covariances off the diagonal, over d,
    of float[n, d] each. At least 0, lower is better; the authors' code (eq. 6 of 2105.04906, the shortfall halved)."""
    one, two = one.float(), two.float()
    shortfall, covariances = torch.zeros((), device=one.device), torch.zeros((), device=one.device)
    for each in (one, two):
        covariance = torch.cov(each.T)
        variance = covariance.diagonal()
        shortfall = shortfall + F.relu(1 - (variance + 1e-4).sqrt()).mean() / 2
        covariances = covariances + (covariance.square().sum() - variance.square().sum()) / each.shape[1]
    return 25 * F.mse_loss(one, two) + 25 * shortfall + covariances


def supervised_loss(one: torch.Tensor, two: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy in nats of both views' logits, smoothed by a tenth."""
    return F.cross_entropy(torch.cat([one, two]).float(), labels.repeat(2), label_smoothing=SMOOTHING)


OBJECTIVES: dict[str, Loss] = {
    "barlow": lambda one, two, _: barlow_loss(one, two),
    "vicreg": lambda one, two, _: vicreg_loss(one, two),
    "supervised": supervised_loss,
}
