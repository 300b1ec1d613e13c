"""A world whose every figure can be worked out by hand, and what each world is made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from gold.inversion.adult_files import FILES, adult_files, require_adult
from gold.inversion.build import ENGINE
from gold.inversion.explain import direct, effects, masked
from gold.inversion.judge import judge
from gold.inversion.pokes import NOISE_OF_SLOT, OVERWRITTEN, STAYS, UNTOUCHED, poked, scale
from gold.inversion.settings import InversionSettings, SizeSettings
from gold.inversion.worlds import WORLDS, adult, grammar, shapes
from gold.inversion.worlds.world import Setup, World
from lake.errors import ContractError, MissingInputError
from lake.identity import rng
from models.probes import Formula, NetProbe
from xai.worlds.grammar import parse

N, SLOT = 5, 3
SETTINGS = InversionSettings(
    examples=SizeSettings(tabular=N, image=2, text=2), trained_on=60, psi=(0.0, 0.5), pokes=4, repeats=2, sweep_examples=0, ig_steps=2
)


def leak(seed: int = 0) -> Setup:
    """y = x1 + x4, of which x4 is the slot, although it should say nothing; the oracle says x1 alone."""
    x = rng(seed, "leak").uniform(0.5, 2.0, (N, 4, 1)).astype(np.float32)
    ones = np.ones((4, 1), dtype=np.float32)

    def oracle(inputs: np.ndarray, outputs: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.where(np.arange(4) == 0, inputs[:, :, 0], 0.0)

    return Setup(
        probe=NetProbe(Formula(lambda x: x[:, 0] + x[:, 3])), inputs=x, included=np.ones((N, 4), dtype=bool), slot=SLOT, mean=0.25 * ones,
        background=np.stack([ones, 3.0 * ones]), spread=ones, output_sd=2.0, score=1.0,
        true_units=np.repeat([[True, False, False, False]], N, axis=0), oracle=oracle,
    )  # fmt: skip


WORLD = World("leak", "tabular", ("formula",), lambda model, seed, n, settings: leak(seed))


@pytest.fixture(scope="module")
def summary() -> pd.DataFrame:
    return pd.DataFrame(judge(WORLD, "formula", 0, SETTINGS).summary)


def row_of(summary: pd.DataFrame, explainer: str, slot: str, psi: float, refined: str = "none", lam: float = 0.0) -> pd.Series:
    chosen = summary[(summary["explainer"] == explainer) & (summary["slot"] == slot) & (summary["psi"] == psi)]
    (row,) = (one for _, one in chosen[(chosen["refined"] == refined) & (chosen["lam"] == lam)].iterrows())
    return row


def eps(i: int, seed: int = 0) -> float:
    return NOISE_OF_SLOT * 2.0 * float(rng(seed, f"leak#{i}", "slot").standard_normal())


def test_the_slot_is_psi_times_the_untouched_output_plus_the_same_noise_under_every_psi() -> None:
    asked = poked("leak", 0, leak(), SETTINGS, ((UNTOUCHED, 0.0), (OVERWRITTEN, 0.0), (OVERWRITTEN, 0.5)), 2, 0.05)
    x = leak().inputs[:, :, 0]
    m = x[:, 0] + x[:, 3]
    slots = asked.inputs[:, 0, SLOT, 0].reshape(3, N)
    noise = [eps(i) for i in range(N)]
    assert slots[0] == pytest.approx(x[:, 3]) and slots[1] == pytest.approx(noise, abs=1e-6)
    assert slots[2] == pytest.approx(0.5 * m + noise, abs=1e-6)
    others = np.delete(asked.inputs[:, 0, :, 0], SLOT, axis=1).reshape(3, N, 3)
    assert np.array_equal(others[0], others[1]) and np.array_equal(others[0], others[2])


def test_shares_and_sensitivities_are_those_worked_out_by_hand(summary: pd.DataFrame) -> None:
    x = leak().inputs[:, :, 0].astype(np.float64)
    m = x[:, 0] + x[:, 3]
    for slot, psi, value in ((UNTOUCHED, 0.0, x[:, 3]), (OVERWRITTEN, 0.0, [eps(i) for i in range(N)]), (OVERWRITTEN, 0.5, None)):
        inside = np.abs(0.5 * m + [eps(i) for i in range(N)] if value is None else value)
        row = row_of(summary, "occlusion", slot, psi)
        share = inside / (x[:, 0] + inside)
        assert row["spurious_share"] == pytest.approx(share.mean(), rel=1e-4)
        assert row["true_unit_share"] == pytest.approx((1 - share).mean(), rel=1e-4)
        assert row["model_sensitivity"] == pytest.approx(inside.mean(), rel=1e-4)
        assert row["model_sensitivity_share"] == pytest.approx(share.mean(), rel=1e-4)


def test_the_rise_is_against_the_placebo_and_the_oracles_reliance_is_taken_off(summary: pd.DataFrame) -> None:
    for name in ("occlusion", "lime"):
        base, up, untouched = (row_of(summary, name, slot, psi) for slot, psi in ((OVERWRITTEN, 0.0), (OVERWRITTEN, 0.5), (UNTOUCHED, 0.0)))
        assert up["delta_inversion_score"] == pytest.approx(up["inversion_score"] - base["inversion_score"])
        assert base["delta_inversion_score"] == 0.0 and np.isnan(untouched["delta_inversion_score"])
        oracle = row_of(summary, "oracle", UNTOUCHED, 0.0)["reliance"]
        assert oracle < 0.999  # it does not see the leak
        assert untouched["reliance_over_oracle"] == pytest.approx(untouched["reliance"] - oracle)


def test_intervals_over_examples_hold_the_mean_and_nulls_are_counted(summary: pd.DataFrame) -> None:
    row = row_of(summary, "lime", UNTOUCHED, 0.0)
    assert row["reliance_ci_low"] <= row["reliance"] <= row["reliance_ci_high"]
    assert (row["n"], row["n_null"], row["n_reliance"], row["n_faithfulness"]) == (N, 0, N, N)
    assert row_of(summary, "occlusion", UNTOUCHED, 0.0)["n_partial"] == 0  # what the true effects explain wholly


def test_no_share_leaves_its_range_by_a_rounding(summary: pd.DataFrame) -> None:
    from gold.inversion.judge import _mean, _ratio

    tenths = np.full(10, 0.1)  # their sum, and a mean of such, may pass what they are made of in the last bit
    assert _mean(np.full(3, 0.7)) == 0.7 and _mean(np.array([np.nan])) is None
    assert _ratio(np.array([np.nextafter(1.0, 2.0)]), np.array([tenths.sum() + (1.0 - tenths.sum())]))[0] == 1.0
    found = pd.DataFrame(judge(WORLD, "formula", 0, SETTINGS).summary)
    for name in (
        "spurious_share",
        "true_unit_share",
        "model_sensitivity_share",
        "mass_kept",
        "reliance",
        "faithfulness",
        "inversion_score",
    ):
        assert found[name].dropna().between(0.0, 1.0).all(), name


def test_reference_arms_replace_a_unit_by_the_mean_and_by_rows() -> None:
    setup = leak()
    asked = poked("leak", 0, setup, SETTINGS, ((UNTOUCHED, 0.0),), 2, 0.05)
    x = setup.inputs[:, :, 0]
    for reference, told in ((setup.mean[None], 0.25), (setup.background, 2.0)):  # rows of 1 and of 3
        found = effects(asked, reference)
        assert found[:, 0] == pytest.approx(np.abs(x[:, 0] - told), abs=1e-5) and found[:, 3] == pytest.approx(
            np.abs(x[:, 3] - told), abs=1e-5
        )
        assert not found[:, 1:3].any()


def test_a_poke_counts_while_a_regression_stays_within_five_per_cent_of_its_spread() -> None:
    asked = poked("leak", 0, leak(), SETTINGS, ((UNTOUCHED, 0.0),), 40, 0.05)
    intact = asked.intact
    moved = np.abs(intact.poked - intact.given[:, :, None, None])
    assert np.array_equal(intact.kept, moved <= STAYS * 2.0)
    assert 0 < intact.kept[:, :, 0].mean() < 1 and intact.kept[:, :, 1].all()  # x2 does nothing


def test_a_poke_counts_while_a_classifier_says_the_same() -> None:
    class Net(torch.nn.Module):
        def forward(self, inputs: torch.Tensor, included: torch.Tensor) -> torch.Tensor:
            return torch.stack([inputs[:, 0, 0], torch.zeros(len(inputs))], dim=1)

    ones = np.ones((2, 1), dtype=np.float32)
    x = np.array([[[0.02], [1.0]]], dtype=np.float32)
    setup = Setup(NetProbe(Net()), x, np.ones((1, 2), dtype=bool), 1, ones, x, ones, 1.0, 1.0)
    asked = poked("sign", 0, setup, SETTINGS, ((UNTOUCHED, 0.0),), 50, 0.05)
    own = asked.inputs[:, :, None, 0] + scale(setup, asked.inputs[:, :, 0], 0.05, 0)[:, :, None] * asked.noise[:, None, 0]
    same = (own[..., 0] >= 0) == (asked.inputs[:, :, 0, 0] >= 0)[..., None]
    assert np.array_equal(asked.intact.kept[:, :, 0], same) and not same.all() and asked.intact.kept[:, :, 1].all()


def test_seeds_are_independent_draws_and_a_seed_repeats() -> None:
    def random_of(seed: int) -> np.ndarray:
        asked = poked("leak", seed, leak(), SETTINGS, ((UNTOUCHED, 0.0),), 2, 0.05)
        return dict(direct(asked, SETTINGS))["random"].given

    assert np.array_equal(random_of(0), random_of(0)) and not np.array_equal(random_of(0), random_of(1))
    first, again = (poked("leak", seed, leak(), SETTINGS, ((UNTOUCHED, 0.0),), 2, 0.05) for seed in (0, 1))
    assert not np.array_equal(first.noise, again.noise) and not np.array_equal(first.inputs, again.inputs)
    units = first.noise.reshape(N, 4, -1)
    assert len(np.unique(units, axis=1)[0]) == 4  # units have noise of their own


def test_what_the_slot_holds_is_not_asked_again_where_it_is_hidden() -> None:
    conditions = ((UNTOUCHED, 0.0), (OVERWRITTEN, 0.0), (OVERWRITTEN, 0.5))
    alone = [masked(poked("leak", 0, leak(), SETTINGS, (one,), 2, 0.05), SETTINGS) for one in conditions]
    together = masked(poked("leak", 0, leak(), SETTINGS, conditions, 2, 0.05), SETTINGS)
    for method, said in together.said.items():
        given = np.concatenate([one.said[method].given for one in alone])
        own = np.concatenate([np.asarray(one.said[method].own) for one in alone])
        assert said.given == pytest.approx(given, abs=1e-6) and np.asarray(said.own) == pytest.approx(own, abs=1e-6)
    assert together.marginals == pytest.approx(np.concatenate([one.marginals for one in alone]), abs=1e-6)
    assert together.forwards < 0.8 * sum(one.forwards for one in alone)


def adult_files_of(folder: Path, blank: str = "") -> Path:
    draw = np.random.default_rng(0)
    for name, n in zip(FILES, (120, 60), strict=True):
        age = draw.integers(20, 70, n)
        kind = np.where(draw.random(n) < 0.5, "Private", "?")
        income = np.where(age > 45, f"{blank}>50K", f"{blank}<=50K")
        pd.DataFrame({"age": age, "workclass": kind, "income": income}).to_csv(folder / name, index=False)
    return folder


@pytest.mark.parametrize("world", [world for world in WORLDS if world.name != "linear"], ids=lambda world: world.name)
def test_every_world_gives_records_of_every_method_and_condition(world: World, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"adult": str(adult_files_of(tmp_path))})
    for model in world.models:
        found = pd.DataFrame(judge(world, model, 0, settings).summary)
        assert {"occlusion", "lime", "kernel_shap", "random", "output_echo"} <= set(found["explainer"])
        assert set(zip(found["slot"], found["psi"], strict=True)) == {(UNTOUCHED, 0.0), (OVERWRITTEN, 0.0), (OVERWRITTEN, 0.5)}
        inside = {"image": "grad_cam", "text": "attention_rollout"}.get(world.domain, "lime_fresh")
        assert inside in set(found["explainer"]) and ("oracle" in set(found["explainer"])) == (world.name not in ("adult", "digits"))
        assert found["model_score"].nunique() == 1 and (found["n"] == (N if world.domain == "tabular" else 2)).all()


def test_the_oracle_of_shapes_is_on_the_shape_and_never_on_the_corner() -> None:
    setup = shapes.make("conv_net", 0, 2, SETTINGS)
    assert setup.true_units is not None and not setup.true_units[:, setup.slot].any() and setup.oracle is not None
    brightness = setup.inputs.mean(axis=2)
    assert all(brightness[row][true].mean() > brightness[row][~true][1:].mean() + 0.1 for row, true in enumerate(setup.true_units))
    told = setup.oracle(setup.inputs, np.array([0.6, 0.8]), np.array([0, 1]))
    assert told.sum(axis=1) == pytest.approx([0.6, 0.8]) and not told[~setup.true_units].any()


def test_the_true_units_of_a_sentence_are_its_decisive_words_behind_the_neutral_one() -> None:
    text = "please set an alarm"
    found = grammar._true([text], np.ones((1, 10), dtype=bool))  # noqa: SLF001  # its one rule, apart from training
    parsed = parse(text)
    assert parsed is not None and np.flatnonzero(found[0]).tolist() == [1 + place for place in parsed.decisive]


def test_a_word_is_poked_by_a_share_of_its_length() -> None:
    setup = grammar.make("roberta", 0, 2, SETTINGS)
    word = setup.inputs[0, 1]
    assert scale(setup, word, 0.05) == pytest.approx(np.full(32, 0.05 * np.linalg.norm(word) / 32**0.5), rel=1e-4)


def test_files_of_adult_are_required_with_both_classes_and_blanks_do_no_harm(tmp_path: Path) -> None:
    for folder in (None, str(tmp_path / "nowhere")):
        with pytest.raises(MissingInputError, match=r"train.csv and test.csv of UCI Adult"):
            adult_files(folder)
    settings = SETTINGS.model_copy(update={"adult": str(adult_files_of(tmp_path, blank=" "))})
    assert adult.make("xgboost", 0, 3, settings).score > 0.9
    file = tmp_path / "train.csv"
    file.write_text(file.read_text().replace(">50K", "rich"))
    asked = settings.model_copy(update={"worlds": ("adult",)})
    with pytest.raises(ContractError, match=r"train\.csv of UCI Adult must have a column income .*, found \['<=50K', 'rich'\]"):
        require_adult(asked)
    require_adult(asked.model_copy(update={"worlds": ("product",)}))  # who does not ask for it needs no files
    adult_files_of(tmp_path)
    (tmp_path / "test.csv").write_text((tmp_path / "test.csv").read_text().replace("age,", "years,"))
    with pytest.raises(ContractError, match="must have the same columns"):
        require_adult(asked)
    (tmp_path / "test.csv").write_bytes(b"")
    with pytest.raises(ContractError, match=r"test\.csv of UCI Adult must be a table of commas"):
        require_adult(asked)


@pytest.mark.parametrize(
    "wrong",
    [{"psi": (0.2,)}, {"psi": (-0.2, 0.0)}, {"seeds": ()}, {"seeds": (-1,)}, {"seeds": (1, 1)}, {"sweep_repeats": (0,)},
     {"sweep_repeats": (3, 3)}, {"sweep_magnitudes": (-0.1,)}, {"worlds": ("product", "product")}, {"worlds": ("mars",)}],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        InversionSettings.model_validate(wrong)


def test_figures_of_a_world_without_training_are_those_of_this_engine() -> None:
    """A change of these is a change of rows that are stored: raise `gold.inversion.build.ENGINE` with it, and write the new ones here."""
    world = next(world for world in WORLDS if world.name == "linear")
    found = pd.DataFrame(judge(world, "formula", 0, SETTINGS).summary)
    plain = found[(found["slot"] == OVERWRITTEN) & (found["psi"] == 0.5)].groupby(["explainer", "refined"])["inversion_score"].mean()
    assert ENGINE == 2
    told = {("occlusion", "none"): 0.435, ("lime", "scale_free"): 0.391, ("random", "none"): 0.690, ("ig", "shrink"): 0.440}
    assert {name: float(plain[name]) for name in told} == pytest.approx(told, abs=1e-3)
