"""What do the probe worlds of a lake say? Writes docs/inversion.md and its picture from gold.inversion_summary, _sweep and _verdict."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import inversion_words as words  # the rooms that these import are found from here
import pandas as pd
from docs_markdown import grid
from inversion_chart import Point, plane

from gold.inversion.settings import DOMAINS
from pipelines.sql.duck import connect
from xai.inversion.costs import IN_WORDS, Poking, forwards, naive

DOCUMENT = ROOT / "docs" / "inversion.md"
PICTURE = ROOT / "docs" / "inversion.svg"
COSTS = ("<!-- costs -->\n", "<!-- end of costs -->\n")
KNOWING_NOTHING = ("oracle", "output_echo", "random")
NO_METHODS = (*KNOWING_NOTHING, "lime_fresh")
FORM, LAM = "scale_free", 1.0
PLAIN = {
    "R": "reliance", "F": "faithfulness", "F mean": "faithfulness_mean", "F background": "faithfulness_background",
    "IS": "inversion_score", "R-oracle": "reliance_over_oracle", "R partial": "partial_reliance", "true units": "true_unit_share",
}  # fmt: skip
MEANS = ("reliance", "faithfulness", "inversion_score", "rbp_mean_delta", "rbp_mass_kept", "rbp_rejected")
OF_LAKE = f"""
SELECT dataset, method, {", ".join(f"AVG(metrics['{name}']) AS {name}" for name in MEANS)},
  COUNT(metrics['inversion_score']) AS n, COUNT(DISTINCT example_id) AS examples, COUNT(DISTINCT adapter_id) AS adapters
FROM silver.explanation_metrics_current WHERE metric_group = 'inversion' GROUP BY dataset, method
ORDER BY dataset, method IN ('random', 'output_echo'), method
"""  # noqa: S608  # names of our own metrics
EXAMPLE = Poking(units=16, visible=round(0.7 * 16 * 59))


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when page and picture were written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lake", required=True, metavar="DIR", help="lake with probe worlds")
    parser.add_argument("--own", metavar="DIR", help="lake whose own adapters were asked, where that is another one")
    options = parser.parse_args(arguments)
    summary, sweep, verdict = (_rows(options.lake, name) for name in ("inversion_summary", "inversion_sweep", "inversion_verdict"))
    DOCUMENT.write_text(page(summary, sweep, verdict, of_lake(options.own or options.lake)), encoding="utf-8")
    PICTURE.write_text(picture(summary), encoding="utf-8")
    return 0


def page(summary: pd.DataFrame, sweep: pd.DataFrame, verdict: pd.DataFrame, lake: str = "") -> str:
    """The whole document."""
    marks = sorted(set(zip(summary["dataset"], summary["settings_id"], strict=True)))
    stamps = ", ".join(f"{_name(name)} {mark}" for name, mark in marks)
    parts = [
        words.OPENING.format(n_seeds=summary["seed"].nunique(), stamps=stamps),
        lesson(summary),
        words.WORLDS,
        *(world(rows, verdict) for _, rows in summary.groupby(["dataset", "model"], sort=True)),
        words.TEMPTED + tempted(summary),
        words.VERDICTS + domains(verdict) + "\n" + verdicts(verdict),
        words.SWEPT + swept(sweep),
        *([words.LAKE + lake] if lake else []),
        costs(),
    ]
    return "\n".join(parts)


def lesson(summary: pd.DataFrame) -> str:
    """Why IS alone misleads: the exact formula, as a plane."""
    points = {point.name: point for point in _points(summary)}
    rows = [[point.name, *(f"{value:.3f}" for value in point[2:])] for point in points.values()]
    return words.LESSON.format(
        n=int(summary[summary["dataset"] == "world_product"]["n"].max()),
        table=grid(["explanation", "R", "F", "IS"], rows),
        exact=points["occlusion"].score,
        random=points["random"].score,
        lime=points["lime"].score,
        fresh=points["lime_fresh"].score,
    )


def picture(summary: pd.DataFrame) -> str:
    """The plane of the exact formula."""
    return plane("An exact explanation is not near IS = 0", "y = x1 sin(x2), the formula itself; arcs: equal IS (p = 2)", _points(summary))


def _points(summary: pd.DataFrame) -> list[Point]:
    mine = (summary["dataset"] == "world_product") & (summary["model"] == "formula")
    rows = summary[mine & (summary["slot"] == "untouched") & (summary["refined"] == "none")]
    means = rows.groupby("explainer")[["reliance", "faithfulness", "inversion_score"]].mean()
    kinds = {name: "control" if name in KNOWING_NOTHING else "method" for name in map(str, means.index)}
    return [Point(name, kinds[name], *(float(value) for value in means.loc[name].to_numpy())) for name in _ordered(kinds)]


def world(rows: pd.DataFrame, verdict: pd.DataFrame) -> str:
    """The table of one world and model."""
    untouched = rows[rows["slot"] == "untouched"]
    plain, poked, shrunk = (_form(untouched, form) for form in ("none", FORM, "shrink"))
    by, after, beside = (part.groupby("explainer").mean(numeric_only=True) for part in (plain, poked, shrunk))
    lines = [
        [
            method,
            *(_number(by.loc[method, column]) for column in PLAIN.values()),
            *(_number(column.get(method)) for column in (after["inversion_score"], beside["inversion_score"], after["mass_kept"])),
        ]
        for method in _ordered(map(str, by.index))
    ]  # fmt: skip
    first, score = rows.iloc[0], plain.drop_duplicates("seed")["model_score"]
    mine = (verdict["dataset"] == first["dataset"]) & (verdict["model"] == first["model"]) & (verdict["explainer"] == "all")
    return (
        f"### {_name(first['dataset'])}, {first['model']}\n\n{first['domain']}; {int(rows['n'].max())} examples a seed; score of the model "
        f"{score.min():.3f} to {score.max():.3f}.\n\n{grid(['explanation', *PLAIN, 'IS poked', 'IS shrunk', 'mass'], lines)}\n"
        + "".join(f"{sentence}\n" for sentence in verdict[mine]["sentence"])
    )


def tempted(summary: pd.DataFrame) -> str:
    """Share of the slot by psi, mean over methods and seeds."""
    rows = summary[(summary["slot"] == "overwritten") & ~summary["explainer"].isin(NO_METHODS)]
    psis = sorted(rows["psi"].unique())
    lines = []
    for (name, model), part in rows.groupby(["dataset", "model"], sort=True):
        plain, poked = _form(part, "none"), _form(part, FORM)
        shares = {"as it is": plain["spurious_share"], "poked": poked["spurious_share"], "model": plain["model_sensitivity_share"]}
        for title, values in shares.items():
            by = values.groupby(part["psi"]).mean()
            lines.append([_name(name), str(model), title, *(_number(by.get(psi)) for psi in psis)])
    return grid(["world", "model", "share of", *(f"psi {psi:g}" for psi in psis)], lines)


def domains(verdict: pd.DataFrame) -> str:
    """A sentence per domain."""
    rows = verdict[verdict["dataset"] == DOMAINS].sort_values("domain")
    return "".join(f"- **{domain}**: {sentence}\n" for domain, sentence in zip(rows["domain"], rows["sentence"], strict=True))


def verdicts(verdict: pd.DataFrame) -> str:
    """One line per world, model and method."""
    titles = [
        "world", "model", "explanation", "verdict", "rise of IS", "gain", "over seeds", "detectable", "slot's share rises by",
        "and moves, poked, by",
    ]  # fmt: skip
    lines = [
        [
            row["domain"] if row["dataset"] == DOMAINS else _name(row["dataset"]), row["model"], row["explainer"], row["verdict"] or "–",
            _signed(row["rise"]), _signed(row["gain"]), f"{_signed(row['gain_ci_low'])} to {_signed(row['gain_ci_high'])}",
            _number(row["min_detectable_gain"], ".4f"), _signed(row["share_rise"]), _signed(row["share_fall"]),
        ]
        for row in verdict.sort_values(["dataset", "model", "explainer"]).to_dict("records")
    ]  # fmt: skip
    return grid(titles, lines)


def swept(sweep: pd.DataFrame) -> str:
    """Occlusion's score by number and size of pokes."""
    rows = sweep[sweep["explainer"] == "occlusion"]
    if rows.empty:
        return "Nothing was swept.\n"
    counts = sorted(rows["n_pert"].unique())
    lines = []
    for (name, model, size), part in rows.groupby(["dataset", "model", "magnitude"], sort=True):
        by = part.set_index("n_pert")
        scores = (f"{_number(by.loc[count, 'inversion_score'])} ± {_number(by.loc[count, 'std'])}" for count in counts)
        lines.append([_name(name), str(model), f"{size:.0%}", *scores, f"{int(by['n'].max())}"])
    return grid(["world", "model", "size of a poke", *(f"{count} pokes" for count in counts), "n"], lines)


def of_lake(lake: str) -> str:
    """What the lake's own adapters say, one line per dataset and method; empty where none was asked."""
    connection, _ = connect(lake, {"silver.explanation_metrics_current"})
    with connection:
        found = connection.sql(OF_LAKE).df()
    counts = ("n", "examples", "adapters")
    titles = ["dataset", "method", "R", "F", "IS", "delta", "mass", "pokes rejected", *counts]
    lines = [
        [row["dataset"], row["method"], *(_number(row[name]) for name in MEANS), *(f"{int(row[name])}" for name in counts)]
        for row in found.to_dict("records")
    ]
    return grid(titles, lines) if lines else ""


def costs() -> str:
    """What each method costs: the formula, and one example of it, between marks that a test finds."""
    at = EXAMPLE
    looped = {name: f"{naive(name, at):,}" for name in ("occlusion", "lime", "kernel_shap")}
    lines = [[name, told, f"{forwards(name, at):,}", looped.get(name, "–")] for name, told in IN_WORDS.items()]
    titles = ["method", "forwards per example beside the intact ones", f"N = {at.units}", "explained anew at every poke"]
    told = words.COSTS.format(**{name: getattr(at, name) for name in ("inputs", "repeats", "masks", "visible", "steps")})
    return COSTS[0] + told + grid(titles, lines) + COSTS[1]


def _form(rows: pd.DataFrame, form: str) -> pd.DataFrame:
    return rows[(rows["refined"] == form) & rows["lam"].isin([0.0, LAM])]


def _ordered(names: Iterable[str]) -> list[str]:
    """Methods by name, then controls."""
    return sorted(names, key=lambda name: (name in KNOWING_NOTHING, name))


def _name(dataset: object) -> str:
    return str(dataset).removeprefix("world_")


def _number(value: Any, form: str = ".3f") -> str:
    return "–" if value is None or not math.isfinite(value) else format(float(value), form)


def _signed(value: Any) -> str:
    return _number(value, "+.4f")


def _rows(lake: str, name: str) -> pd.DataFrame:
    from deltalake import DeltaTable

    frame: pd.DataFrame = DeltaTable(str(Path(lake) / "gold" / name)).to_pandas()
    return frame


if __name__ == "__main__":
    sys.exit(main())
