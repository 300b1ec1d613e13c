"""Is each distinct piece of prior work planned once, and nothing of it that a recipe does not need?"""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from models.label_scorer.settings import LabelPrompt
from models.text_recipe import Choice, PriorRecipe, TextRecipe, twin_of
from models.text_selection import selected
from silver.priors.jobs import SOURCES, IgJob, PriorJob, ig_jobs, jobs_of, prior_jobs, twins
from silver.priors.settings import STATED, PriorSettings
from silver.priors.work import choice_settings
from tests.text_training_worlds import LABELS, simple

FULL = Choice()


def steered(*sources: str, n: int = 100, control: str | None = None, **more: Any) -> TextRecipe:
    name = "-".join([*sources, str(n), str(control), *(f"{key}{value}" for key, value in more.items())])
    priors = {"sources": sources, "n": n, "control": control}
    return TextRecipe.model_validate({"name": name, "kind": "cap_hybrid", "use_dora": False, "priors": priors, **more})


def test_arms_of_one_selection_and_n_share_one_job_per_template() -> None:
    arms = [steered(*own) for own in (("cap",), ("lime",), ("shap",), ("cap", "lime"), ("cap", "lime", "shap"))]
    assert prior_jobs([*arms, steered("cap", control="shuffled"), steered("cap", seed=7)]) == (
        PriorJob(FULL, 100, "labelled"),
        PriorJob(FULL, 100, "plain"),
    )
    assert jobs_of(arms[3]) == {PriorJob(FULL, 100, "labelled"): ("cap",), PriorJob(FULL, 100, "plain"): ("lime",)}
    assert {source for own in SOURCES.values() for source in own} | {"ig"} == {"cap", "ig", "lime", "shap"}


def test_cross_entropy_and_the_random_control_need_no_job() -> None:
    recipes = [TextRecipe(name="none"), steered(control="random")]
    assert prior_jobs(recipes) == () and ig_jobs(recipes) == () and twins(recipes) == []


def test_every_n_and_every_selection_is_a_job_and_what_a_recipe_does_not_read_makes_none() -> None:
    recipes = [
        steered("cap", n=50), steered("cap", n=200), steered("cap", shots=5), steered("cap", shots=5, shots_seed=1),
        steered("cap", label_noise=0.1), steered("cap", train_share=0.5),
        steered("cap", shots_seed=3, label_noise_seed=4), steered("cap", n=50, rank=2, epochs=1, seed=9),
    ]  # fmt: skip
    assert [(job.chosen, job.n) for job in prior_jobs(recipes)] == [
        (FULL, 50), (FULL, 200), (Choice(shots=5), 100), (Choice(shots=5, shots_seed=1), 100), (Choice(label_noise=0.1), 100),
        (Choice(train_share=0.5), 100), (FULL, 100),
    ]  # fmt: skip


def test_which_labels_are_wrong_is_part_of_the_settings_and_growing_data_without_noise_is_not() -> None:
    few, more = simple(12), simple(24)
    for chosen, same in ((Choice(), True), (Choice(shots=2), True), (Choice(label_noise=0.25), False)):
        settings = [choice_settings(chosen, selected(chosen, train, len(LABELS))) for train in (few, more)]
        assert (settings[0] == settings[1]) == same


def test_arms_with_ig_share_the_twin_of_their_training_and_the_arm_none_is_it_where_there_is_one() -> None:
    arms = [steered("ig"), steered("cap", "ig"), steered("ig", n=50), steered("ig", control="shuffled"), steered("ig", seed=1)]
    jobs = ig_jobs(arms)
    assert [job.twin.seed for job in jobs] == [0, 1]
    assert jobs[0].twin.deciding() == twin_of(arms[0]).deciding() and jobs[0].twin.kind == "ce"
    assert all(next(iter(jobs_of(arm))) in jobs for arm in (arms[0], arms[2], arms[3], arms[4]))
    none = TextRecipe(name="none-s1", seed=1, use_dora=False)
    assert [twin.name for twin in twins([*arms, none])] == [jobs[0].twin.name, "none-s1"]
    assert isinstance(jobs[0], IgJob) and jobs[0].chosen == FULL


def test_the_defaults_are_those_of_the_paper_and_of_our_choices() -> None:
    own = PriorSettings()
    assert own.scorer.name == STATED and "Llama-3-8B-Instruct" in STATED
    assert own.scoring.label_probability == "sequence" and own.masking(100).keep_probability == 0.7 and own.cap.ridge == 1.0
    assert (own.cap.p_low, own.cap.p_high, own.lime.width, own.lime.ridge) == (1e-6, 0.99, 0.25, 1.0)
    assert own.masking(PriorRecipe(sources=("cap",)).n).n == 100
    # METHODS 9's kernel alone is biased under Bernoulli masks (xai.fits.design): the default is not, and follows the masks' own chance
    assert own.shapley.keep_probability == 0.7 and own.shapley.enumerate_up_to == 10
    assert PriorSettings(keep_probability=0.5).shapley.keep_probability == 0.5
    assert PriorSettings.model_validate({"shap": {"kernel": "literal"}}).shapley.keep_probability is None


def test_a_scorer_has_one_origin_and_one_prompt() -> None:
    for scorer in ({}, {"name": "x", "train": {}}, {"train": {}, "revision": "main"}):
        with pytest.raises(ValidationError, match=r"scorer\.(name|revision)"):
            PriorSettings.model_validate({"scorer": scorer})
    prompt = {"plain": "Say: {text}"}
    own = PriorSettings.model_validate({"scorer": {"train": {"epochs": 2}}, "scoring": {"prompt": prompt}})
    assert own.training is not None and own.training.prompt == LabelPrompt.model_validate(prompt) and own.training.epochs == 2
    with pytest.raises(ValidationError, match=r"scorer.train.prompt must be scoring.prompt"):
        PriorSettings.model_validate({"scorer": {"train": {"prompt": prompt}}})
    with pytest.raises(ValidationError, match="n"):
        PriorSettings.model_validate({"n": 100})  # the number of masks is a recipe's


def test_how_often_work_is_committed_is_no_part_of_what_defines_a_row() -> None:
    assert "commit_texts" not in PriorSettings(commit_texts=5).model_dump(mode="json")
