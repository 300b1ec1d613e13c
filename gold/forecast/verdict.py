"""Do explanations add anything over plain confidence? The rule of METHODS 4.2, fixed in the settings before the run."""

from __future__ import annotations

from dataclasses import dataclass

from gold.forecast.bootstrap import Estimated
from gold.forecast.settings import ForecastSettings, VerdictRule

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
    for gain in (gains.pooled, gains.within, gains.over_control):
        if gain.low is None or gain.high is None or gain.standard_error is None:
            return None, gain.reason
    if gains.within.low > 0 and gains.over_control.low > 0:  # type: ignore[operator]  # none is None here
        return ADDS, None
    if gains.pooled.high < rule.harms_below:  # type: ignore[operator]  # nor here
        return HARMS, None
    if rule.power_errors * gains.pooled.standard_error > rule.detectable:  # type: ignore[operator]  # nor here
        return WEAK, None
    return NONE, None


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
