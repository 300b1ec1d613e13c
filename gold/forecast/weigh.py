"""Which verdict on explanations do the forecasts of one regime give? The record of gold.forecast_verdict."""

from __future__ import annotations

from gold.forecast.bootstrap import Bootstrap, Estimated
from gold.forecast.features import ATTRIBUTIONS, BASE, CONTROL, FULL
from gold.forecast.learners import LEARNERS
from gold.forecast.records import Record, left_out, name_of, shared
from gold.forecast.regimes import Regime
from gold.forecast.rows import Rows
from gold.forecast.run_regime import OutOfFold
from gold.forecast.settings import ForecastSettings
from gold.forecast.verdict import Gains, sentence, verdict
from lake.identity import canonical_json, settings_id

SPLIT = {"delta_attributions": (ATTRIBUTIONS, BASE), "delta_exemplars": (FULL, ATTRIBUTIONS)}


def gains_of(drawn: Bootstrap, model: str) -> Gains:
    """Of one learner."""
    full, base, control = (name_of((name, model)) for name in (FULL, BASE, CONTROL))
    return Gains(
        drawn.difference(full, base, "auroc"), drawn.difference(full, base, "auroc_within"), drawn.difference(full, control, "auroc")
    )


def weighed(rows: Rows, regime: Regime, forecasts: OutOfFold, drawn: Bootstrap, settings: ForecastSettings) -> Record:
    """By the headline learner, what the other one says beside it. `drawn` must hold auroc, auroc_within and aurc of the three sets."""
    model = forecasts.headline
    lacking = {name: forecasts.skipped[name] for name in (BASE, FULL) if name in forecasts.skipped}
    if model is None or lacking:
        return no_verdict(rows, regime, left_out(lacking) or "no training block holds both classes", settings)
    other = next(learner.name for learner in LEARNERS if learner.name != model)
    gains, others = gains_of(drawn, model), gains_of(drawn, other)
    found, reason = verdict(gains, settings.verdict)
    aurc = drawn.difference(name_of((FULL, model)), name_of((BASE, model)), "aurc")
    split = _split(forecasts, drawn, model)
    return _judged(rows, regime, settings) | {
        "model": model,
        "verdict": found,
        "sentence": sentence(found, reason, gains, _what(regime), settings) + (_said_of(split) if found is not None else ""),
        **_interval("delta_auroc", gains.pooled, "ci_low", "ci_high"),
        "min_detectable_delta": gains.detectable(settings.verdict),
        **_interval("delta_within_adapter", gains.within),
        **_interval("delta_over_control", gains.over_control),
        **_interval("delta_aurc", aurc),
        **{column: value for name, gain in split.items() for column, value in _interval(name, gain).items()},
        "auroc_confidence": drawn.estimate(name_of((BASE, model)), "auroc").value,
        "auroc_confidence_xai": drawn.estimate(name_of((FULL, model)), "auroc").value,
        "other_model": other,
        "other_verdict": verdict(others, settings.verdict)[0],
        "other_delta_auroc": others.pooled.value,
        "reason": reason,
    }


def _split(forecasts: OutOfFold, drawn: Bootstrap, model: str) -> dict[str, Estimated]:
    """What attributions bring beside confidence, and exemplars beside both; nulls where attributions are no set of their own."""
    if (ATTRIBUTIONS, model) not in forecasts.risks:
        return dict.fromkeys(SPLIT, Estimated())
    return {name: drawn.difference(name_of((more, model)), name_of((less, model)), "auroc") for name, (more, less) in SPLIT.items()}


def _said_of(split: dict[str, Estimated]) -> str:
    """The split in words, where it has intervals."""
    attributions, exemplars = (split[name] for name in SPLIT)
    if attributions.low is None or exemplars.low is None:
        return ""
    told = [f"{gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})" for gain in (attributions, exemplars)]
    return f" Of the whole, attributions beside confidence bring {told[0]}, and exemplars beside both {told[1]}."


def _interval(name: str, estimate: Estimated, low: str | None = None, high: str | None = None) -> Record:
    return {name: estimate.value, low or f"{name}_ci_low": estimate.low, high or f"{name}_ci_high": estimate.high}


def _judged(rows: Rows, regime: Regime, settings: ForecastSettings) -> Record:
    return shared(rows, regime) | {"rule": canonical_json(settings.verdict), "rule_sha256": settings_id(settings)}


def no_verdict(rows: Rows, regime: Regime, reason: str, settings: ForecastSettings) -> Record:
    """Nulls, and why."""
    empty = dict.fromkeys(
        ("model", "verdict", "delta_auroc", "ci_low", "ci_high", "min_detectable_delta", "auroc_confidence", "auroc_confidence_xai",
         "other_model", "other_verdict", "other_delta_auroc")
    )  # fmt: skip
    for name in ("delta_within_adapter", "delta_over_control", "delta_aurc", *SPLIT):
        empty |= dict.fromkeys((name, f"{name}_ci_low", f"{name}_ci_high"))
    return _judged(rows, regime, settings) | empty | {"sentence": f"No verdict for {_what(regime)}: {reason}.", "reason": reason}


def _what(regime: Regime) -> str:
    held = [name for name, is_held in (("adapters", regime.adapters), ("corruptions", regime.corruptions)) if is_held]
    if regime.leaky:
        return "rows drawn at random (leaky: their pictures were seen)"
    return f"new {' and '.join(['examples', *held])}" if held else "new examples"
