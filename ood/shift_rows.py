"""What do a configuration's changes of inputs mean, for people? The rows that gold.corruption_settings starts from."""

from __future__ import annotations

import pandas as pd

from ood.shift import Shifts

COLUMNS = ("corruption", "severity", "parameter", "value", "expected_impact")


def shift_rows(shifts: Shifts) -> pd.DataFrame:
    """One row per corruption (or attack) and severity that is asked for, without clean; `value` is a number, `parameter` says of what."""
    records = ((name, severity, shifts.by_name(name)) for name, severity in shifts.cells() if severity)
    rows = [(name, severity, record.parameter, record.value(severity), record.impact(severity)) for name, severity, record in records]
    return pd.DataFrame(rows, columns=list(COLUMNS))
