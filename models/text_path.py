"""How are many texts' integrated gradients computed in forwards of one shape? Text and step are a pair, and pairs fill the batches."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64, Int64
from numpy.typing import NDArray
from torch import nn

from models.buckets import batches, bucket_of, filled
from models.gradients import evaluating, midpoints
from models.poked_texts import poked_embeddings, sized_noise
from models.text_families.text_family import TextFamily
from models.text_gradients import TokenBatch, path_gradients, word_embeddings
from models.text_masked_value import sized
from models.texts import Texts


def summed_over_path(
    model: nn.Module,
    family: TextFamily,
    texts: Texts,
    targets: Int64[NDArray[np.int64], " texts"],
    steps: int,
    batch_size: int,
    buckets: tuple[int, ...],
    device: str,
) -> Float64[NDArray[np.float64], "texts tokens"]:
    """What models.text_gradients.integrated_gradients gives, token by token, in batches of fixed shape: the same bits whatever the
    neighbours. The steps of a text are added in float64, in their order; the path of a poked text ends where it was poked to. ValueError
    for fewer than 1 step."""
    if steps < 1:
        raise ValueError(f"integrated gradients need at least 1 step, found {steps}.")
    n_tokens = texts.ids.shape[-1]
    total = np.zeros((len(texts), n_tokens), dtype=np.float64)
    pairs = np.repeat(np.arange(len(texts)), steps)
    with evaluating(model), torch.enable_grad():
        for size, places in batches(bucket_of(texts.lengths[pairs], buckets), batch_size):
            chosen = filled(places, batch_size)
            rows = pairs[chosen]
            batch = _batch(texts, rows, size, device)
            embedded = word_embeddings(model, batch.ids).detach()
            if (noise := sized_noise(texts, rows, size)) is not None:
                embedded = poked_embeddings(embedded, noise)
            alphas = midpoints(steps, embedded)[torch.from_numpy(chosen % steps).to(device)]
            wanted = torch.from_numpy(targets[rows]).to(device)
            gradients = path_gradients(model, family, alphas.view(-1, 1, 1) * embedded, batch, wanted)
            parts = (embedded * gradients).sum(dim=-1)[: len(places)].double().cpu().numpy()
            width = min(size, n_tokens)
            np.add.at(total, pairs[places], np.pad(parts[:, :width], ((0, 0), (0, n_tokens - width))))
    return total / steps


def _batch(texts: Texts, rows: NDArray[np.int64], size: int, device: str) -> TokenBatch:
    ids, attended = sized(texts.ids[rows], texts.attended[rows], size, texts.pad_id)
    unread = torch.empty(0, dtype=torch.int64)  # words are summed later, over all tokens of a text
    return TokenBatch(torch.from_numpy(ids).to(device), torch.from_numpy(attended).to(device), unread)
