"""What do a configuration's changes of inputs mean, for people? The rows that gold.corruption_settings starts from."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ood.shift import Shifts

COLUMNS = ("corruption", "severity", "parameter", "value", "expected_impact")


NATURAL_IMPACT = "data of the user's own"


def shift_rows(shifts: Shifts, natural: Sequence[str] = ()) -> pd.DataFrame:
    """One row per corruption (or attack) and severity that is asked for, without clean; `value` is a number, `parameter` says of what.

    `natural`: corruptions that are shifted sources of the user's own, whose strength no parameter says.
    """
    records = ((name, severity, shifts.by_name(name)) for name, severity in shifts.cells() if severity)
    rows: list[tuple[object, ...]]
    rows = [(name, severity, record.parameter, record.value(severity), record.impact(severity)) for name, severity, record in records]
    rows += [(name, 1, None, None, NATURAL_IMPACT) for name in natural]
    return pd.DataFrame(rows, columns=list(COLUMNS))
