"""What stands in for a removed patch? The picture of which removed patches are taken."""

from __future__ import annotations

import torch
from torch.nn import functional

BASELINES = ("mean", "zero", "blur", "drop")
BLUR_SIGMA_PATCHES = 0.5  # sd of the blur in patch sides: 7 px for patches of 14
_REACH = 3  # the kernel is cut at 3 sd, where 0.3 % of its mass is left


def baseline_pixels(pixels: torch.Tensor, baseline: str, patch_size: int) -> torch.Tensor:
    """Normalised pictures float[b,3,s,s] -> what a removed patch shows, same shape: METHODS 0.

    `mean`: each picture's own channel mean. `zero`: 0 in normalised space, the training mean colour. `blur`: Gaussian blur, sd half a
    patch side, edges replicated. ValueError on another name (`drop` has no picture: the token leaves the sequence).
    """
    if baseline == "mean":
        return pixels.mean(dim=(2, 3), keepdim=True).expand_as(pixels)
    if baseline == "zero":
        return torch.zeros_like(pixels)
    if baseline == "blur":
        return _blurred(pixels, BLUR_SIGMA_PATCHES * patch_size)
    raise ValueError(f"a baseline with a picture is one of {', '.join(BASELINES[:3])}, found {baseline!r}.")


def _blurred(pixels: torch.Tensor, sigma: float) -> torch.Tensor:
    reach = max(1, round(_REACH * sigma))
    offsets = torch.arange(-reach, reach + 1, dtype=pixels.dtype, device=pixels.device)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(pixels.shape[1], 1, -1)
    padded = functional.pad(pixels, (reach, reach, reach, reach), mode="replicate")
    rows = functional.conv2d(padded, kernel.unsqueeze(2), groups=pixels.shape[1])
    return functional.conv2d(rows, kernel.unsqueeze(3), groups=pixels.shape[1])
