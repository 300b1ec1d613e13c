"""What does a model answer about some inputs, their pokes and the pokes of single units, each needed question asked once?

A poke of one unit changes nothing under a mask that hides that unit: the answer is the input's own. Of what is left only that is
asked which some method's number for the poked unit rests on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy.typing import NDArray

from xai.inversion.linear import Asked
from xai.inversion.poked import UNPOKED

Flags = Bool[NDArray[np.bool_], "batch inputs units repeats"]


class Outputs(Protocol):
    """M of triples, float[m]: `rows` int[m] names the input (of batch x inputs), `pokes` int[m] which poke of one unit (unit x repeats +
    repeat; -1: none), `keep` bool[m, units] what is visible."""

    def __call__(
        self, rows: Int64[NDArray[np.int64], " m"], pokes: Int64[NDArray[np.int64], " m"], keep: Bool[NDArray[np.bool_], "m units"]
    ) -> NDArray[np.floating]: ...


@dataclass(frozen=True)
class Answers:
    """M of every input under every mask [batch, inputs, masks], and of every poke of one unit [batch, inputs, units, repeats, masks].

    Where a poke's answer was not needed the input's own stands. `forwards`: questions that the model was asked.
    """

    given: Float64[NDArray[np.float64], "batch inputs masks"]
    poked: Float64[NDArray[np.float64], "batch inputs units repeats masks"]
    forwards: int

    def attributions(self, operator: Float64[NDArray[np.float64], "batch units masks"]) -> tuple[PerInput, OwnUnit]:
        """a = S p of every input, and the poked unit's own number at every poke of one unit."""
        return (
            np.einsum("bum,bim->biu", operator, self.given, optimize=True),
            np.einsum("bum,biurm->biur", operator, self.poked, optimize=True),
        )


PerInput = Float64[NDArray[np.float64], "batch inputs units"]
OwnUnit = Float64[NDArray[np.float64], "batch inputs units repeats"]


@dataclass(frozen=True)
class Known:
    """M without a mask, which is known already: of every input, and of every poke of one unit."""

    given: Float64[NDArray[np.float64], "batch inputs"]
    poked: Float64[NDArray[np.float64], "batch inputs units repeats"]


@dataclass(frozen=True)
class Alike:
    """Answers about inputs that differ from these only in what the masks `where` bool[batch, masks] hide: under those they are the same."""

    answers: Answers
    where: Bool[NDArray[np.bool_], "batch masks"]


def answered(output: Outputs, asked: Asked, known: Known, alike: Alike | None = None) -> Answers:
    """Asks `output` about every input and mask, and about pokes where they matter; the intact mask, first in `asked`, is known, and so is
    what `alike` tells.

    Padding masks (the intact one again) are not asked. One example at a time goes over, in one call. Raises ValueError when shapes differ.
    """
    batch, n_masks, units = asked.keep.shape
    n_inputs, repeats = known.given.shape[1], known.poked.shape[-1]
    if known.given.shape[0] != batch or known.poked.shape[:3] != (batch, n_inputs, units):
        raise ValueError(
            f"known outputs must be [{batch}, inputs] and [{batch}, inputs, {units} units, repeats], got {known.given.shape} and "
            f"{known.poked.shape}"
        )
    given = np.repeat(known.given[:, :, None], n_masks, axis=2).astype(np.float64)
    poked = np.empty((batch, n_inputs, units, repeats, n_masks))
    forwards = 0
    for row in range(batch):
        hides = (asked.keep[row] != asked.keep[row, :1]).any(axis=1)
        own = np.flatnonzero(hides if alike is None else hides & ~alike.where[row])
        inputs, masks = (part.reshape(-1) for part in np.meshgrid(np.arange(n_inputs), own, indexing="ij"))
        of_input = row * n_inputs + inputs
        unit, mask = np.nonzero(asked.needed[row][:, own])
        mask = own[mask]
        # every (input, unit and mask, repeat)
        where = [part.reshape(-1) for part in np.meshgrid(np.arange(n_inputs), np.arange(len(unit)), np.arange(repeats), indexing="ij")]
        rows = np.concatenate([of_input, row * n_inputs + where[0]])
        pokes = np.concatenate([np.full(len(inputs), UNPOKED), unit[where[1]] * repeats + where[2]])
        keep = asked.keep[row][np.concatenate([masks, mask[where[1]]])]
        found = np.asarray(output(rows, pokes, keep), dtype=np.float64) if len(rows) else np.empty(0)
        if found.shape != rows.shape:
            raise ValueError(f"a model must answer one number per question, {rows.shape}, got {found.shape}")
        forwards += len(rows)
        given[row, inputs, masks] = found[: len(inputs)]
        if alike is not None:
            given[row][:, alike.where[row]] = alike.answers.given[row][:, alike.where[row]]
        poked[row] = given[row][:, None, None, :]
        if alike is not None:
            poked[row][..., alike.where[row]] = alike.answers.poked[row][..., alike.where[row]]
        poked[row, :, :, :, ~hides] = known.poked[row]
        poked[row, where[0], unit[where[1]], where[2], mask[where[1]]] = found[len(inputs) :]
    return Answers(given, poked, forwards)
