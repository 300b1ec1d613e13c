"""What do R, F and IS say in one probe world, for one model and seed? Records of its tables, without Spark and without files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gold.inversion.explain import FRESH, Masked, Said, direct, effects, fresh_lime, masked
from gold.inversion.pokes import OVERWRITTEN, UNTOUCHED, Poked, poked
from gold.inversion.settings import InversionSettings
from gold.inversion.worlds.world import Setup, World
from gold.statistics.intervals import mean_interval
from xai.inversion import AS_IT_IS, Form, Inversion, Inverted, Pokes, Refined, inverted, movement
from xai.metrics import faithfulness, inversion_score, reliance

Record = dict[str, object]
SWEPT = Form("scale_free", 1.0, True)


@dataclass
class Records:
    """Rows for gold.inversion_summary and gold.inversion_sweep, without the dataset's name. `forwards`: distinct questions asked under
    masks."""

    summary: list[Record] = field(default_factory=list)
    sweep: list[Record] = field(default_factory=list)
    forwards: int = 0


def judge(world: World, model: str, seed: int, settings: InversionSettings) -> Records:
    """Trains the model, explains it under every psi, and refines every explanation."""
    n = getattr(settings.examples, world.domain)
    setup = world.make(model, seed, n, settings)
    conditions = ((UNTOUCHED, 0.0), *((OVERWRITTEN, psi) for psi in settings.psi))
    asked = poked(world.name, seed, setup, settings, conditions, settings.repeats, settings.magnitude)
    found = masked(asked, settings)
    base = {"domain": world.domain, "model": model, "seed": seed}
    records = Records(forwards=found.forwards)
    references = {"mean": setup.mean[None], "background": setup.background}
    others = {name: effects(asked, reference) for name, reference in references.items()}
    told = dict(_told(world, asked, found, settings))
    oracle = _oracle(asked, told)
    for explainer, said in told.items():
        answer = _inverted(said, found, asked, settings)
        for key in _forms(said, answer):
            records.summary += [
                base | {"explainer": explainer} | one for one in _conditions(asked, answer, key, found, others, oracle, settings)
            ]
    if settings.sweep_examples and settings.sweep_repeats:
        records.sweep = [base | one for one in _sweep(world.name, seed, setup, settings)]
    return records


def _told(world: World, asked: Poked, found: Masked, settings: InversionSettings) -> Iterator[tuple[str, Said]]:
    yield from found.said.items()
    yield from direct(asked, settings)
    if world.domain == "tabular":
        yield FRESH, fresh_lime(asked, settings)


def _inverted(said: Said, found: Masked, asked: Poked, settings: InversionSettings) -> Inverted:
    """Partial reliance holds the movement of the units' true effects on this model fixed: what hiding each of them alone does."""
    own = said.own if said.own is not None else np.repeat(said.given[..., None], asked.intact.kept.shape[-1], axis=-1)
    pokes = Pokes(asked.intact.given, found.effect, asked.intact.kept, found.marginals)
    return inverted(said.given, own, pokes, asked.included, found.said["occlusion"].given, p=settings.p)


def _forms(said: Said, answer: Inverted) -> list[tuple[str, float]]:
    """Of a method that was not asked about pokes of one unit there is no refinement."""
    return list(answer.by) if said.own is not None else [(AS_IT_IS, 0.0)]


def _conditions(
    asked: Poked,
    answer: Inverted,
    key: tuple[str, float],
    found: Masked,
    others: Mapping[str, NDArray[np.float64]],
    oracle: NDArray[np.float64],
    settings: InversionSettings,
) -> Iterator[Record]:
    """One record per condition: means over examples where a figure is known, and how many there were."""
    form, lam = key
    figures, setup = answer.by[key], asked.setup
    shares = _shares(figures.attribution, asked)
    true = None if setup.true_units is None else np.tile(setup.true_units, (len(asked.conditions), 1))
    n = len(setup.inputs)
    base = asked.conditions.index((OVERWRITTEN, 0.0)) * n
    refined = answer.refined.get(key)
    for place, (kind, psi) in enumerate(asked.conditions):
        mine, placebo = slice(place * n, (place + 1) * n), slice(base, base + n)
        delta = figures.inversion_score[mine] - figures.inversion_score[placebo]
        effect = found.effect[mine]
        yield {
            "slot": kind, "psi": psi, "refined": form, "lam": lam, "p": settings.p,
            **_scores(figures, mine, settings.level),
            "delta_inversion_score": None if kind == UNTOUCHED else _mean(delta),
            "reliance_over_oracle": _mean(figures.reliance[mine] - oracle[mine]),
            **{f"faithfulness_{name}": _mean(_faithful(figures, one, asked, mine)) for name, one in others.items()},
            "spurious_share": _mean(shares[mine, setup.slot]),
            "true_unit_share": None if true is None else _mean(np.minimum(np.where(true[mine], shares[mine], 0.0).sum(axis=1), 1.0)),
            "model_sensitivity": _mean(effect[:, setup.slot]),
            "model_sensitivity_share": _mean(_ratio(effect[:, setup.slot], effect.sum(axis=1))),
            **_of_refining(refined, mine),
            "model_score": setup.score,
            "n": n,
        }  # fmt: skip


def _scores(figures: Inversion, mine: slice, level: float) -> Record:
    """R, F and IS with intervals over examples, and how many examples have each."""
    r, f, score, partial = (
        one[mine] for one in (figures.reliance, figures.faithfulness, figures.inversion_score, figures.partial_reliance)
    )
    return {
        **_with_ends("reliance", r, level),
        **_with_ends("faithfulness", f, level),
        **_with_ends("inversion_score", score, level),
        "inversion_score_p1": _mean(inversion_score(r, f, 1.0)),
        "partial_reliance": _mean(partial),
        "n_reliance": _known(r),
        "n_faithfulness": _known(f),
        "n_partial": _known(partial),
        "n_null": len(score) - _known(score),
    }


def _of_refining(refined: Refined | None, mine: slice) -> Record:
    """What a refinement did to the examples' own attributions; null for what is none of Reproduce-by-Poking's or the stability's."""
    names = {"mean_delta": "mean_delta", "mass_kept": "mass_kept", "rejected_pokes": "rejected"}
    return {name: None if refined is None else _mean(getattr(refined, source)[mine]) for name, source in names.items()}


def _shares(attribution: NDArray[np.float64], asked: Poked) -> NDArray[np.float64]:
    """|a| over its sum [batch, units]; NaN for an all-zero attribution."""
    sizes = np.abs(np.where(asked.included, attribution, 0.0))
    total = sizes.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(sizes, total, out=np.full(sizes.shape, np.nan), where=total > 0))


def _faithful(figures: Inversion, effect: NDArray[np.float64], asked: Poked, mine: slice) -> NDArray[np.float64]:
    return np.asarray(faithfulness(figures.attribution[mine], effect[mine], asked.included[mine]))


def _oracle(asked: Poked, told: Mapping[str, Said]) -> NDArray[np.float64]:
    """R of the truth's own attribution; NaN where the truth is not known."""
    if "oracle" not in told:
        return np.full(len(asked.inputs), np.nan)
    given, m = told["oracle"].given, asked.intact.given
    return np.asarray(reliance(movement(given[:, 0], given[:, 1:], asked.included), m[:, 0], m[:, 1:]))


def _sweep(name: str, seed: int, setup: Setup, settings: InversionSettings) -> Iterator[Record]:
    """IS of the scale-free form at lambda 1 under more pokes and other magnitudes, on the first untouched examples."""
    n = min(settings.sweep_examples, len(setup.inputs))
    few = _first(setup, n)
    for magnitude in settings.sweep_magnitudes:
        asked = poked(name, seed, few, settings, ((UNTOUCHED, 0.0),), max(settings.sweep_repeats), magnitude)
        found = masked(asked, settings)
        told = {**found.said, **dict(direct(asked, settings))}
        for explainer, said in told.items():
            for repeats in settings.sweep_repeats:
                part = Pokes(asked.intact.given, found.effect, asked.intact.kept[..., :repeats])
                own = np.asarray(said.own)[..., :repeats]
                answer = inverted(said.given, own, part, asked.included, forms=(SWEPT,), p=settings.p)
                scores = answer.by[SWEPT.name, SWEPT.strength].inversion_score
                yield {"explainer": explainer, "n_pert": repeats, "magnitude": magnitude, "scores": scores.tolist()}


def _first(setup: Setup, n: int) -> Setup:
    true = None if setup.true_units is None else setup.true_units[:n]
    return replace(setup, inputs=setup.inputs[:n], included=setup.included[:n], true_units=true)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.minimum(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0), 1.0))


def _with_ends(name: str, values: NDArray[np.float64], level: float) -> Record:
    """A mean over the examples that have the figure, and the ends of its Student's t interval over them, held inside [0, 1]."""
    known = values[np.isfinite(values)]
    ends = mean_interval(known, level)
    low, high = (None if end is None else min(max(end, 0.0), 1.0) for end in (ends.low, ends.high))
    return {name: _mean(values), f"{name}_ci_low": low, f"{name}_ci_high": high}


def _known(values: NDArray[np.float64]) -> int:
    return int(np.isfinite(values).sum())


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.clip(known.mean(), known.min(), known.max())) if len(known) else None  # a mean rounds beyond its values
