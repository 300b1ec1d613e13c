"""A small generator of grey pictures that can say which training pictures a generated one rests on.

A variational autoencoder (Kingma and Welling 2013) over pictures in [0, 1]; its index head reads the latent vector, so that a vector drawn
from the prior has exemplars like any other. The reconstruction loss is the Bernoulli cross-entropy summed over pixels: with grey pixels it
is not 0 for a perfect copy, so only differences between two models of the same pictures mean something.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from models.provenance.index_head import IndexHead
from models.provenance.ranking import Closed, Ranking
from models.provenance.slots import Positions, Slots
from models.provenance.trunk import SIDE

PIXELS = SIDE * SIDE


@dataclass(frozen=True)
class Terms:
    """`latents` [b, latent] drawn; `reconstruction` and `divergence` [b] in nats per picture."""

    latents: torch.Tensor
    reconstruction: torch.Tensor
    divergence: torch.Tensor


class Vae(nn.Module):
    """Encoder and decoder of one hidden layer each. `index` says which training picture a latent vector is most like; None: plain."""

    def __init__(self, latent: int, hidden: int) -> None:
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(nn.Linear(PIXELS, hidden), nn.ReLU())
        self.posterior = nn.Linear(hidden, 2 * latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, PIXELS))
        self.index: LatentIndex | None = None

    def encode(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance of the posterior, [b, latent] each, of pictures float[b, 28, 28] in [0, 1]."""
        mean, log_variance = self.posterior(self.encoder(pictures.flatten(1))).chunk(2, dim=1)
        return mean, log_variance

    def logits(self, latents: torch.Tensor) -> torch.Tensor:
        """[b, latent] -> [b, 784]: log odds of every pixel being white."""
        decoded: torch.Tensor = self.decoder(latents)
        return decoded

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """[b, latent] -> expected pictures [b, 28, 28] in [0, 1]."""
        return torch.sigmoid(self.logits(latents)).view(-1, SIDE, SIDE)

    def terms(self, pictures: torch.Tensor, noise: torch.Tensor) -> Terms:
        """What one draw of each posterior costs; `noise` [b, latent] is standard normal."""
        mean, log_variance = self.encode(pictures)
        latents = mean + torch.exp(0.5 * log_variance) * noise
        return Terms(latents, reconstruction(self.logits(latents), pictures), divergence(mean, log_variance))


def reconstruction(logits: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
    """-sum over pixels of x log p + (1 - x) log(1 - p), [b] nats, for log odds [b, 784] and pictures [b, 28, 28] (or [b, any])."""
    return functional.binary_cross_entropy_with_logits(logits, pictures.flatten(1), reduction="none").sum(dim=1)


def divergence(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL of N(mean, exp(log_variance)) from N(0, 1), [b] nats: half the sum over dimensions of m^2 + v - 1 - log v."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=1)


class LatentIndex(nn.Module):
    """The class-independent index head over one layer of features of the latent vector."""

    def __init__(self, latent: int, width: int, slots: Slots) -> None:
        super().__init__()
        if slots.conditional:
            raise ValueError("a generated picture has no class to be conditioned on: give class-independent slots")
        self.features = nn.Sequential(nn.Linear(latent, width), nn.ReLU())
        self.head = IndexHead(width, slots)

    def loss(self, latents: torch.Tensor, targets: Positions, smoothing: float) -> torch.Tensor:
        """Mean cross-entropy of the training pictures `targets` int64[b] (positions), in nats."""
        return self.head.loss(self.features(latents), _no_class(latents), targets, smoothing)

    def top(self, latents: torch.Tensor, k: int, closed: Closed | None = None) -> Ranking:
        """The `k` likeliest training pictures per latent vector [b, latent], exactly, ties by position."""
        with torch.inference_mode():
            return self.head.top(self.features(latents), _no_class(latents), k, closed)


def _no_class(latents: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(latents), dtype=torch.int64)
