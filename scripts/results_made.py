"""How was a finished lake made? Commands, hashes, versions and seconds, for someone who wants to make it again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
from docs_markdown import grid
from results_runs import Commit, command, commits, day, stage_seconds, started


class Recorded(Protocol):
    """What must be known of a dataset to say how it was made."""

    @property
    def lake(self) -> Path: ...
    @property
    def runs(self) -> pd.DataFrame: ...
    @property
    def settings_ids(self) -> dict[str, str]: ...
    @property
    def config(self) -> dict[str, Any] | None: ...


def place(root: Path, path: Path) -> str:
    """A path as the page may say it: relative to the checkout, or its last part where it lies elsewhere. No machine's own paths."""
    inside = path.resolve()
    return os.path.relpath(inside, root) if inside.is_relative_to(root) else inside.name


def made_section(root: Path, findings: Recorded) -> str:
    """Markdown: the command, the runs with their seconds and hashes, seconds per stage, versions."""
    found = commits(findings.lake)
    starts = started(findings.runs, found)
    parts = [*_runs(root, findings, starts), _stages(found, starts)]
    parts.append("Settings: " + ", ".join(f"{table} `{identity}`" for table, identity in findings.settings_ids.items()) + ".")
    if len(findings.runs):
        parts.append(f"Versions: {versions(findings.runs['versions'].iloc[-1])}.")
    return "\n\n".join(parts)


def _runs(root: Path, findings: Recorded, starts: Mapping[str, float]) -> list[str]:
    if findings.config is None:
        return ["No run of this dataset is on record: `audit.runs` gets its row when a run ends, and these were stopped before."]
    rows = [
        [
            f"`{row['run_id']}`",
            day(starts[str(row["run_id"])]),
            str(row["command"]),
            str(row["verdict"]),
            f"{row['seconds']:.0f}",
            f"`{row['config_sha256'][:16]}`",
        ]
        for row in findings.runs.to_dict("records")
    ]
    made = command(root, findings.config, place(root, findings.lake))
    return [f"```sh\n{made}\n```", grid(["run", "day", "command", "verdict", "seconds", "configuration"], rows).rstrip()]


def _stages(found: Sequence[Commit], starts: Mapping[str, float]) -> str:
    seconds = stage_seconds(found, starts)
    killed = sorted({commit.run_id for commit in found} - set(starts))
    listed = ", ".join(f"{stage} {value:.0f}" for stage, value in seconds.items())
    text = f"Seconds per stage, by the clock of the commits (a lake of several datasets: all of them): {listed}."
    return text + (f" Other runs that wrote here, counted from their first commit on: {', '.join(killed)}." if killed else "")


def versions(found: Any) -> str:
    """`numpy 2.4.6, torch 2.13.0, …` in order of the names; DuckDB gives a map as a dictionary or as a list of pairs."""
    pairs = found.items() if hasattr(found, "items") else found
    return ", ".join(f"{name} {number}" for name, number in sorted(pairs))
