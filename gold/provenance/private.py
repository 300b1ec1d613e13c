"""Each network's membership figures in words, beside those of the plain classifier of its seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gold.provenance.figures import Record
from gold.provenance.membership import Membership, privacy_sentence
from gold.statistics.intervals import Interval

SAME = ("model_size", "subset", "selection", "seed")
OF_KNN = "kNN keeps the training examples themselves: who may ask it which is nearest can tell whether one is among them."


def with_privacy(records: Sequence[Record]) -> list[Record]:
    """Records of gold.provenance_summary with `privacy`; null where no plain classifier of the same seed, size and subset was trained."""
    plain = {tuple(one[name] for name in SAME): one for one in records if one["variant"] == "plain"}

    def of(record: Record) -> str | None:
        if str(record["variant"]).startswith("knn_"):
            return OF_KNN
        other = plain.get(tuple(record[name] for name in SAME))
        return None if other is None or other is record else privacy_sentence(_membership(record), _membership(other))

    return [record | {"privacy": of(record)} for record in records]


def _membership(record: Mapping[str, object]) -> Membership:
    def number(name: str) -> float | None:
        return None if record[name] is None else float(str(record[name]))

    auc, tpr = (Interval(number(f"membership_{name}_ci_low"), number(f"membership_{name}_ci_high")) for name in ("auc", "tpr"))
    found = [number(name) or 0.0 for name in ("membership_auc", "membership_tpr")]
    return Membership(int(str(record["n_members"])), int(str(record["n"])), 0.01, found[0], auc, found[1], tpr)
