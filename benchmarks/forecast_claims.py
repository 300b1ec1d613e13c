"""How often does the verdict on explanations claim what is not so, or miss what is? Counted over planted worlds, one seed after another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.forecast_planted import CONFIDENT, EXPLAINED, IDENTITY, KNOWN, LEAKED, NOTHING, Planted, frame
from benchmarks.row import Row
from gold.forecast.bootstrap import bootstrap
from gold.forecast.features import BASE, BY_NAME, CONTROL, FULL
from gold.forecast.figures import Scored
from gold.forecast.forecaster import Origin
from gold.forecast.foretell import foretell
from gold.forecast.learners import LEARNERS, Learner
from gold.forecast.records import name_of
from gold.forecast.regimes import REGIMES, Regime
from gold.forecast.rows import Rows, rows_of
from gold.forecast.run_regime import out_of_fold
from gold.forecast.settings import BoostedSettings, ForecastSettings
from gold.forecast.verdict import ADDS, HARMS
from gold.forecast.weigh import gains_of, weighed
from lake.identity import rng

SETS = (BASE, "xai", FULL, CONTROL)
WANTED = ("auroc", "auroc_within", "aurc")  # what the verdict reads
REGIME_OF = {regime.name: regime for regime in REGIMES}


MOST_FALSE, LEAST_FOUND = 6, 95  # of 100 seeds
SIGNATURES = 30  # metrics that tell every example from the others
HELD_OUT = "leave_adapter_out"
# World, regime, seeds.
ASKED = (
    (NOTHING, "grouped", 100), (IDENTITY, "grouped", 100), (CONFIDENT, "grouped", 100), (EXPLAINED, "grouped", 100),
    (LEAKED, "grouped", 100), (LEAKED, "ki", 20), (NOTHING, HELD_OUT, 40), (IDENTITY, HELD_OUT, 40), (EXPLAINED, HELD_OUT, 20),
)  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """Of one planted set: 6,000 rows."""

    n_examples: int = 200
    n_adapters: int = 10
    n_cells: int = 3
    n_xai: int = 8


@dataclass
class Claims:
    """`verdicts`: of the headline learner, over seeds; `others`: of the other one. `gains`, `within`: in AUROC, pooled and within adapter.
    `aurocs`: pooled, of `xai` by the headline learner; `held`: seeds whose interval of it holds 0.5."""

    verdicts: Counter[str | None] = field(default_factory=Counter)
    others: Counter[str | None] = field(default_factory=Counter)
    gains: list[float] = field(default_factory=list)
    within: list[float] = field(default_factory=list)
    aurocs: list[float] = field(default_factory=list)
    held: int = 0


def claims(
    world: Planted,
    regime: Regime,
    seeds: range,
    settings: ForecastSettings,
    scale: Scale | None = None,
    learners: tuple[Learner, ...] = LEARNERS,
) -> Claims:
    """The verdict of each seed's own rows, folds and draws."""
    found, size = Claims(), scale or Scale()
    for seed in seeds:
        given = frame(world, rng(seed, "", "planted", world.name), size.n_examples, size.n_adapters, size.n_cells, size.n_xai)
        mine = settings.model_copy(update={"seed": seed})
        _note(found, rows_of(given, mine), regime, mine, learners)
    return found


def _note(found: Claims, rows: Rows, regime: Regime, settings: ForecastSettings, learners: tuple[Learner, ...]) -> None:
    forecasts = out_of_fold(rows, regime, settings, tuple(BY_NAME[name] for name in SETS), learners)
    scored = {
        name_of(key): Scored(np.clip(risk, 0.0, 1.0), rows.failed, forecasts.folds, rows.adapters, is_probability=True)
        for key, risk in forecasts.risks.items()
    }
    generator = rng(settings.seed, "", "planted", "draws")
    drawn = bootstrap(
        scored, rows.examples, settings.resamples, settings.level, generator, regime.adapters, WANTED, settings.training_variance
    )
    record = weighed(rows, regime, forecasts, drawn, settings)
    explained = drawn.estimate(name_of(("xai", str(forecasts.headline))), "auroc")
    found.verdicts[_text(record["verdict"])] += 1
    found.others[_text(record["other_verdict"])] += 1
    gains = gains_of(drawn, str(forecasts.headline))
    found.gains.append(gains.pooled.value or 0.0)
    found.within.append(gains.within.value or 0.0)
    found.aurocs.append(explained.value or 0.0)
    found.held += (explained.low or 0.0) <= 0.5 <= (explained.high or 0.0)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def measure(folder: Path, quick: bool) -> list[Row]:
    """Shares of seeds with a false claim, or with the right one. Nothing is kept in `folder`."""
    settings = ForecastSettings(resamples=20 if quick else 200)
    scale = Scale(40, 8, 2, 4) if quick else Scale()
    rows = []
    for world, name, seeds in ASKED:
        asked = range(2 if quick else seeds)
        size = replace(scale, n_xai=SIGNATURES) if world.signature else scale
        rows.append(row_of(world, name, len(asked), claims(world, REGIME_OF[name], asked, settings, size)))
    return [*rows, row_of_arrivals(arrivals(range(2 if quick else 400), 20 if quick else 60))]


@dataclass(frozen=True)
class Arrivals:
    """New adapters whose failure rate the interval of 95 % held, and that exceeded the bound of 90 %, of `n`."""

    held: int
    exceeded: int
    n: int


def arrivals(seeds: range, n_examples: int, n_adapters: int = 13, n_xai: int = 8) -> Arrivals:
    """One adapter of each seed's world, drawn, comes after the others were tried on the same examples."""
    settings, held, exceeded = ForecastSettings(boosted=BoostedSettings(trees=60, patience=10)), 0, 0
    for seed in seeds:
        generator = rng(seed, "", "planted", "arrival")
        rows = frame(KNOWN, generator, n_examples, n_adapters, 1, n_xai)
        # Names of their own, as content hashes are: which half an example is in is fixed by its name.
        rows["example_id"] = rows["example_id"] + f"-{seed}"
        is_new = rows["adapter_id"] == generator.choice(sorted(set(rows["adapter_id"])))
        known, new = rows_of(rows[~is_new], settings), rows[is_new].sort_values("example_id")
        forecaster = foretell(known, settings, Origin("planted", {}, {})).forecaster
        if forecaster is None:
            raise RuntimeError("no forecaster of a planted world")
        scorer, (cell,) = forecaster.scorer(), known.cell_names
        x = new[list(forecaster.spec.columns)].to_numpy(dtype=np.float64)
        forecast, truth = float(scorer.risk(x, cell, scorer.parts_of(new["example_id"])).mean()), float((~new["is_correct"]).mean())
        spread = forecaster.spread(cell)
        low, high, _ = spread.interval(forecast, settings.level)
        held += low is not None and high is not None and low <= truth <= high
        exceeded += truth > (spread.conformal(forecast, settings.bound_level) or 0.0)
    return Arrivals(held, exceeded, len(seeds))


def row_of_arrivals(found: Arrivals) -> Row:
    """Coverage of what `assay forecast` prints."""
    share = 100 * found.held / found.n
    return Row(
        what=f"95 % interval of a new adapter's failure rate: {KNOWN.meaning}",
        figure="new adapters whose rate it holds",
        value=round(share, 1),
        unit="%",
        aim="93 to 97",
        met=93.0 <= share <= 97.0,
        details={"adapters": found.n, "exceeding_the_bound_of_90": round(100 * found.exceeded / found.n, 1)},
    )


def row_of(world: Planted, regime: str, seeds: int, found: Claims) -> Row:
    """Where explanations know something, or seem to because of a leak, the share that says so; elsewhere the larger share of the claims
    `adds_value` and `harms` that are false: with confidence alone explanations are noise that costs, and `harms` is true."""
    adds, harms = (100 * found.verdicts[name] / seeds for name in (ADDS, HARMS))
    is_right = world.xai > 0 or (world.signature and regime == "ki")
    value = adds if is_right else adds if world.confidence > 0 else max(adds, harms)
    met = value >= LEAST_FOUND if is_right else value <= MOST_FALSE
    return Row(
        what=f"verdict in a planted world, {regime}: {world.meaning}",
        figure="seeds whose verdict is adds_value" if is_right else "seeds with a false claim",
        value=round(value, 1),
        unit="%",
        aim=f"≥ {LEAST_FOUND}" if is_right else f"≤ {MOST_FALSE}",
        met=met,
        details={
            "seeds": seeds,
            "verdicts": ", ".join(f"{name} {n}" for name, n in sorted(found.verdicts.items(), key=str)),
            "verdicts_of_the_other_learner": ", ".join(f"{name} {n}" for name, n in sorted(found.others.items(), key=str)),
            "mean_gain": round(float(np.mean(found.gains)), 4),
            "mean_gain_within_adapter": round(float(np.mean(found.within)), 4),
            "mean_auroc_of_xai": round(float(np.mean(found.aurocs)), 3),
            "intervals_of_it_that_hold_one_half": round(100 * found.held / seeds, 1),
        },
    )
