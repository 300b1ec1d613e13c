"""How are a generator and its twin with an index head trained, so that the head is all that tells them apart?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.private_state import private_state
from models.provenance.slots import Positions, Slots
from models.provenance.training import TrainingSet
from models.provenance.trunk import SIDE
from models.provenance.vae import LatentIndex, Vae


class VaeTraining(BaseModel):
    """Loss = reconstruction + KL (nats per picture) + lambda_index x index cross-entropy, by Adam with one cycle of the rate."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = Field(default=40, ge=1, description="over the training pictures")
    batch_size: int = Field(default=100, ge=2, description="pictures per step; the rest of a division is spread over the steps")
    learning_rate: float = Field(default=2e-3, gt=0.0, description="the cycle's peak")
    latent: int = Field(default=16, ge=1, description="length of the latent vector")
    hidden: int = Field(default=400, ge=1, description="width of the hidden layer of encoder and decoder")
    index_width: int = Field(default=128, ge=1, description="width of the index head's two layers over the latent vector")
    lambda_index: float = Field(default=1.0, ge=0.0, description="weight of the index loss, where there is an index head")
    smoothing: float = Field(default=0.05, ge=0.0, lt=1.0, description="label smoothing of the index head, over all training pictures")


@dataclass(frozen=True)
class TrainedVae:
    """The generator in eval mode. `ids` are the training pictures' in the order of the slots; `pictures` float32[N, 28, 28] and `labels`
    int64[N] are theirs."""

    vae: Vae
    ids: tuple[str, ...]
    pictures: torch.Tensor
    labels: Positions


def train_vae(data: TrainingSet, with_index: bool, how: VaeTraining, seed: int, threads: int = 1) -> TrainedVae:
    """Sorted by id, so the order in which the pictures are given changes nothing. First weights, batches and noise are those of the twin:
    the head's own weights are drawn after the generator's, and batches and noise from a generator of their own. The process's random
    state is left as it was. Raises ValueError for fewer than two pictures, for other sizes and for pixels outside [0, 1]."""
    _checked(data.inputs)
    with private_state(seed, threads):
        vae = Vae(how.latent, how.hidden)
        if with_index:
            slots = Slots(data.labels, int(data.labels.max()) + 1, conditional=False)
            vae.index = LatentIndex(how.latent, how.index_width, slots)
        optimiser = torch.optim.Adam(vae.parameters(), lr=how.learning_rate)
        batches = max(1, len(data.ids) // how.batch_size)  # none of one picture: the head's batch norm needs two
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, how.learning_rate, total_steps=how.epochs * batches)
        draws = np.random.default_rng(seed)
        for _ in range(how.epochs):
            for rows in np.array_split(draws.permutation(len(data.ids)), batches):
                noise = torch.from_numpy(draws.standard_normal((len(rows), how.latent), dtype=np.float32))
                loss = vae_loss(vae, data.inputs[torch.from_numpy(rows)], rows, noise, how)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch's own
                optimiser.step()
                schedule.step()
    return TrainedVae(vae.eval().requires_grad_(False), data.ids, data.inputs, data.labels)


def vae_loss(vae: Vae, pictures: torch.Tensor, positions: Positions, noise: torch.Tensor, how: VaeTraining) -> torch.Tensor:
    """The mean over a batch, in nats per picture. `positions` int64[b]: which training pictures they are."""
    terms = vae.terms(pictures, noise)
    loss = (terms.reconstruction + terms.divergence).mean()
    if vae.index is not None:
        loss = loss + how.lambda_index * vae.index.loss(terms.latents, positions, how.smoothing)
    return loss


def posterior_means(vae: Vae, pictures: torch.Tensor) -> NDArray[np.float32]:
    """Where each picture lies in latent space: float32[n, latent]."""
    with torch.inference_mode():
        return vae.encode(pictures)[0].numpy()


def _checked(pictures: torch.Tensor) -> None:
    if len(pictures) < 2:
        raise ValueError(f"a generator needs at least two training pictures, found {len(pictures)}")
    if pictures.ndim != 3 or pictures.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"pictures must be [N, {SIDE}, {SIDE}], found {list(pictures.shape)}")
    if not bool(((pictures >= 0) & (pictures <= 1)).all()):
        raise ValueError(f"pixels must lie in [0, 1], found {float(pictures.min())} to {float(pictures.max())}: divide bytes by 255")
