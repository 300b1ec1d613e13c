"""Would a run of this configuration work, and what would it reject? Tried on ten pictures and every adapter, without Spark."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from pipelines.check_lake import check_lake
from pipelines.check_models import check_models
from pipelines.check_source import check_source
from pipelines.checked import Checked, write_findings
from pipelines.config import Config


def check(config: Config, lake: str | None, name: str, stream: TextIO) -> int:
    """Prints a line per thing looked at, what to do about each problem, and what comes next. Writes temporary files only.

    Gives 0 when a run would work, 65 when it would refuse the data, 66 when an input is missing, 78 for the configuration. `lake`: where
    the tables are, or None; `name`: how the user calls the configuration.
    """
    checked = Checked()
    pictures = check_source(config, checked)
    if pictures is not None:
        check_models(config, _artifacts(config, lake), pictures, checked)
    check_lake(lake, checked)
    write_findings(checked.findings, stream)
    where = "" if lake is None or config.lake == lake else f" --lake {lake}"
    stream.write("mend what is marked bad, then check again\n" if checked.code else f"next: assay run {name}{where} --dry-run\n")
    return checked.code


def _artifacts(config: Config, lake: str | None) -> Path | None:
    if config.artifacts:
        return Path(config.artifacts)
    return Path(lake) / "_artifacts" if lake is not None and "://" not in lake else None
