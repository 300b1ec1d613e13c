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

    def parts(self) -> tuple[tuple[str, Estimated], ...]:
        """Each with what it is called."""
        return ("overall", self.pooled), ("within adapters", self.within), ("over shuffled explanations", self.over_control)

    def detectable(self, rule: VerdictRule) -> float | None:
        """The least gain that the rule could find: it asks for every interval, so the widest decides. None where one is missing."""
        errors = [gain.standard_error for _, gain in self.parts()]
        known = [error for error in errors if error is not None]
        return rule.power_errors * max(known) if len(known) == len(errors) else None


def verdict(gains: Gains, rule: VerdictRule) -> tuple[str | None, str | None]:
    """(verdict, None), or (None, why there is none).

    `adds_value`: the gain within adapter and the gain over the control both have lower ends above 0. `harms`: the upper end of the pooled
    gain lies below the rule's bound. `underpowered`: the least gain that the rule could find in this many rows is above the rule's. Else
    `no_evidence`.
    """
    detectable = gains.detectable(rule)
    pooled, within, over_control = (_ends(gain) for _, gain in gains.parts())
    if detectable is None or pooled is None or within is None or over_control is None:
        return None, next(gain.reason for _, gain in gains.parts() if _ends(gain) is None)
    if within.low > 0 and over_control.low > 0:
        return ADDS, None
    if pooled.high < rule.harms_below:
        return HARMS, None
    return (WEAK if detectable > rule.detectable else NONE), None


def _ends(gain: Estimated) -> Spread | None:
    if gain.low is None or gain.high is None or gain.standard_error is None:
        return None
    return Spread(gain.standard_error, gain.low, gain.high)


def sentence(found: str | None, reason: str | None, gains: Gains, what: str, settings: ForecastSettings) -> str:
    """The verdict in plain words, with every interval that it rests on. `what`: what was held out, such as "new examples"."""
    if found is None:
        return f"No verdict for {what}: {reason}."
    told = [f"{gain.value:+.3f} {name} ({gain.low:+.3f} to {gain.high:+.3f})" for name, gain in gains.parts()]
    numbers = f"AUROC {', '.join(told[:-1])} and {told[-1]}, {100 * settings.level:g} % intervals"
    least = (
        f"{gains.detectable(settings.verdict) or 0.0:.4f}"  # one digit more than the rule's bound, which it may meet within its rounding
    )
    words = {
        ADDS: f"Explanations add to plain confidence in forecasting failures of {what}: {numbers}.",
        HARMS: f"Explanations make the forecast of failures of {what} worse than plain confidence alone: {numbers}.",
        WEAK: f"These data cannot tell whether explanations add to plain confidence for {what}: {numbers}. To be found here a gain must be "
        f"about {least}, and {settings.verdict.detectable:g} is the most that may go unseen.",
        NONE: f"No evidence that explanations add to plain confidence in forecasting failures of {what}: {numbers}. A gain of {least} "
        "in each would most likely have been found.",
    }
    return words[found]
