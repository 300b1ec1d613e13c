"""Would a run of this configuration work, and what would it reject? Tried on ten pictures or texts and every adapter, without Spark."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from pipelines.check.findings import Checked, write_findings
from pipelines.check.lake import check_lake
from pipelines.config import Config


def check(config: Config, lake: str | None, name: str, stream: TextIO, overrides: Sequence[str] = ()) -> int:
    """Prints a line per thing looked at, what to do about each problem, and what comes next. Writes temporary files only.

    Gives 0 when a run would work, 65 when it would refuse the data, 66 when an input is missing, 78 for the configuration. `lake`: where
    the tables are, or None; `name`: how the user calls the configuration; `overrides`: what --set changed in it.
    """
    checked = Checked()
    (_check_texts if config.modality == "text" else _check_pictures)(config, _artifacts(config, lake), checked)
    check_lake(lake, checked)
    write_findings(checked.findings, stream)
    if checked.code:
        stream.write("mend what is marked bad, then check again\n")
    else:
        stream.write(f"next: {next_command(config, lake, name, overrides)}\n")
    return checked.code


def _check_pictures(config: Config, artifacts: Path | None, checked: Checked) -> None:
    from pipelines.check.models import check_models
    from pipelines.check.shifted import check_shifted_sources
    from pipelines.check.source import check_source

    if (pictures := check_source(config, checked)) is not None:
        check_shifted_sources(config, pictures.labels, checked)
        check_models(config, artifacts, pictures, checked)


def _check_texts(config: Config, artifacts: Path | None, checked: Checked) -> None:
    from pipelines.check.shifted import check_shifted_sources
    from pipelines.check.text_models import check_text_models
    from pipelines.check.text_source import check_text_source

    if (texts := check_text_source(config, checked)) is not None:
        check_shifted_sources(config, texts.labels, checked)
        check_text_models(config, artifacts, texts, checked)


def next_command(config: Config, lake: str | None, name: str, overrides: Sequence[str]) -> str:
    """The dry run of what was checked, as a shell takes it. Where no lake is known, DIR stands for the one to choose."""
    where = () if lake is not None and config.lake == lake else ("--lake", "DIR" if lake is None else lake)
    changed = [argument for override in overrides for argument in ("--set", override)]
    return shlex.join(["assay", "run", name, *where, *changed, "--dry-run"])


def _artifacts(config: Config, lake: str | None) -> Path | None:
    if config.artifacts:
        return Path(config.artifacts)
    return Path(lake) / "_artifacts" if lake is not None and "://" not in lake else None
