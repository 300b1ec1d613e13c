"""Is a shifted source about the labels of the dataset at all, and is enough of it usable?"""

from __future__ import annotations

from collections.abc import Mapping

from bronze.build import Source
from lake.errors import DataRefusedError

SHOWN = 5  # labels that a message names


def refuse_when_too_many(source: Source, name: str, labels: tuple[str, ...], n_all: int, codes: Mapping[str, int]) -> None:
    """Raises DataRefusedError where more than the configured share of `n_all` inputs was rejected. `codes`: error code -> inputs."""
    found = {code: n for code, n in codes.items() if n}
    n_bad = sum(found.values())
    if not n_all or n_bad / n_all <= source.max_rejected_share:
        return
    told = ", ".join(f"{n:,} {code}" for code, n in sorted(found.items(), key=lambda item: -item[1]))
    raise DataRefusedError(
        f"shifted {name}: {n_bad:,} of {n_all:,} inputs of {source.root} were rejected ({told}), more than execution.max_rejected_share = "
        f"{source.max_rejected_share:g}. {_advice(max(found, key=lambda code: found[code]), labels)} See bronze.rejected."
    )


def _advice(code: str, labels: tuple[str, ...]) -> str:
    shown = ", ".join(labels[:SHOWN]) + (", …" if len(labels) > SHOWN else "")
    advice = {
        "label_unknown": f"Its labels must be those of the dataset, by name ({shown}): rename its folders or its column of labels.",
        "label_missing": f"Every input must have one of the dataset's labels ({shown}): name the column or the folders that hold them.",
        "not_shifted": "The dataset holds the same contents: leave this source out, or take them out of the dataset's own source.",
        "label_conflict": "The same contents had other labels, here or in an earlier run: mend them, or give the source another name.",
    }
    return advice.get(code, "Mend the data or raise the share.")
