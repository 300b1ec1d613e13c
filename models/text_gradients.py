"""What do gradients say each word gave to a class's logit? Integrated gradients over the word embeddings, differentiable where asked.

Sundararajan et al. (1703.01365); the training signal follows CAP (2512.14719). METHODS 5 and 9 fix the choices: the path runs from
zero word embeddings (of every token, specials included) to the text's own, while positions, types and the layer norm stay; midpoint rule;
specials are dropped afterwards.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from models.gradients import evaluating, midpoints
from models.text_families.text_family import TextFamily
from models.texts import Texts

Embedded = Float[torch.Tensor, "batch tokens width"]
WordValues = Float[torch.Tensor, "batch words"]


class TokenBatch(NamedTuple):
    """Texts of one length on one device: ids, which tokens are no padding, and the word of each token (-1: none)."""

    ids: Int64[torch.Tensor, "batch tokens"]
    attended: Bool[torch.Tensor, "batch tokens"]
    word_of: Int64[torch.Tensor, "batch tokens"]


def token_batch(texts: Texts, device: str = "cpu") -> TokenBatch:
    """The texts as one batch, no wider than its longest needs."""
    width = int(texts.lengths.max(initial=0))
    return TokenBatch(*(torch.from_numpy(part[:, :width].copy()).to(device) for part in (texts.ids, texts.attended, texts.word_of)))


def integrated_gradients(
    model: nn.Module, family: TextFamily, batch: TokenBatch, targets: Int64[torch.Tensor, " batch"], steps: int, create_graph: bool = False
) -> Float[torch.Tensor, "batch tokens"]:
    """Signed integrated gradients of each token for the logit of its text's target, summed over the embedding's dimensions.

    Their sum over all tokens is logit(text) - logit(all word embeddings zero), up to the midpoint rule's error. `model` may be wrapped by
    peft; it is run in eval mode and left as it was, `.grad` and modes included, also after an exception. With `create_graph` the answer
    can be differentiated by the parameters: all steps then stand in one graph, on the plain attention kernel, since the fused ones have
    no second derivative. ValueError for fewer than 1 step.
    """
    if steps < 1:
        raise ValueError(f"integrated gradients need at least 1 step, found {steps}.")
    with evaluating(model), torch.enable_grad():
        embedded = word_embeddings(model, batch.ids)
        embedded = embedded if create_graph else embedded.detach()
        alphas = midpoints(steps, embedded)
        points = (alphas.view(-1, 1, 1, 1) * embedded).flatten(0, 1)
        repeated = TokenBatch(*(part.repeat(steps, 1) for part in batch))
        gradients = path_gradients(model, family, points, repeated, targets.repeat(steps), create_graph)
        return (embedded * gradients.view(steps, *embedded.shape).mean(dim=0)).sum(dim=-1)


def self_attribution(
    model: nn.Module,
    family: TextFamily,
    batch: TokenBatch,
    targets: Int64[torch.Tensor, " batch"],
    included: Bool[torch.Tensor, "batch words"],
    steps: int = 8,
    create_graph: bool = True,
) -> WordValues:
    """a_s of METHODS 5: |integrated gradients| per word, L2-normalised over each text's included words; in [0, 1], differentiable.

    A text whose words all got nothing has the uniform vector of length 1, detached: there is no direction to teach.
    """
    tokens = integrated_gradients(model, family, batch, targets, steps, create_graph)
    return unit_length(word_sums(tokens, batch.word_of, included.shape[1]).abs(), included)


def unit_length(magnitudes: WordValues, included: Bool[torch.Tensor, "batch words"]) -> WordValues:
    """Magnitudes (>= 0) of the included words divided by their L2 norm, 0 elsewhere; a row of zeros becomes uniform and detached."""
    inside = magnitudes * included
    largest = inside.detach().amax(dim=1, keepdim=True)
    nothing = largest == 0
    # By a constant first: squares of small float32 numbers underflow, and the quotient does not know the constant.
    scaled = inside / torch.where(nothing, torch.ones_like(largest), largest)
    # The root's derivative is infinite at 0: where nothing is to be normalised, the root of 1 is taken instead.
    squares = torch.where(nothing, torch.ones_like(largest), scaled.square().sum(dim=1, keepdim=True))
    uniform = included.to(inside.dtype) / included.sum(dim=1, keepdim=True).clamp(min=1).to(inside.dtype).sqrt()
    return torch.where(nothing, uniform, scaled / squares.sqrt())


def word_sums(tokens: Float[torch.Tensor, "batch tokens"], word_of: Int64[torch.Tensor, "batch tokens"], n_words: int) -> WordValues:
    """Token values summed into their words; those of no word (specials, padding) are left out."""
    sums = tokens.new_zeros(len(tokens), n_words + 1)
    return sums.scatter_add(1, torch.where(word_of < 0, n_words, word_of), tokens)[:, :n_words]


def path_gradients(
    model: nn.Module,
    family: TextFamily,
    points: Embedded,
    batch: TokenBatch,
    targets: Int64[torch.Tensor, " batch"],
    create_graph: bool = False,
) -> Embedded:
    """Gradient of each row's target logit by its word embeddings `points`. The model must be in eval mode."""
    if not points.requires_grad:
        points = points.detach().requires_grad_()
    with sdpa_kernel(SDPBackend.MATH):
        logits = logits_of_embedded(model, family, points, batch.attended)
        chosen = logits.gather(1, targets.unsqueeze(1)).sum()
        (gradient,) = torch.autograd.grad(chosen, points, create_graph=create_graph)
    return gradient


def logits_of_embedded(model: Any, family: TextFamily, embedded: Embedded, attended: Bool[torch.Tensor, "batch tokens"]) -> torch.Tensor:
    """Logits [b,labels] from word embeddings. The mask goes in ready made: given 0 and 1, the library leaves it out where a batch has no
    padding, and a text's numbers would depend on its neighbours."""
    shut = torch.finfo(embedded.dtype).min
    mask = embedded.new_zeros(attended.shape).masked_fill(~attended, shut)[:, None, None, :]
    logits: torch.Tensor = model(inputs_embeds=embedded, attention_mask=mask, position_ids=family.positions(attended, model.config)).logits
    return logits


def word_embeddings(model: Any, ids: Int64[torch.Tensor, "batch tokens"]) -> Embedded:
    """The rows of the word embedding's table, part of the graph where the table is trained."""
    embedded: torch.Tensor = model.get_input_embeddings()(ids)
    return embedded
