"""Do explanations add anything over plain confidence? The rule of METHODS 4.2, fixed in the settings before the run."""

from __future__ import annotations

from dataclasses import dataclass

from gold.forecast.bootstrap import Estimated
from gold.forecast.settings import ForecastSettings, VerdictRule
from gold.forecast.spread import Spread

ADDS, NONE, HARMS, WEAK = "adds_value", "no_evidence", "harms", "underpowered"
VERDICTS = (ADDS, NONE, HARMS, WEAK)


@dataclass(frozen=True)
class Gains:
    """What explanation metrics bring beside confidence, all paired on the same rows: differences in AUROC of (confidence+xai) - confidence
    over all pairs of a fold, the same over pairs of one adapter, and of (confidence+xai) - (confidence+shuffled xai)."""

    pooled: Estimated
    within: Estimated
    over_control: Estimated


def verdict(gains: Gains, rule: VerdictRule) -> tuple[str | None, str | None]:
    """(verdict, None), or (None, why there is none).

    `adds_value`: the gain within adapter and the gain over the control both have lower ends above 0. `harms`: the upper end of the pooled
    gain lies below the rule's bound. `underpowered`: the least gain that this many rows could show is above the rule's. Else `no_evidence`.
    """
    parts = (gains.pooled, gains.within, gains.over_control)
    pooled, within, over_control = (_ends(gain) for gain in parts)
    if pooled is None or within is None or over_control is None:
        return None, next(gain.reason for gain in parts if _ends(gain) is None)
    if within.low > 0 and over_control.low > 0:
        return ADDS, None
    if pooled.high < rule.harms_below:
        return HARMS, None
    if rule.power_errors * pooled.standard_error > rule.detectable:
        return WEAK, None
    return NONE, None


def _ends(gain: Estimated) -> Spread | None:
    if gain.low is None or gain.high is None or gain.standard_error is None:
        return None
    return Spread(gain.standard_error, gain.low, gain.high)


def sentence(found: str | None, reason: str | None, gains: Gains, detectable: float | None, what: str, settings: ForecastSettings) -> str:
    """The verdict in plain words. `what`: what was held out, such as "new examples of adapters that are known"."""
    if found is None:
        return f"No verdict for {what}: {reason}."
    interval = f"{gains.pooled.value:+.3f} AUROC ({100 * settings.level:g} % interval {gains.pooled.low:+.3f} to {gains.pooled.high:+.3f})"
    words = {
        ADDS: f"Explanations add to plain confidence in forecasting failures of {what}: {interval}; the gain holds within adapters and "
        "against shuffled explanations.",
        HARMS: f"Explanations make the forecast of failures of {what} worse than plain confidence alone: {interval}.",
        WEAK: f"These data cannot tell whether explanations add to plain confidence for {what}: {interval}; a gain below "
        f"{detectable or 0:.3f} would not be seen, and {settings.verdict.detectable:g} is the most that may go unseen.",
        NONE: f"No evidence that explanations add to plain confidence in forecasting failures of {what}: {interval}; a gain of "
        f"{detectable or 0:.3f} would have been seen.",
    }
    return words[found]
