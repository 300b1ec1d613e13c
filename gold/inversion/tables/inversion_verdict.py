"""Does Reproduce-by-Poking do more than telling everything less loudly, and does the slot's share rise and fall? In plain words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from gold.inversion.tables.keys import DOMAIN, EXPLAINER, MODEL
from gold.statistics.intervals import mean_interval
from gold.table import TAIL, count, signed
from lake.spec import DATASET, Column, Table

VERDICTS = ("reduces", "no_evidence", "increases", "nothing_to_reduce")
CONTROLS = ("oracle", "random", "output_echo", "lime_fresh")  # no methods to be judged: what they say is known
ALL = "all"  # over all methods, or all models
FORM, LAM = "scale_free", 1.0
LEAST_SEEDS = 3
FIGURES = ("gain", "rise", "rise_refined", "share_rise", "share_fall", "score_gain")
WORDS = {"tabular": "features", "image": "patches", "text": "words"}
POWER = 0.8
SINGLE = "one verdict per model, over its methods: intervals of single methods are not corrected for their number"


def _figure(name: str, comment: str) -> tuple[Column, Column, Column]:
    return signed(name, comment), signed(f"{name}_ci_low", f"lower end of {name} over seeds"), signed(f"{name}_ci_high", "upper end")


SPEC = Table(
    layer="gold",
    name="inversion_verdict",
    comment="what Reproduce-by-Poking (scale-free, lambda 1) does to the rise of IS with psi beyond one factor for each input, over seeds",
    key=("dataset", "domain", "model", "explainer"),
    partition_by=("dataset",),
    columns=(
        DATASET,
        DOMAIN,
        MODEL,
        Column("explainer", "string", EXPLAINER.comment + "; all: mean over the methods that are no controls"),
        Column(
            "verdict",
            "string",
            "over all methods that are no controls; nothing_to_reduce where IS does not rise with psi; null for single methods",
            allowed=VERDICTS,
        ),
        Column("sentence", "string", "the verdict in plain words"),
        *_figure(
            "gain", "rise of IS with psi (mean over psi above 0) after Reproduce-by-Poking minus that after shrink; below 0 is better"
        ),
        *_figure("rise", "rise of IS with psi, as it is"),
        *_figure("rise_refined", "rise of IS with psi, after Reproduce-by-Poking"),
        *_figure("share_rise", "share of |a| on the slot at the largest psi minus that under the placebo, as it is"),
        *_figure(
            "share_fall", "share of |a| on the slot at the largest psi after Reproduce-by-Poking minus that as it is; below 0 is better"
        ),
        *_figure("score_gain", "IS of the untouched input after Reproduce-by-Poking minus that after shrink"),
        Column("min_detectable_gain", "double", "gain that would be found with 80 % power at this spread over seeds", low=0.0),
        signed("model_share_rise", "the same rise of the model's own sensitivity to the slot: what an exact explanation must show"),
        count("n_seeds", "models, trained from as many seeds, whose gain is known"),
        *TAIL,
    ),
)


def verdicts(summary: pd.DataFrame, level: float) -> list[dict[str, object]]:
    """One record per model and method of one world's gold.inversion_summary, and one over all methods that are no controls, which has the
    verdict."""
    found: list[dict[str, object]] = []
    for (domain, model), rows in summary.groupby(["domain", "model"], sort=True):
        n = int(rows["n"].max())
        by = {name: _by_seed(part) for name, part in rows.groupby("explainer", sort=True) if _is_refined(part)}
        methods = [figures for name, figures in by.items() if name not in CONTROLS]
        if methods:
            by[ALL] = _mean_of(methods)
        for name, figures in by.items():
            found.append({"domain": domain, "model": model, "explainer": name} | _record(figures, str(domain), level, n, name == ALL))
    return found


def of_domains(summary: pd.DataFrame, level: float) -> list[dict[str, object]]:
    """One record per domain: mean over its worlds and trained models, seed by seed. Formulas have nothing to learn, and no part in it."""
    found: list[dict[str, object]] = []
    judged = summary[(summary["model"] != "formula") & ~summary["explainer"].isin(CONTROLS)]
    for domain, rows in judged.groupby("domain", sort=True):
        worlds = [
            _mean_of([_by_seed(part) for _, part in mine.groupby("explainer", sort=True) if _is_refined(part)])
            for _, mine in rows.groupby(["dataset", "model"], sort=True)
        ]
        n = int(rows.groupby(["dataset", "model"])["n"].max().sum())
        found.append({"domain": domain, "model": ALL, "explainer": ALL} | _record(_mean_of(worlds), str(domain), level, n, judged=True))
    return found


def _mean_of(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Figures of several, seed by seed; a seed in which one lacks a figure has none."""
    return sum(parts[1:], parts[0]) / len(parts)


def _is_refined(rows: pd.DataFrame) -> bool:
    return bool((rows["refined"] == FORM).any())


def _by_seed(rows: pd.DataFrame) -> pd.DataFrame:
    """The figures of one method, one row per seed."""
    form = {
        "none": rows[rows["refined"] == "none"],
        FORM: rows[(rows["refined"] == FORM) & (rows["lam"] == LAM)],
        "shrink": rows[(rows["refined"] == "shrink") & (rows["lam"] == LAM)],
    }
    slot = {name: part[part["slot"] == "overwritten"] for name, part in form.items()}
    rises = {name: part[part["psi"] > 0].groupby("seed")["delta_inversion_score"].mean() for name, part in slot.items()}
    most = rows["psi"].max()
    share = {name: part[part["psi"] == most].groupby("seed")["spurious_share"].mean() for name, part in slot.items()}
    placebo = slot["none"][slot["none"]["psi"] == 0].groupby("seed")
    plain = slot["none"][slot["none"]["psi"] == most].groupby("seed")["model_sensitivity_share"].mean()
    score = {name: part[part["slot"] == "untouched"].groupby("seed")["inversion_score"].mean() for name, part in form.items()}
    return pd.DataFrame(
        {
            "gain": rises[FORM] - rises["shrink"],
            "rise": rises["none"],
            "rise_refined": rises[FORM],
            "share_rise": share["none"] - placebo["spurious_share"].mean(),
            "share_fall": share[FORM] - share["none"],
            "score_gain": score[FORM] - score["shrink"],
            "model_share_rise": plain - placebo["model_sensitivity_share"].mean(),
        }
    ).astype("float64")


def _record(figures: pd.DataFrame, domain: str, level: float, n: int, judged: bool) -> dict[str, object]:
    told: dict[str, object] = {}
    for name in FIGURES:
        values = figures[name].dropna().to_numpy(dtype=np.float64)
        told |= {name: float(values.mean()) if len(values) else None, f"{name}_ci_low": None, f"{name}_ci_high": None}
        if len(values) >= LEAST_SEEDS:
            ends = mean_interval(values, level)
            told |= {f"{name}_ci_low": ends.low, f"{name}_ci_high": ends.high}
    gains, share = figures["gain"].dropna().to_numpy(dtype=np.float64), figures["model_share_rise"].dropna()
    enough = len(gains) >= LEAST_SEEDS
    told["min_detectable_gain"] = _detectable(gains, level) if enough else None
    told["model_share_rise"] = float(share.mean()) if len(share) else None
    return told | {
        "verdict": _verdict(told) if enough and judged else None,
        "sentence": _sentence(told, domain, len(gains)),
        "n_seeds": len(gains),
        "n": n * len(gains),
        "reason": _reason(enough, judged),
    }


def _reason(enough: bool, judged: bool) -> str | None:
    if not enough:
        return f"an interval over seeds needs {LEAST_SEEDS} seeds in which the inversion score is known"
    return None if judged else SINGLE


def _detectable(gains: np.ndarray, level: float) -> float:
    degrees = len(gains) - 1
    needed = float(stdtrit(degrees, 0.5 + level / 2.0)) + float(stdtrit(degrees, POWER))
    return needed * float(gains.std(ddof=1)) / float(np.sqrt(len(gains)))


def _verdict(told: dict[str, object]) -> str:
    low, high, rise = _numbers(told, "gain_ci_low", "gain_ci_high", "rise_ci_low")
    if rise <= 0:
        return "nothing_to_reduce"
    return "reduces" if high < 0 else "increases" if low > 0 else "no_evidence"


def _sentence(told: dict[str, object], domain: str, n_seeds: int) -> str:
    if told["gain"] is None:
        return "No verdict: no example has an inversion score under the slot."
    (gain, rise) = _numbers(told, "gain", "rise")
    shares = "" if None in (told["share_rise"], told["share_fall"], told["model_share_rise"]) else _of_share(told, WORDS[domain])
    if told["gain_ci_low"] is None:
        plural = "" if n_seeds == 1 else "s"
        return f"No verdict from {n_seeds} seed{plural}: beyond shrinking, the rise of IS ({rise:+.4f}) changes by {gain:+.4f}.{shares}"
    low, high, least, most, detectable = _numbers(told, "gain_ci_low", "gain_ci_high", "rise_ci_low", "rise_ci_high", "min_detectable_gain")
    words = {
        "nothing_to_reduce": "IS does not rise with the slot's echo, so there is nothing that Reproduce-by-Poking could reduce",
        "reduces": "Reproduce-by-Poking reduces the rise of IS beyond what one factor for each input does",
        "increases": "Reproduce-by-Poking makes IS rise more than one factor for each input does",
        "no_evidence": "No evidence that Reproduce-by-Poking does more to the rise of IS than one factor for each input",
    }[_verdict(told)]
    spans = f"rise {rise:+.4f} ({least:+.4f} to {most:+.4f}), gain {gain:+.4f} ({low:+.4f} to {high:+.4f}) over {n_seeds} seeds"
    found = f"{words}: {spans}; a gain of {detectable:.4f} would most likely have been found."
    return f"{found}{_of_untouched(told)}{shares}"


def _of_untouched(told: dict[str, object]) -> str:
    if told["score_gain_ci_low"] is None:
        return ""
    gain, low, high = _numbers(told, "score_gain", "score_gain_ci_low", "score_gain_ci_high")
    return f" On untouched inputs it changes IS by {gain:+.4f} ({low:+.4f} to {high:+.4f}) beyond that factor."


def _of_share(told: dict[str, object], units: str) -> str:
    rise, fall, own = _numbers(told, "share_rise", "share_fall", "model_share_rise")
    return (
        f" The slot's share of the {units}' attribution moves by {rise:+.3f} with psi (the model's own sensitivity by {own:+.3f}), and by "
        f"{fall:+.3f} under Reproduce-by-Poking."
    )


def _numbers(told: dict[str, object], *names: str) -> Sequence[float]:
    return [float(told[name]) for name in names]  # type: ignore[arg-type]  # they are there: asked after their check
