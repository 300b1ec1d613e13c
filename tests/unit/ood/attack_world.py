"""Small keyword tables and awkward texts that the tests of attacks share."""

from __future__ import annotations

import numpy as np

from ood.attacks import Attack, Attacked
from ood.attacks.record import Preserves
from ood.keywords import ClassKeywords, Keywords, KeywordSettings

SEED = 20_260


def of_class(label: str, words: str, confusable: str | None) -> ClassKeywords:
    found = tuple(words.split())
    scores = tuple(float(len(found) - at) for at in range(len(found)))
    return ClassKeywords(label=label, words=found, scores=scores, confusable=confusable, reason="confusions")


KEYWORDS = Keywords(
    settings=KeywordSettings(),
    classes=(
        of_class("set", "set alarm wake hour early morning", "cancel"),
        of_class("cancel", "cancel alarm remove drop off", "set"),
        of_class("silent", "", "set"),
    ),
    neutral=("the", "and", "it"),
)

# label "set"; every one holds its keywords, but the last five
TEXTS = (
    "set an alarm",
    "  Set\tan  (early)  ALARM, for 7!\n",
    "wake me at the hour of morning, set the alarm early",
    "set set set",
    "🎵 alarm 👩‍👩‍👧 set 🇫🇷!",
    "הגדר set alarm שעון מעורר",
    "a\u0301larm\u200b set cafe\u0301 naïve",
    "alarm",
    "Alarm?!",
    "great straße ﬁn",
    "…",
    "?!… -- !!",
    "שלום עולם",
    "👍🏽",
)
WITHOUT_WORDS = ("", " \t\n")


def generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([SEED, *key])))


def made(record: Attack, text: str, severity: int, key: int = 0, preserves: Preserves | None = None) -> Attacked:
    """The attack on a text of label "set"."""
    return record.function(text, "set", severity, generator(key), KEYWORDS, preserves)
