"""Does the ledger count what was asked for, and nothing else that happens to be done?"""

from __future__ import annotations

import time

import pytest

from gold.tables.adapter_summary import SPEC as SUMMARY
from gold.tables.degradation import SPEC as DEGRADATION
from lake.ledger import Cell, Done, Ledger
from ood.specs import PREDICTIONS


class Unread(Ledger):
    """A ledger that begins empty, so that it needs no lake to read from."""

    def __init__(self) -> None:
        self._cells, self._generations, self._noted, self._committed = {}, {}, False, time.monotonic()


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


class Counted(Unread):
    """Counts its commits, by the number of cells that each wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.dataset, self.commits = "d", []
        self.lake = self  # type: ignore[assignment]  # stands in for session and door, of which only these three are asked

    spark = property(lambda self: self)

    def createDataFrame(self, rows: list[object], ddl: str) -> Counted:  # noqa: N802  # Spark's name
        return self

    def coalesce(self, n: int) -> Counted:
        return self

    def replace(self, table: object, frame: object, n_rows: int, dataset: str) -> None:
        self.commits.append(n_rows)


def test_notes_are_committed_with_a_stage_that_ends_fifteen_seconds_after_the_last_commit_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr("lake.ledger.time.monotonic", lambda: now[0])
    ledger = Counted()
    for seconds, stage in ((0, "a"), (5, "b"), (9.9, "c"), (0.2, "d"), (14, "e")):
        now[0] += seconds
        ledger.record(PREDICTIONS, "s", {Cell(stage): Done("x", 1, 1)})
    # a, b at 5 s and c at 14.9 s wait; d at 15.1 s takes them along; e, 14 s later, waits for the end of the run
    assert ledger.commits == [4]
    ledger.commit()
    assert ledger.commits == [4, 5]
    ledger.commit()
    assert ledger.commits == [4, 5]  # nothing was noted since


def test_tables_that_are_about_to_be_replaced_are_open_in_one_commit_and_on_a_first_run_in_none() -> None:
    ledger = Counted()
    tables = (DEGRADATION, SUMMARY)
    ledger.reopen(tables, "new")
    assert ledger.commits == [] and not ledger.knows(DEGRADATION, "new")
    ledger.note(DEGRADATION, "old", {Cell(): Done("old", 7, 7)})
    ledger.note(PREDICTIONS, "s", {Cell("a"): Done("x", 1, 1)})
    ledger.reopen(iter(tables), "new")
    assert ledger.commits == [2]
    assert not ledger.complete(DEGRADATION, "old", Cell(), "old") and not ledger.complete(DEGRADATION, "new", Cell(), "new")
    assert ledger.complete(PREDICTIONS, "s", Cell("a"), "x")  # tables of others are left alone
    ledger.forget(DEGRADATION)
    ledger.note(DEGRADATION, "new", {Cell(): Done("new", 8, 8)})
    assert ledger.complete(DEGRADATION, "new", Cell(), "new") and ledger.generation(DEGRADATION) == "new"
