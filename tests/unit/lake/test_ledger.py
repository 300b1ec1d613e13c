"""Does the ledger count what was asked for, and nothing else that happens to be done?"""

from __future__ import annotations

from lake.ledger import Cell, Done, Ledger
from ood.specs import PREDICTIONS


class Unread(Ledger):
    """A ledger that begins empty, so that it needs no lake to read from."""

    def __init__(self) -> None:
        self._cells, self._generations, self._noted, self._committed = {}, {}, False, float("-inf")


def test_rows_done_are_those_of_the_wanted_cells_and_inputs_and_never_more_than_wanted() -> None:
    ledger = Unread()
    ki, fog = Cell("a", "ki_contrast", 1), Cell("a", "fog", 1)
    ledger.note(PREDICTIONS, "s", {ki: Done("now", 10, 10), Cell("b", "ki_contrast", 1): Done("now", 10, 10)})
    ledger.note(PREDICTIONS, "s", {Cell("c"): Done("before", 10, 10), Cell("d"): Done("now", 30, 30), Cell("e"): Done("now", 10, 0)})
    assert ledger.rows_done(PREDICTIONS, "s", "now", {ki: 10}) == 10  # adapter b is done too, and nobody asks for it
    assert ledger.rows_done(PREDICTIONS, "s", "now", {fog: 10}) == 0  # nor does ki_contrast answer for fog
    # c was made from other inputs, e is half way, of d three methods are there and one is wanted
    assert ledger.rows_done(PREDICTIONS, "s", "now", {Cell("c"): 10, Cell("d"): 10, Cell("e"): 10}) == 10
    assert ledger.rows_done(PREDICTIONS, "other", "now", {ki: 10}) == 0
