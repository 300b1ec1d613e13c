"""Do the sets of a steered training, killed while they were written, end as if nothing had happened; and is one without any prior told?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lake.errors import ConfigError
from models.text_recipe import Choice
from models.text_scoring import TextScoring
from models.text_training_data import TextTrainingSet
from silver.adapters.offers import Zoo, failure_note
from silver.adapters.steered.build import _twin, _with_priors
from silver.priors import build
from silver.priors.jobs import jobs_of
from silver.priors.settings import PriorSettings
from silver.priors.work import Generation, PriorWork
from silver.settings import AdapterSettings
from tests.text_training_worlds import LABELS, hybrid, simple, tiny

NO_LAKE: Any = None  # a random prior is read from none


class Killed(BaseException):
    """A run's end in the middle of its work."""


def test_sets_killed_between_the_splits_are_completed_under_the_same_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scoring = TextScoring(tiny(tmp_path / "backbone"), "float32", 4, (16, 32, 64))
    recipe = hybrid(priors={"sources": [], "control": "random"})
    zoo = Zoo("d", LABELS, scoring, AdapterSettings(), tmp_path / "killed")
    work = PriorWork("d", LABELS, "e" * 16, simple(12), simple(6, 100), PriorSettings(), zoo.artifacts)

    save, saved = TextTrainingSet.save, []

    def once(self: TextTrainingSet, folder: Path) -> None:
        if saved:
            raise Killed
        saved.append(folder)
        save(self, folder)

    with monkeypatch.context() as patched:
        patched.setattr(TextTrainingSet, "save", once)
        with pytest.raises(Killed):
            _with_priors(NO_LAKE, zoo, scoring, work, recipe, {})
    assert saved[0].is_dir() and len(list(saved[0].parent.iterdir())) == 1  # one split, no fingerprint: nothing trains on it yet

    folder, fingerprint = _with_priors(NO_LAKE, zoo, scoring, work, recipe, {})
    undisturbed = _with_priors(NO_LAKE, replace(zoo, artifacts=tmp_path / "whole"), scoring, work, recipe, {})
    assert (folder.name, fingerprint) == (undisturbed[0].name, undisturbed[1])

    def files(own: Path) -> list[tuple[Path, bytes]]:
        return sorted((path.relative_to(own), path.read_bytes()) for path in own.rglob("*") if path.is_file())

    assert files(folder) == files(undisturbed[0]) and len(files(folder)) == 3
    assert _with_priors(NO_LAKE, zoo, scoring, work, recipe, {}) == (folder, fingerprint)


def test_a_recipe_none_of_whose_texts_has_a_prior_is_told_before_it_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_rows", lambda lake, dataset, generation, sources: [])
    work = PriorWork("d", LABELS, "e" * 16, simple(12), simple(6, 100), PriorSettings(), tmp_path)
    recipe = hybrid(name="steered", shots=2, priors={"sources": ["cap"]})
    made = dict.fromkeys(jobs_of(recipe), Generation("s", "scorer", False))
    n = len(work.selection(Choice.of(recipe)).examples)
    with pytest.raises(ConfigError, match=rf"recipe steered: some of its texts must have a prior of cap, none of the {n} texts"):
        build.priors_of(NO_LAKE, work, recipe, made)
    harmless = hybrid(name="steered", shots=2, priors={"sources": ["cap"], "beta": 0})
    assert build.priors_of(NO_LAKE, work, harmless, made) == {}


def test_a_twin_that_diverged_is_told_with_its_reason_and_how_to_try_again(tmp_path: Path) -> None:
    scoring = TextScoring(tiny(tmp_path / "backbone"), "float32", 4, (16, 32, 64))
    folder = tmp_path / "none-0123"
    failure_note(folder).write_text('["nonfinite", "lower learning_rate"]')
    with pytest.raises(ConfigError, match=r"twin none-s0.*nonfinite: lower learning_rate.*delete .*none-0123\.failed to try again"):
        _twin(Zoo("d", LABELS, scoring, AdapterSettings(), tmp_path), scoring, folder, "none-s0")
