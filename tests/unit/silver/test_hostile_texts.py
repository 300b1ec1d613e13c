"""Do texts that are hardly texts go from words through masks and fits to a prior that a training accepts? Their scorer reads anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from models.text_recipe import PriorRecipe
from models.text_training_data import TextTrainingSet
from silver.priors.extract import answered
from silver.priors.jobs import SOURCES
from silver.priors.material import training_priors
from silver.priors.settings import PriorSettings
from silver.priors.words import words_of

HOSTILE = {
    "one word": "cash",
    "punctuation": "?! ... \u2014",
    "emoji": "\U0001f44d\U0001f3fd \U0001f469\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f",
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202b\u0639\u0644\u064a\u0643\u0645\u202c",
    "10,000 words": " ".join(f"word{place % 7}" for place in range(10_000)),
}
N = 20


class ByFirstWord:
    """p of the label is 0.8 where the first word is shown, else 0.2: what a fit should find. Reads any text."""

    labels: tuple[str, ...] = ("card",)
    settings: Mapping[str, Any] = {}

    def probabilities(self, texts: Sequence[Sequence[str]], true_labels: Sequence[str], keep: Sequence[np.ndarray]) -> np.ndarray:
        assert [mask.shape[1] for mask in keep] == [len(words) for words in texts]
        return np.stack([np.where(mask[:, 0], 0.8, 0.2) for mask in keep])


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_with_a_word_has_a_number_per_word_and_a_prior_of_length_one(name: str) -> None:
    words = words_of(HOSTILE[name])
    rows: list[dict[str, Any]] = []
    for template, sources in SOURCES.items():
        found = answered(ByFirstWord(), words, "card", np.random.default_rng(0), template, PriorSettings(), N)
        assert found.whole_p == 0.8
        for source in sources:
            values = found.estimates[source].single().values[0]
            assert values.shape == (len(words),) and np.isfinite(values).all(), source
            assert len(words) in (1, 10_000) or values.argmax() == 0, source
            rows.append({"example_id": "a", "source": source, "target_id": 0, "values": values.tolist(), "words": list(words)})
    examples = TextTrainingSet((HOSTILE[name],), np.array([0]), ("a",))
    for sources in (("cap",), ("cap", "lime", "shap")):
        made = training_priors(rows, examples, PriorRecipe(sources=sources), 0)
        (prior,) = examples.with_priors(made).priors or ()  # checked there: length, finite, 0 or more, norm 1 in float32
        assert prior is not None and prior.shape == (len(words),)
