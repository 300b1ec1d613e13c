"""How does a plan's table of stages look?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from pipelines.plan.estimate import Line


def write_lines(lines: Sequence[Line], stream: TextIO) -> None:
    """A row per stage and their total; a stage that was counted and not timed has no hours, and is in no total of them."""
    stream.write(f"  {'stage':28} {'rows':>12} {'forwards':>14} {'hours':>9} {'GB':>9}\n")
    for line in lines:
        hours = "not timed" if line.untimed else f"{line.seconds / 3600:.3f}"
        stream.write(f"  {line.stage:28} {line.rows:>12,} {line.forwards:>14,} {hours:>9} {line.bytes / 1e9:>9.4f}\n")
    forwards, hours = sum(line.forwards for line in lines), f"{sum(line.seconds for line in lines) / 3600:.3f}"
    stream.write(f"  {'total':28} {'':>12} {forwards:>14,} {hours:>9} {sum(line.bytes for line in lines) / 1e9:>9.4f}\n")
