"""Which version of each table does a query about an earlier state of the lake read?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lake.audit import RUNS
from lake.spec import Table
from pipelines.sql.answer import QueryError

EPOCH, MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
SHOWN_RUNS = 5
FORMS = "a version number, a time such as 2026-11-22T05:30 (UTC unless it says otherwise), or run:RUN_ID"


@dataclass(frozen=True)
class Commit:
    """One commit of a table: its version, when it was made (ms since 1970, UTC), and by which run; None where it does not say."""

    version: int
    timestamp: int
    run_id: str | None


Commits = Callable[[Table], Sequence[Commit]]  # all commits whose log is still there, oldest first; none for a table that is not there


def commit(version: int, info: dict[str, object]) -> Commit:
    """A commit from the `commitInfo` of its log; our own writers leave the run in `userMetadata`, as JSON."""
    stamp, text = info.get("timestamp"), info.get("userMetadata")
    try:
        metadata = json.loads(text) if isinstance(text, str) else None
    except json.JSONDecodeError:
        metadata = None  # another writer's note
    run_id = metadata.get("run_id") if isinstance(metadata, dict) else None
    return Commit(version, int(stamp) if isinstance(stamp, (int, float)) else 0, run_id if isinstance(run_id, str) else None)


def pinned(as_of: str, tables: Collection[Table], commits: Commits, named: bool) -> dict[str, int]:
    """Full name -> version of every table as it stood then.

    A number is that version of each table; a time and `run:ID` (the state in which that run left the lake) mean the newest version of each
    table at that time. Raises QueryError for what is neither, for an unknown run, and for a table that has no such version; where the
    tables were not `named` by the query, those are left out instead.
    """
    chosen: dict[str, int] = {}
    version = int(as_of) if re.fullmatch(r"\d{1,18}", as_of) else None
    instant = None if version is not None else _instant(as_of, commits)
    for table in tables:
        known = commits(table)
        found = _at_version(known, version) if version is not None else _at_instant(known, instant or 0)
        if found is not None:
            chosen[table.full_name] = found
        elif named:
            raise QueryError(_lacking(table, as_of, known))
    return chosen


def _at_version(known: Sequence[Commit], version: int) -> int | None:
    return next((commit.version for commit in known if commit.version == version), None)


def _at_instant(known: Sequence[Commit], instant: int) -> int | None:
    """The newest version before any later commit: a clock that was set back does not bring a version forward."""
    found = None
    for commit in known:
        if commit.timestamp > instant:
            break
        found = commit.version
    return found


def _instant(text: str, commits: Commits) -> int:
    if text.startswith("run:"):
        return _end_of_run(text.removeprefix("run:"), commits(RUNS))
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise QueryError(f"--as-of takes {FORMS}; found {text!r}") from error
    moment = given if given.tzinfo else given.replace(tzinfo=UTC)
    if moment > datetime.now(UTC):
        raise QueryError(f"--as-of must be a time that has passed, found {moment.isoformat()}; without it the newest versions are read")
    return (moment - EPOCH) // MILLISECOND


def _end_of_run(run_id: str, runs: Sequence[Commit]) -> int:
    """A run's last commit is its row in audit.runs, and no other run works on the lake meanwhile."""
    ended = [commit.timestamp for commit in runs if commit.run_id == run_id]
    if ended:
        return max(ended)
    known = list(dict.fromkeys(commit.run_id for commit in reversed(runs) if commit.run_id))
    last = ", ".join(known[:SHOWN_RUNS]) or "none"
    raise QueryError(f"--as-of run:{run_id}: no such run wrote a row of audit.runs; the last that did: {last}")


def _lacking(table: Table, as_of: str, known: Sequence[Commit]) -> str:
    if not known:
        return f"{table.full_name} has nothing as of {as_of}: the commits of its log are gone"
    first, last = known[0], known[-1]
    return (
        f"{table.full_name} has nothing as of {as_of}: its versions are {first.version} ({_shown(first.timestamp)}) "
        f"to {last.version} ({_shown(last.timestamp)})"
    )


def _shown(timestamp: int) -> str:
    return (EPOCH + timestamp * MILLISECOND).isoformat(timespec="milliseconds")
