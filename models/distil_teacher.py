"""Which small convolutional net teaches a vision transformer to see from few pictures?"""

from __future__ import annotations

import torch
from torch import nn

from models.distil_settings import Teacher
from models.imagenet_teacher import MAP_CHANNELS, ImagenetTeacher

MAP_STRIDE = 4  # pixels per cell of the last map when the stem keeps the picture's size


def new_teacher(settings: Teacher, n_labels: int, patch_size: int, grid: int) -> tuple[ConvTeacher | ImagenetTeacher, int]:
    """A teacher over `n_labels` whose map has grid x grid cells, one per patch of the student, and the channels of that map."""
    if settings.net == "efficientnet_lite0":
        return ImagenetTeacher(n_labels, grid), MAP_CHANNELS
    return ConvTeacher(settings.width, n_labels, patch_size), 4 * settings.width


class ConvTeacher(nn.Module):
    """A residual net of eight 3x3 convolutions and a linear layer: float[n, 3, s, s] -> logits float[n, k], map float[n, 4w, g, g].

    g = s / patch_size: one cell per patch of the student. Patches of 4 pixels keep the stem at full size; each doubling of the patch
    doubles the stem's stride. Trained well in minutes on one core, where a transformer without a teacher needs ten times the pictures.
    """

    def __init__(self, width: int, n_labels: int, patch_size: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolution(3, width, stride=patch_size // MAP_STRIDE),
            _convolution(width, 2 * width),
            nn.MaxPool2d(2),
            _Residual(2 * width),
            _convolution(2 * width, 4 * width),
            nn.MaxPool2d(2),
            _Residual(4 * width),
            _convolution(4 * width, 4 * width),
        )
        self.head = nn.Linear(4 * width, n_labels)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack this form; 2x faster convolutions

    def settle(self) -> None:
        """Ready for inference alone."""
        self.eval()

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        map_ = self.body(pixels.to(memory_format=torch.channels_last))
        return self.head(map_.mean(dim=(2, 3))), map_


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(_convolution(width, width), _convolution(width, width))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        summed: torch.Tensor = pixels + self.inner(pixels)
        return summed


def _convolution(width_in: int, width_out: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(width_in, width_out, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width_out), nn.ReLU())
