"""How is a training picture varied, the same way on every run?"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.images import Preprocessing

# ITU-R 601 luma, the grey that contrast is turned about (torchvision's ColorJitter does the same).
LUMA = (0.299, 0.587, 0.114)


class Augmentation(BaseModel):
    """Random changes of a training picture, applied in this order: rotation, crop and flip (one bilinear resampling), brightness,
    contrast. Defaults are METHODS 1 (KI): ±30 degrees, flip 0.5, brightness and contrast 0.2, crop 224 from 256.

    Only the ratio `crop_to` / `crop_from` counts: the window of that share of the side is drawn uniformly inside the picture and
    scaled to the model's size. A picture stored at 256 is thereby cropped to 224 without scaling, one stored at 224 is zoomed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotation_degrees: float = Field(default=30.0, ge=0, le=180)
    flip_share: float = Field(default=0.5, ge=0, le=1)
    brightness: float = Field(default=0.2, ge=0, lt=1)
    contrast: float = Field(default=0.2, ge=0, lt=1)
    crop_from: int = Field(default=256, ge=1)
    crop_to: int = Field(default=224, ge=1)

    @model_validator(mode="after")
    def _crop_fits(self) -> Augmentation:
        if self.crop_to > self.crop_from:
            raise ValueError(f"crop_to must not exceed crop_from, found {self.crop_to} > {self.crop_from}")
        return self


def draw_changes(n: int, augmentation: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """One row of changes per picture, float32[n, 8]: the 2x3 map from output to input coordinates (in [-1, 1], row by row), the
    brightness factor, the contrast factor. Drawn for the whole set at once, so that the batch a picture falls into changes nothing."""
    uniform = 2 * torch.rand(n, 6, generator=generator) - 1
    angle = uniform[:, 0] * math.radians(augmentation.rotation_degrees)
    share = augmentation.crop_to / augmentation.crop_from
    mirror = torch.where(uniform[:, 1] < 2 * augmentation.flip_share - 1, -1.0, 1.0)
    shift = uniform[:, 2:4] * (1 - share)
    cos, sin = angle.cos(), angle.sin()
    # input = R (share * mirrored output + shift): the window is cut from the rotated picture
    right, down = cos * shift[:, 0] - sin * shift[:, 1], sin * shift[:, 0] + cos * shift[:, 1]
    linear = [share * cos * mirror, -share * sin, right, share * sin * mirror, share * cos, down]
    return torch.stack([*linear, 1 + augmentation.brightness * uniform[:, 4], 1 + augmentation.contrast * uniform[:, 5]], dim=1)


def augment(images: torch.Tensor, changes: torch.Tensor, size: int) -> torch.Tensor:
    """Apply changes (float32[n, 8]) to pictures (uint8[n, s, s, 3]): float32[n, 3, size, size] on the scale 0 to 255, not rounded.
    What rotation brings in from outside is black."""
    pixels = images.permute(0, 3, 1, 2).float()
    grid = F.affine_grid(changes[:, :6].reshape(-1, 2, 3), [len(images), 3, size, size], align_corners=False)
    pixels = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    pixels = (pixels * changes[:, 6].view(-1, 1, 1, 1)).clamp_(0, 255)
    grey = (pixels.mean(dim=(2, 3)) * pixels.new_tensor(LUMA)).sum(1).view(-1, 1, 1, 1)
    return torch.lerp(grey, pixels, changes[:, 7].view(-1, 1, 1, 1)).clamp_(0, 255)


def normalised(pixels: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """(pixels * rescale - mean) / std for float32[n, 3, s, s] on the scale 0 to 255; `models.images.normalise` does it for stored
    pictures."""
    mean, std = (pixels.new_tensor(values).view(1, 3, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    return (pixels * preprocessing.rescale - mean) / std
