"""Is the noise keyed by the record alone, and does every input that cannot be asked give a row that says why?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.any_scoring import Flat
from models.pokes import Noise, PokedFlat
from models.scored_adapter import ScoredAdapter
from models.scoring import Scoring
from models.text_scoring import TextScoring
from models.texts import Texts
from silver.explainers import block_of, explained
from silver.inversion.answers import BY_MASKS
from silver.inversion.forwards import forwards_per_example
from silver.inversion.pokes import Pokes
from silver.inversion.settings import PokingSettings
from silver.settings import COMPUTED
from tests.unit.silver.inversion_rows import CONTROLS, SETTINGS, asked, batch, inverted_rows, picture_scoring, pictures, settings_of, stored
from tests.unit.silver.text_rows import TEXTS

METHODS = ("attention", "occlusion", "ig")
NAMES = (*METHODS, *CONTROLS)
Seeing = tuple[Scoring, tuple[ScoredAdapter, ...]]


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Seeing:
    return picture_scoring(tmp_path_factory.mktemp("pictures"))


@dataclass(frozen=True)
class Wavering(TextScoring):
    """A model with a random step left in: no two forwards agree."""

    times: list[int] = field(default_factory=list, compare=False)

    def logits(self, adapter: ScoredAdapter, texts: Texts) -> NDArray[np.float32]:
        self.times.append(len(texts))
        return super().logits(adapter, texts) + np.float32(0.25 * len(self.times))


@dataclass(frozen=True)
class Counting(TextScoring):
    """The real scoring, which counts what its values are asked about, and can answer NaN under the masks of a method."""

    asked: Counter[str] = field(default_factory=Counter, compare=False)
    broken: bool = field(default=False, compare=False)

    def value(self, adapter: ScoredAdapter, inputs: Texts, targets: NDArray[np.int64], baseline: str) -> Flat:
        flat = super().value(adapter, inputs, targets, baseline)

        def counted(rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
            self.asked["effects"] += len(rows)
            return flat(rows, keep)

        return counted

    def poked_value(
        self, adapter: ScoredAdapter, inputs: Texts, targets: NDArray[np.int64], baseline: str, noise: Noise, magnitude: float
    ) -> PokedFlat:
        flat = super().poked_value(adapter, inputs, targets, baseline, noise, magnitude)

        def counted(rows: NDArray[np.int64], pokes: NDArray[np.int64], keep: NDArray[np.bool_]) -> NDArray[np.float32]:
            self.asked["itself"] += int((pokes < 0).sum())
            self.asked["pokes"] += int((pokes >= 0).sum())
            return np.full(len(rows), np.nan, dtype=np.float32) if self.broken else flat(rows, pokes, keep)

        return counted


def like(kind: type[TextScoring], scoring: TextScoring, **more: Any) -> Any:
    return kind(scoring.backbone, scoring.dtype, scoring.batch_size, scoring.buckets, **more)


def test_a_row_has_the_same_bits_in_any_batch_order_and_company(scoring, adapters, seeing) -> None:
    for one, mine, contents, methods in ((scoring, adapters, TEXTS, METHODS), (*seeing, pictures(), ("attention",))):
        names = (*methods, *CONTROLS)
        entries, n = stored(one, mine, contents, methods), len(names) * len(mine)
        together = inverted_rows(one, mine, [batch(one, contents, entries, n)], names, asked(one, methods))
        order = (2, 0, 1)
        apart = [batch(one, (contents[row],), [entries[row]], n, (f"t{row}",)) for row in order]
        assert inverted_rows(one, mine, apart, names, asked(one, methods)) == together
        assert len(together) == len(contents) * n and all(row["error_code"] is None for row in together.values())


def test_adapters_of_one_function_have_the_same_rows_for_the_noise_is_paired(scoring, adapters, seeing) -> None:
    for one, mine, contents, methods in ((scoring, adapters, TEXTS[1:2], METHODS), (*seeing, pictures(1), ("attention",))):
        names = (*methods, *CONTROLS)
        entries = stored(one, mine, contents, methods)
        rows = inverted_rows(one, mine, [batch(one, contents, entries, len(names) * len(mine))], names, asked(one, methods))
        for name in names:  # a and b are one file in two label orders
            first, second = (dict(rows["t0", adapter, name]["metrics"]) for adapter in ("a", "b"))
            assert first == pytest.approx(second, rel=1e-9), name  # p is summed in another order of the labels


def test_noise_is_keyed_by_seed_example_unit_and_number_and_each_poke_touches_its_own(scoring) -> None:
    texts = scoring.prepare(TEXTS[:2])

    def pokes(row: int, name: str, seed: int = 0) -> Pokes:
        one = texts[[row]]
        return Pokes(scoring, one, name, one.included, PokingSettings(pokes=2, repeats=2, seed=seed))

    mine = pokes(1, "t1")
    assert len(mine) == 2 + 2 * 7 == len(mine.touched)
    assert [mine.key(poke) for poke in (0, 1, 2, 3, 4, 15)] == [("all", 0), ("all", 1), (0, 0), (0, 1), (1, 0), (6, 1)]
    everything = mine.noise(np.zeros(16, dtype=np.int64), np.arange(16))
    word_of = texts.word_of[1]
    for poke, touched in enumerate(mine.touched):
        hit = (everything[poke] != 0).any(axis=1)
        assert set(np.flatnonzero(touched).tolist()) == set(word_of[hit].tolist())
    assert len({part.tobytes() for part in everything}) == 16  # none drawn twice
    again, other, reseeded = pokes(1, "t1"), pokes(1, "t2"), pokes(1, "t1", seed=1)
    some = np.array([1, 9])
    assert np.array_equal(again.noise(0 * some, some), everything[some])
    for changed in (other, reseeded):
        assert not np.array_equal(changed.noise(0 * some, some), everything[some])


def test_a_text_of_one_word_has_no_faithfulness_and_the_rest(scoring, adapters) -> None:
    entries = stored(scoring, adapters[:1], TEXTS[:1], METHODS)
    rows = inverted_rows(scoring, adapters[:1], [batch(scoring, TEXTS[:1], entries, len(NAMES))], NAMES, asked(scoring, METHODS))
    for (_, _, method), row in rows.items():
        told = dict(row["metrics"])
        assert told["faithfulness"] is None and told["inversion_score"] is None, method
        assert told["rbp_mass_kept"] is not None and told["reliance"] is not None
    assert dict(rows["t0", "a", "attention"]["metrics"])["reliance"] == 0.0  # a share of 1 stands still while the output moves


def test_what_was_rejected_before_or_is_not_finite_is_a_row_with_its_reason_and_no_neighbour_suffers(scoring, adapters) -> None:
    entries = stored(scoring, adapters[:1], TEXTS, METHODS)
    entries[1] = [entry for entry in entries[1] if entry["method"] != "ig"]
    entries[2][0]["values"][3] = float("nan")
    given = batch(scoring, TEXTS, [None, *entries[1:]], len(NAMES))
    rows = inverted_rows(scoring, adapters[:1], [given], NAMES, asked(scoring, METHODS))
    codes = {(example, method): row["error_code"] for (example, _, method), row in rows.items()}
    expected = dict.fromkeys(((f"t{row}", name) for row in range(3) for name in NAMES), None)
    expected |= {("t0", name): "attribution_missing" for name in NAMES} | {("t1", "ig"): "attribution_missing"}
    assert codes == expected | {("t2", entries[2][0]["method"]): "nonfinite"}
    assert all((row["metrics"] is None) == (row["error_code"] is not None) and bool(row["message"]) == bool(row["error_code"])
               for row in rows.values())  # fmt: skip

    broken = like(Counting, scoring, broken=True)  # p under masks is NaN: of the methods that ask it alone nothing is known
    entries = stored(scoring, adapters[:1], TEXTS[1:2], METHODS)
    rows = inverted_rows(broken, adapters[:1], [batch(scoring, TEXTS[1:2], entries, len(NAMES))], NAMES, asked(scoring, METHODS))
    assert {method: row["error_code"] for (_, _, method), row in rows.items()} == dict.fromkeys(NAMES) | {"occlusion": "nonfinite"}


def test_a_model_that_answers_the_same_input_differently_is_refused(scoring, adapters) -> None:
    entries = stored(scoring, adapters[:1], TEXTS[1:2], METHODS)
    rows = inverted_rows(
        like(Wavering, scoring), adapters[:1], [batch(scoring, TEXTS[1:2], entries, len(NAMES))], NAMES, asked(scoring, METHODS)
    )
    assert {row["error_code"] for row in rows.values()} == {"nondeterministic"} and len(rows) == len(NAMES)
    assert "logits 0.25 apart" in next(iter(rows.values()))["message"]


def test_pokes_that_change_the_answer_are_counted_and_do_not_refine(scoring, adapters) -> None:
    strong = PokingSettings(pokes=2, repeats=12, magnitude=1.0)
    entries = stored(scoring, adapters[:1], TEXTS, METHODS)
    rows = inverted_rows(scoring, adapters[:1], [batch(scoring, TEXTS, entries, len(NAMES))], NAMES, asked(scoring, METHODS, strong))
    rejected = {row["example_id"]: dict(row["metrics"])["rbp_rejected"] for row in rows.values()}
    assert max(rejected.values()) > 0  # a share of the pokes, the same for every method of an example
    for row in rows.values():
        told = dict(row["metrics"])
        assert told["rbp_rejected"] == rejected[row["example_id"]] and 0 < told["rbp_mass_kept"] <= 1


def test_what_is_asked_is_what_the_settings_say_it_costs(scoring, adapters) -> None:
    counting = like(Counting, scoring)
    entries = stored(scoring, adapters[:1], TEXTS[1:2], ("occlusion",))
    given = batch(scoring, TEXTS[1:2], entries, 1)
    inverted_rows(counting, adapters[:1], [given], ("occlusion",), asked(scoring, ("occlusion",), PokingSettings(pokes=4, repeats=2)))
    # seven words: F asks for the text and each word hidden; of four whole pokes each is asked intact and with each word hidden, of 2 x 7
    # others each intact alone, for without its word it is the text, which is asked for once whole and once without each
    assert counting.asked == {"effects": 8, "pokes": 4 * 8 + 2 * 7, "itself": 1 + 7}
    settings = PokingSettings(pokes=4, repeats=2)
    # beside them the clean text twice and each of 4 + 14 pokes once, for their predicted class
    assert forwards_per_example(("occlusion",), 7, SETTINGS, settings) == counting.asked.total() + 2 + 18
    assert forwards_per_example(("attention",), 7, SETTINGS, settings) == 8 + 2 + 18
    assert forwards_per_example(("ig",), 7, SETTINGS, settings) == 8 + 2 + 18 + SETTINGS.ig_steps * 18
    assert forwards_per_example(("kernel_shap",), 7, SETTINGS, settings) == 8 + 2 + 18 + 128 * 19  # all coalitions of seven words
    assert forwards_per_example(("lime", "kernel_shap"), 14, SETTINGS, settings) == 15 + 2 + 32 + SETTINGS.masks.n * 33  # one draw for both


def test_methods_that_look_inside_explain_pokes_for_the_class_of_the_clean_input(scoring, adapters, seeing) -> None:
    for one, mine, contents in ((scoring, adapters[0], TEXTS[1:2]), (seeing[0], seeing[1][0], pictures(1))):
        inputs = one.prepare(contents)
        for method in COMPUTED[one.column]:
            if method not in BY_MASKS:
                own = block_of(one, mine, inputs, ["t0"], (method,), settings_of(one))
                other = np.array([(int(own.logits[0].argmax()) + 1) % 3])
                aimed = block_of(one, mine, inputs, ["t0"], (method,), settings_of(one), other)
                assert aimed.targets.tolist() == other.tolist()
                if method == "ig":
                    assert not np.array_equal(explained(own, method).values, explained(aimed, method).values)
