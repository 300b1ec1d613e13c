"""The rule of METHODS 4.2 as a table of cases."""

from __future__ import annotations

import pytest

from gold.forecast.bootstrap import Estimated
from gold.forecast.settings import ForecastSettings, VerdictRule
from gold.forecast.verdict import ADDS, HARMS, NONE, VERDICTS, WEAK, Gains, sentence, verdict

RULE = VerdictRule()
ABOVE, ACROSS, AT, BELOW = (0.01, 0.05), (-0.01, 0.05), (0.0, 0.05), (-0.05, -0.01)


def estimated(ends: tuple[float, float], error: float = 0.005) -> Estimated:
    return Estimated(sum(ends) / 2, *ends, error)


def gains(pooled: tuple[float, float], within: tuple[float, float], control: tuple[float, float], error: float = 0.005) -> Gains:
    return Gains(estimated(pooled), estimated(within, error), estimated(control))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (gains(ABOVE, ABOVE, ABOVE), ADDS),
        (gains(ACROSS, ABOVE, ABOVE), ADDS),  # the pooled gain decides nothing: adapters' rates blur it
        (gains(ABOVE, ACROSS, ABOVE), NONE),  # knows the adapter only
        (gains(ABOVE, ABOVE, ACROSS), NONE),  # shuffled explanations do as well
        (gains(ABOVE, AT, ABOVE), NONE),  # an end of 0 is not above 0
        (gains(ABOVE, ABOVE, AT), NONE),
        (gains(ABOVE, ABOVE, ABOVE, error=0.1), ADDS),  # found is found, whatever could have been missed
        (gains(BELOW, ACROSS, ACROSS), HARMS),
        (gains(BELOW, ACROSS, ACROSS, error=0.1), HARMS),
        (gains((-0.05, -0.005), ACROSS, ACROSS), NONE),  # an upper end at the bound is not below it
        (gains((-0.05, -0.0051), ACROSS, ACROSS), HARMS),
        (gains(BELOW, ABOVE, ABOVE), ADDS),  # the order of the rule: within adapters the gain is there
        (gains(ACROSS, ACROSS, ACROSS, error=0.0107), NONE),  # 2.8 x 0.0107 = 0.02996
        (gains(ACROSS, ACROSS, ACROSS, error=0.0108), WEAK),  # 0.03024
    ],
)
def test_the_rule(given: Gains, expected: str) -> None:
    assert verdict(given, RULE) == (expected, None)


@pytest.mark.parametrize("place", range(3))
def test_without_one_of_the_intervals_there_is_no_verdict_but_its_reason(place: int) -> None:
    parts = [estimated(ABOVE)] * 3
    parts[place] = Estimated(0.02, reason="7 adapters are held out in turn")
    assert verdict(Gains(*parts), RULE) == (None, "7 adapters are held out in turn")


@pytest.mark.parametrize("place", range(3))
def test_power_is_that_of_the_widest_of_the_three_gains(place: int) -> None:
    errors = [0.001] * 3
    errors[place] = 0.02
    given = Gains(*(estimated(ACROSS, error) for error in errors))
    assert given.detectable(RULE) == pytest.approx(0.056) and verdict(given, RULE) == (WEAK, None)


def test_the_bounds_come_from_the_settings() -> None:
    weak = gains(BELOW, ACROSS, ACROSS)  # 2.8 x 0.005 = 0.014
    assert verdict(weak, VerdictRule(harms_below=-0.02)) == (NONE, None)
    assert verdict(weak, VerdictRule(harms_below=-0.02, detectable=0.013)) == (WEAK, None)
    assert verdict(weak, VerdictRule(harms_below=-0.02, power_errors=7)) == (WEAK, None)  # 0.035


def test_each_verdict_has_a_sentence_with_every_interval_that_it_rests_on_at_the_level_that_was_asked() -> None:
    numbers = (
        "AUROC +0.110 overall (+0.090 to +0.130), +0.000 within adapters (-0.010 to +0.010) and -0.030 over shuffled explanations "
        "(-0.050 to -0.010), 90 % intervals."
    )
    given = gains((0.09, 0.13), (-0.01, 0.01), BELOW)
    for found, begins, ends in (
        (ADDS, "Explanations add to plain confidence in forecasting failures of new examples: ", ""),
        (HARMS, "Explanations make the forecast of failures of new examples worse than plain confidence alone: ", ""),
        (WEAK, "These data cannot tell whether explanations add to plain confidence for new examples: ",
         " To be found here a gain must be about 0.0140, and 0.03 is the most that may go unseen."),
        (NONE, "No evidence that explanations add to plain confidence in forecasting failures of new examples: ",
         " A gain of 0.0140 in each would most likely have been found."),
    ):  # fmt: skip
        assert sentence(found, None, given, "new examples", ForecastSettings(level=0.9)) == f"{begins}{numbers}{ends}"
    assert len(VERDICTS) == 4
    nothing = gains(ACROSS, ACROSS, ACROSS)
    assert sentence(None, "no adapter", nothing, "new examples", ForecastSettings()) == "No verdict for new examples: no adapter."
