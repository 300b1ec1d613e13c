"""What do gradients say each patch gave to a class's logit? Integrated gradients over the pixels, in forwards of one shape.

Sundararajan et al. (1703.01365): from a baseline's picture to the picture itself, midpoint rule. Picture and step are a pair, and pairs
fill the batches, so that a picture's numbers are the same bits whatever its neighbours are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from numpy.typing import NDArray
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.baselines import baseline_pixels
from models.buckets import filled
from models.families.family import Family
from models.gradients import evaluating, midpoints

Pictures = Float[torch.Tensor, "batch 3 side side"]


def summed_over_pixels(
    model: nn.Module,
    family: Family,
    pixels: Float32[NDArray[np.float32], "pictures 3 side side"],
    targets: Int64[NDArray[np.int64], " pictures"],
    steps: int,
    baseline: str,
    patch_size: int,
    batch_size: int,
    device: str,
) -> Float64[NDArray[np.float64], "pictures patches"]:
    """Signed integrated gradients of each picture's target logit, summed over the pixels and colours of each patch.

    Their sum over all patches is logit(picture) - logit(baseline's picture), up to the midpoint rule's error. `baseline`: mean, zero or
    blur (models.baselines). The steps of a picture are added in float64, in their order. The model is run in eval mode and left as it
    was, `.grad` and modes included, also after an exception. ValueError for fewer than 1 step or another baseline.
    """
    if steps < 1:
        raise ValueError(f"integrated gradients need at least 1 step, found {steps}.")
    total = np.zeros((len(pixels), (pixels.shape[-1] // patch_size) ** 2), dtype=np.float64)
    pairs = np.repeat(np.arange(len(pixels)), steps)
    with evaluating(model), torch.enable_grad():
        for start in range(0, len(pairs), batch_size):
            places = np.arange(start, min(start + batch_size, len(pairs)))
            chosen = filled(places, batch_size)
            rows = pairs[chosen]
            pictures = torch.from_numpy(pixels[rows]).to(device)
            begin = baseline_pixels(pictures, baseline, patch_size)
            alphas = midpoints(steps, pictures)[torch.from_numpy(chosen % steps).to(device)].view(-1, 1, 1, 1)
            wanted = torch.from_numpy(targets[rows]).to(device)
            gradients = pixel_gradients(model, family, begin + alphas * (pictures - begin), wanted)
            parts = _per_patch((pictures - begin) * gradients, patch_size)
            np.add.at(total, pairs[places], parts[: len(places)].double().cpu().numpy())
    return total / steps


def pixel_gradients(model: nn.Module, family: Family, points: Pictures, targets: Int64[torch.Tensor, " batch"]) -> Pictures:
    """Gradient of each row's target logit by the pixels `points`. The model must be in eval mode."""
    points = points.detach().requires_grad_()
    with sdpa_kernel(SDPBackend.MATH):
        chosen = logits_of_pixels(model, family, points).gather(1, targets.unsqueeze(1)).sum()
        (gradient,) = torch.autograd.grad(chosen, points)
    return gradient


def logits_of_pixels(model: Any, family: Family, pixels: Pictures) -> torch.Tensor:
    """Logits [b,labels] through transformers' own layers. Taken apart, for its ViT insists on the configured size of pictures."""
    hidden = family.sequence(model, family.patch_tokens(model, pixels))
    for layer in family.layers(model):
        hidden = layer(hidden)
    return family.head(model, family.norm(model)(hidden))


def _per_patch(values: Pictures, patch_size: int) -> Float[torch.Tensor, "batch patches"]:
    """Summed over colours and each patch's square; what is left at the edges of a picture that patches do not fill belongs to none."""
    across = values.shape[-1] // patch_size
    inside = values[:, :, : across * patch_size, : across * patch_size]
    squares = inside.reshape(len(values), values.shape[1], across, patch_size, across, patch_size)
    return squares.sum(dim=(1, 3, 5)).flatten(1)
