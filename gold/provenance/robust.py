"""How far is a network under shift from the plain classifier of the same seed?"""

from __future__ import annotations

from collections.abc import Sequence

from gold.provenance.figures import Record

SAME = ("model_size", "subset", "selection", "seed", "shift", "severity")


def with_differences(records: Sequence[Record]) -> list[Record]:
    """Each record with difference_from_plain; null where no plain classifier of its seed, size and subset was trained."""
    plain = {tuple(one[name] for name in SAME): one["class_accuracy"] for one in records if one["variant"] == "plain"}

    def of(record: Record) -> float | None:
        other = plain.get(tuple(record[name] for name in SAME))
        return None if other is None else float(record["class_accuracy"]) - float(other)  # type: ignore[arg-type]  # numbers both

    return [record | {"difference_from_plain": of(record)} for record in records]
