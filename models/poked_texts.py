"""How is a text poked? Noise on the word embeddings of its words' tokens; specials stay as they are.

There is no Gaussian poke of a word, so its place in the embedding space is poked: METHODS 7. Positions, types and the layer norm behind
are those of the text.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from numpy.typing import NDArray

from models.pokes import MAGNITUDE
from models.texts import NO_WORD, Texts

TokenNoise = Float32[NDArray[np.float32], "batch tokens width"]
NOWHERE = -1  # in `source`: a token that is none of the text's own


def text_noise(texts: Texts, width: int, unit: int | None, generator: np.random.Generator) -> Float32[NDArray[np.float32], "tokens width"]:
    """Standard normal numbers for the tokens of one text's words (unit None), or for those of one word alone; 0 on all others.

    One row per token, in their order, so padding changes nothing. A word without tokens gets none. Raises ValueError for several texts.
    """
    if len(texts) != 1:
        raise ValueError(f"noise is drawn for one text at a time, found {len(texts)}")
    word_of = texts.word_of[0]
    touched = word_of != NO_WORD if unit is None else word_of == unit
    noise = np.zeros((len(word_of), width), dtype=np.float32)
    noise[touched] = generator.standard_normal((int(touched.sum()), width), dtype=np.float32)
    return noise


def poked_texts(texts: Texts, noise: TokenNoise, magnitude: float = MAGNITUDE) -> Texts:
    """One text, once per poke: noise [pokes, tokens, width] of standard normal numbers. Raises ValueError for several texts, or noise of
    another number of tokens."""
    if len(texts) != 1 or noise.ndim != 3 or noise.shape[1] != texts.ids.shape[1]:
        raise ValueError(f"pokes are of one text with noise [pokes, {texts.ids.shape[1]} tokens, width], found {len(texts)} {noise.shape}")
    return replace(texts[np.zeros(len(noise), dtype=np.int64)], noise=np.float32(magnitude) * noise)


def poked_embeddings(embedded: Float[torch.Tensor, "batch tokens width"], noise: TokenNoise) -> Float[torch.Tensor, "batch tokens width"]:
    """e + ||e|| / sqrt(width) times the noise, token by token: noise of sd m moves an embedding by about m of its length."""
    scale = embedded.norm(dim=-1, keepdim=True) / embedded.shape[-1] ** 0.5
    moved: torch.Tensor = embedded + scale * torch.from_numpy(noise).to(embedded.device, embedded.dtype)
    return moved


def sized_noise(texts: Texts, rows: NDArray[np.int64], size: int) -> TokenNoise | None:
    """The noise of some texts, `size` tokens wide; None for texts that are not poked."""
    if texts.noise is None:
        return None
    return placed(texts.noise[rows], np.broadcast_to(np.arange(texts.ids.shape[1]), (len(rows), texts.ids.shape[1])), size)


def placed(noise: TokenNoise, source: Int64[NDArray[np.int64], "batch tokens"], size: int) -> TokenNoise:
    """The noise where the tokens of a masked text stand: `source` says which token of the text each is (-1: none); `size` tokens wide."""
    moved = np.take_along_axis(noise, np.maximum(source, 0)[..., None], axis=1) * (source != NOWHERE)[..., None]
    width = min(size, moved.shape[1])
    out = np.zeros((len(moved), size, moved.shape[2]), dtype=np.float32)
    out[:, :width] = moved[:, :width]
    return out
