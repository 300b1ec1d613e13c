"""What does the study say in words: is the network worth more than the free alternative?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gold.provenance.arms import Arm
from gold.provenance.figures import Record
from gold.provenance.settings import ProvenanceSettings
from gold.statistics.intervals import mean_interval

Rows = Mapping[str, Sequence[Record]]
NETWORK = ("model_size", "subset", "selection", "alpha", "sharing_level", "lambda_class", "lambda_index", "teacher_forcing")


@dataclass(frozen=True)
class Compared:
    """One question's figures by seed, index by index. `unit` names the figure in a sentence; `higher_is_better` is False for losses and
    leaks; `n` is what each figure rests on."""

    question: str
    variant: str
    against: str
    unit: str
    judged: pd.Series
    other: pd.Series
    n: int
    higher_is_better: bool = True


def verdicts(rows: Rows, settings: ProvenanceSettings) -> list[Record]:
    """Rows of gold.provenance_verdict. A question without figures has no row."""
    frames = {name: pd.DataFrame(list(records)) for name, records in rows.items() if records}
    asked = [*_accuracy(frames, settings), *_robustness(frames, settings), *_mislabels(frames)]
    asked += _generation(frames)
    return [_row(one, settings.level) for one in asked]


def _row(asked: Compared, level: float) -> Record:
    both = pd.concat([asked.judged.rename("judged"), asked.other.rename("other")], axis=1, join="inner").dropna().astype(float)
    apart = (both["judged"] - both["other"]).to_numpy()
    sure = mean_interval(apart, level)
    row: Record = {
        "question": asked.question, "variant": asked.variant, "against": asked.against,
        "value": float(both["judged"].mean()) if len(both) else None, "against_value": float(both["other"].mean()) if len(both) else None,
        "difference": float(apart.mean()) if len(both) else None, "ci_low": sure.low, "ci_high": sure.high, "n_seeds": len(both),
        "n": asked.n, "reason": None if sure.reason is None else "an interval over seeds needs at least two of them",
    }  # fmt: skip
    better = None
    if sure.low is not None and sure.high is not None:
        sign = 1 if sure.low > 0 else -1 if sure.high < 0 else 0
        better = ("no_evidence", "better", "worse")[sign * (1 if asked.higher_is_better else -1)]
    return row | {"verdict": better, "sentence": _sentence(asked, row, better)}


def _sentence(asked: Compared, row: Record, verdict: str | None) -> str:
    if row["difference"] is None:
        return f"{asked.question}: no seed has both figures."
    told = f"{asked.unit} {row['value']:.4f} of {asked.variant}, {row['against_value']:.4f} of {asked.against}"
    if verdict is None:
        return f"{asked.question}: {told}; {row['n_seeds']} seed, so no interval and no verdict."
    said = {"better": "is better than", "worse": "is worse than", "no_evidence": "is not seen to differ from"}[verdict]
    ends = f"{row['difference']:+.4f}, {row['ci_low']:+.4f} to {row['ci_high']:+.4f} over {row['n_seeds']} seeds"
    return f"{asked.question}: {asked.variant} {said} {asked.against}: {told} ({ends} on the same {row['n']} inputs, one of many)."


def _accuracy(frames: Mapping[str, pd.DataFrame], settings: ProvenanceSettings) -> list[Compared]:
    if "provenance_summary" not in frames:
        return []
    found = []
    first = settings.arms[0].arm
    for variant in ("single_branch", "two_branch", "class_conditional"):
        own = _of(frames, first, variant)
        plain, knn = _of(frames, first, "plain"), _of(frames, first, variant, "knn_")
        pairs = [
            ("class accuracy", plain, "plain", "class_accuracy", "class_accuracy", True),
            ("class accuracy against kNN", knn, f"knn_{variant}", "class_accuracy", "class_accuracy", True),
            ("class match of the first example", knn, f"knn_{variant}", "class_match_top1", "class_match_top1", True),
            ("class match of five examples", knn, f"knn_{variant}", "class_match_top5_share", "class_match_top5_share", True),
            ("membership leak", plain, "plain", "membership_auc", "membership_auc", False),
        ]
        for question, other, against, figure, theirs, higher in pairs:
            if len(own) and len(other):
                unit = "AUC of membership inference" if "member" in question else "share"
                found.append(Compared(question, variant, against, unit, own[figure], other[theirs], int(own["n"].max()), higher))
    return found


def _of(frames: Mapping[str, pd.DataFrame], first: Arm, variant: str, prefix: str = "") -> pd.DataFrame:
    """Rows of the first arm's twin of this variant, by seed; empty where there is none."""
    twin = first.model_copy(update={"variant": variant, "teacher_forcing": True}).canonical()
    frame = frames["provenance_summary"]
    same = frame["variant"] == f"{prefix}{variant}"
    for name in NETWORK:
        same &= frame[name] == twin.key()[name]
    return frame[same].set_index("seed")


def _robustness(frames: Mapping[str, pd.DataFrame], settings: ProvenanceSettings) -> list[Compared]:
    if "provenance_robustness" not in frames:
        return []
    frame = frames["provenance_robustness"]
    frame = frame[frame["teacher_forcing"].astype(bool)]
    attacks = frame["shift"].isin(["fgsm", "pgd"])
    groups: dict[str, pd.Series] = {
        "accuracy under corruptions": ~attacks & (frame["shift"] != "none"),
        "accuracy under FGSM and PGD": attacks,
    }
    found = []
    for question, rows in groups.items():
        by = frame[rows].groupby(["variant", "seed"])["class_accuracy"].mean()
        known = set(by.index.get_level_values("variant")) if len(by) else set()
        for variant in sorted(known - {"plain"}):
            if "plain" in known:
                n = int(frame[rows]["n"].max())
                found.append(Compared(question, variant, "plain", "mean class accuracy", by[variant], by["plain"], n))
    return found


def _mislabels(frames: Mapping[str, pd.DataFrame]) -> list[Compared]:
    if "provenance_mislabels" not in frames:
        return []
    frame = frames["provenance_mislabels"].drop_duplicates(["method", "flipped", "seed"])
    found = []
    for share, rows in frame.groupby("flipped"):
        by = rows.set_index(["method", "seed"])["average_precision"]
        n = int(rows["n"].max())
        found += [
            Compared(
                f"wrong labels found at {share:.0%} flipped", "index_head", against, "average precision", by["index_head"], by[against], n
            )
            for against in ("knn", "loss", "loss_mean", "random")
        ]
    return found


def _generation(frames: Mapping[str, pd.DataFrame]) -> list[Compared]:
    if "provenance_generation" not in frames:
        return []
    frame = frames["provenance_generation"]
    frame = frame.assign(bound=frame["reconstruction_meta"] + frame["kl_meta"]).set_index(["model", "seed"])
    own, twin = frame.loc["vae_index"], frame.loc["vae"]
    n = int(own["n"].max())
    found = [
        Compared(question, "vae_index", "vae", "nats per held-out picture", own[figure], twin[figure], n, higher_is_better=False)
        for question, figure in (("reconstruction of a VAE", "reconstruction_meta"), ("reconstruction and KL of a VAE", "bound"))
    ]
    question = "one class among five exemplars of a generated picture"
    return found + [
        Compared(question, "index_head", against, "share of the largest class", own["one_class_head"], own[f"one_class_{against}"], n)
        for against in ("knn_pixel", "knn_latent", "random")
    ]
