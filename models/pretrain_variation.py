"""How is a picture varied while a backbone is distilled, the same way on every run?"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from models.augmentation import normalised
from models.distil_settings import Variation
from models.images import Preprocessing

N_DRAWS = 17  # 12 of one picture's own variation, 5 of mixing it with another


def draw_variations(n: int, generator: torch.Generator) -> torch.Tensor:
    """Uniform draws in [0, 1), float32[n, 17], one row per picture: drawn for the whole set at once, so that batches change nothing."""
    return torch.rand(n, N_DRAWS, generator=generator)


def vary(images: torch.Tensor, draws: torch.Tensor, variation: Variation, preprocessing: Preprocessing) -> torch.Tensor:
    """Varied and normalised pictures, float32[n, 3, size, size], of uint8[n, s, s, 3] and draws float32[n, 17] in [0, 1)."""
    size = preprocessing.size
    pixels = normalised(images.permute(0, 3, 1, 2).float(), preprocessing)
    grid = F.affine_grid(_maps(draws, variation), [len(images), 3, size, size], align_corners=False)
    pixels = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return _erased(_jittered(pixels, draws[:, 6:9], variation.jitter), draws[:, 9:12], variation)


def _maps(draws: torch.Tensor, variation: Variation) -> torch.Tensor:
    """Maps from output to input coordinates in [-1, 1], float32[n, 2, 3]: a window, turned, mirrored, and shifted as far as it fits."""
    angle = (2 * draws[:, 0] - 1) * math.radians(variation.rotation_degrees)
    side = variation.window_from + (variation.window_to - variation.window_from) * draws[:, 1]
    stretch = torch.exp((2 * draws[:, 2] - 1) * variation.stretch)
    mirror = torch.where(draws[:, 3] < variation.flip_share, -1.0, 1.0)
    wide, high = side * stretch, side / stretch
    right = (2 * draws[:, 4] - 1) * (variation.window_to - wide).clamp(min=0)
    down = (2 * draws[:, 5] - 1) * (variation.window_to - high).clamp(min=0)
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([wide * cos * mirror, -high * sin, right, wide * sin * mirror, high * cos, down], dim=1).view(-1, 2, 3)


def _jittered(pixels: torch.Tensor, draws: torch.Tensor, jitter: float) -> torch.Tensor:
    """Contrast about zero (ImageNet's mean colour), brightness added, saturation about each pixel's own grey."""
    contrast, brightness, saturation = ((jitter * (2 * draws - 1)).T.view(3, -1, 1, 1, 1)).unbind(0)
    pixels = pixels * (1 + contrast) + brightness
    grey = pixels.mean(dim=1, keepdim=True)
    return grey + (pixels - grey) * (1 + saturation)


def _erased(pixels: torch.Tensor, draws: torch.Tensor, variation: Variation) -> torch.Tensor:
    """A square of zeros (ImageNet's mean colour) centred anywhere in the picture, over a share of the pictures."""
    size = pixels.shape[-1]
    side = int(size * variation.erased_side)
    places = torch.arange(size)
    start = draws[:, :2, None] * size - side / 2
    inside = (places >= start) & (places < start + side)
    square = inside[:, 0, :, None] & inside[:, 1, None, :] & (draws[:, 2] < variation.erased_share).view(-1, 1, 1)
    return pixels.masked_fill(square[:, None], 0.0)


def mixed(pixels: torch.Tensor, draws: torch.Tensor, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """(pixels, which rows): a share of the pictures mixed each with the one before it in the batch, half of them blended (mixup, Zhang et
    al. 2018), half with a square of the other pasted in (CutMix, Yun et al. 2019). Weights are uniform; draws as in `vary`."""
    chosen = draws[:, 12] < share
    weight, others = draws[:, 14], pixels.roll(1, dims=0)
    blend = weight.view(-1, 1, 1, 1).expand(-1, 1, *pixels.shape[2:])
    inside = _rectangle(1 - weight, draws[:, 15:17], pixels.shape[-1])
    keep = torch.where((draws[:, 13] < 0.5).view(-1, 1, 1, 1), blend, (~inside).unsqueeze(1).to(pixels.dtype))
    return torch.where(chosen.view(-1, 1, 1, 1), keep * pixels + (1 - keep) * others, pixels), chosen


def _rectangle(area: torch.Tensor, places: torch.Tensor, size: int) -> torch.Tensor:
    """bool[n, size, size]: a square of a share `area` of the picture, wholly inside it."""
    side = size * area.sqrt()
    start = places * (size - side)[:, None]
    line = torch.arange(size) + 0.5
    within = (line >= start[:, :, None]) & (line < (start + side[:, None])[:, :, None])
    return within[:, 0, :, None] & within[:, 1, None, :]
