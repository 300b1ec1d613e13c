"""How does a figure with its doubt look in a table about trainings?"""

from __future__ import annotations

import pandas as pd

NOTHING = "–"


def three(value: float | None) -> str:
    """`0.912`, or a dash where there is no figure."""
    return NOTHING if value is None or pd.isna(value) else f"{value:.3f}"


def with_error(mean: float | None, error: float | None) -> str:
    """`0.912 ± 0.004`: a mean and its standard error; without an error (one training) the mean alone."""
    return three(mean) if mean is None or error is None or pd.isna(mean) or pd.isna(error) else f"{mean:.3f} ± {error:.3f}"


def signed(mean: float | None, error: float | None) -> str:
    """`+0.012 ± 0.004`: a mean difference and its standard error, where it has one; nothing is ever -0.000."""
    if mean is None or pd.isna(mean):
        return NOTHING
    doubt = "" if error is None or pd.isna(error) else f" ± {error:.3f}"
    return f"{round(mean, 3) + 0.0:+.3f}{doubt}"


def counted_pairs(n: int) -> str:
    """`1 pair`, `3 pairs`."""
    return f"{n} pair{'s' if n != 1 else ''}"


def difference(mean: float | None, error: float | None, pairs: int, verdict: str | None) -> str:
    """`+0.012 ± 0.004 (3 pairs): better`; a dash where there is no pair, `no verdict` where there are too few."""
    if mean is None or pd.isna(mean) or not pairs:
        return NOTHING
    return f"{signed(mean, error)} ({counted_pairs(pairs)}): {verdict or 'no verdict'}"


def code(text: object) -> str:
    """A name, label or word that may hold anything, such that Markdown and HTML leave it alone."""
    return f"`{str(text).replace('`', chr(39))}`"


def short_name(name: str) -> str:
    """The last part of a hub name or folder: no machine's own paths."""
    return name.rstrip("/").rpartition("/")[2]
