"""Does the scorer of a selection know exactly what the target may know, and is one that knows more found out?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lake.errors import ConfigError, MissingInputError
from lake.identity import settings_id
from models.errors import ArtifactError
from models.label_scorer.seen import Record, read_record
from models.label_scorer.settings import Template
from models.text_recipe import Choice
from models.text_training_data import TextTrainingSet
from silver.priors.jobs import SOURCES, PriorJob
from silver.priors.scorers import Scorer, named_model, readable, scorer_of
from silver.priors.settings import PriorSettings
from silver.priors.words import words_of
from silver.priors.work import PriorWork, Scorers, prior_settings
from tests.language_models import save
from tests.text_training_worlds import LABELS, simple

SMALL = {
    "width": 16, "depth": 1, "heads": 2, "kv_heads": 1, "mlp_width": 16, "vocabulary": 300, "epochs": 1, "max_tokens": 512,
    "checkpoint_seconds": 60,
}  # fmt: skip

WHOLE = Choice()


def work(folder: Path, scorer: dict[str, Any] | None = None, train: TextTrainingSet | None = None) -> PriorWork:
    settings = PriorSettings.model_validate({"scorer": {"train": SMALL} if scorer is None else scorer})
    return PriorWork("d", LABELS, "e" * 16, simple(24) if train is None else train, simple(6, 100), settings, folder)


def record(found: PriorWork, chosen: Choice) -> Record:
    made = read_record(Scorers(found).of(chosen, found.selection(chosen)).model.folder)
    assert made is not None
    return made


def test_a_scorer_trained_here_saw_exactly_the_selection_under_the_trained_labels(tmp_path: Path) -> None:
    own = work(tmp_path)
    for chosen in (Choice(shots=3), Choice(shots=3, shots_seed=1, label_noise=0.34), Choice()):
        examples = own.selection(chosen).examples
        seen = record(own, chosen).seen
        texts = [words_of(text) for text in examples.texts]
        assert (
            seen.n_examples == len(examples)
            and seen.beyond(texts, [LABELS[label] for label in examples.label_ids.tolist()], LABELS) == 0
            and seen.among(texts) == len(texts)
        )
        counts = {label: examples.label_ids.tolist().count(position) for position, label in enumerate(LABELS)}
        assert seen.examples_per_label == counts  # wrong labels too: the scorer must not know better than the target
        assert seen.among(words_of(text) for text in own.val.texts) == 0
        assert Scorers(own).of(chosen, own.selection(chosen)).leaky is False


def test_selections_have_scorers_of_their_own_and_equal_ones_the_same(tmp_path: Path) -> None:
    scorers = Scorers(own := work(tmp_path))
    few, more = Choice(shots=2), Choice(shots=4)
    one, two = (scorers.of(chosen, own.selection(chosen)) for chosen in (few, more))
    assert one.scorer_id != two.scorer_id and len(one.scorer_id) == 32
    folders = sorted((tmp_path / "label-scorers" / "d").iterdir())
    assert Scorers(own).of(few, own.selection(few)) == one  # another run finds it
    assert sorted((tmp_path / "label-scorers" / "d").iterdir()) == folders and len(folders) == 2


def test_a_scorer_that_saw_more_than_the_target_is_leaky_and_one_without_a_record_is_unknown(tmp_path: Path) -> None:
    whole = Scorers(own := work(tmp_path)).of(Choice(), own.selection(Choice()))
    named = work(tmp_path, {"name": str(whole.model.folder)})
    for chosen, leaky in ((Choice(), False), (Choice(shots=2), True)):
        found = Scorers(named).of(chosen, named.selection(chosen))
        assert found.leaky is leaky and found.scorer_id == whole.scorer_id
    foreign = work(tmp_path, {"name": str(save(tmp_path / "lm"))})
    assert Scorers(foreign).of(Choice(), foreign.selection(Choice())).leaky is None
    assert scorer_of(whole.model, own.selection(Choice(shots=2)).examples, LABELS).leaky is True


def test_texts_that_may_be_too_long_are_left_out_of_the_scorers_training(tmp_path: Path) -> None:
    few = simple(6)
    texts = ("card " * 200, *few.texts[1:])
    long = TextTrainingSet(texts, few.label_ids, few.example_ids)
    own = work(tmp_path, train=long)
    training = own.settings.training
    assert training is not None
    words, labels = readable(training, long, LABELS)
    assert words == [words_of(text) for text in texts[1:]] and labels == [LABELS[i] for i in few.label_ids[1:]]
    assert record(own, Choice()).seen.n_examples == 5  # and it is trained, not stopped by one text
    with pytest.raises(ConfigError, match=r"max_tokens must hold .* 16 tokens hold none of the 6 training texts"):
        Scorers(work(tmp_path, {"train": SMALL | {"max_tokens": 16}})).of(Choice(), work(tmp_path, train=long).selection(Choice()))


def test_a_scorer_that_cannot_be_had_or_cannot_tell_the_labels_apart_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match=r"priors.scorer.name: '.*nowhere' is no folder here"):
        named_model(work(tmp_path, {"name": str(tmp_path / "nowhere")}).settings.scorer, LABELS, PriorSettings())
    own = work(tmp_path, {"name": str(save(tmp_path / "lm"))})
    assert named_model(own.settings.scorer, LABELS, own.settings).model_type == "llama"
    with pytest.raises(ArtifactError, match="label_mismatch"):
        named_model(own.settings.scorer, ("card", "card"), own.settings)


def test_a_label_outside_the_label_space_is_refused_before_any_work(tmp_path: Path) -> None:
    few = simple(6)
    own = work(tmp_path, train=TextTrainingSet(few.texts, few.label_ids + 1, few.example_ids))
    with pytest.raises(ArtifactError, match="label ids must be 0 to 2, found 1 to 3"):
        own.selection(Choice())


def test_a_generation_is_defined_by_what_its_own_rows_depend_on_and_by_nothing_else(tmp_path: Path) -> None:
    """Template -> changed settings whose rows are other rows; every other change keeps them."""
    model = Scorers(own := work(tmp_path)).of(Choice(), own.selection(Choice()))
    changes: dict[str, tuple[dict[str, Any], set[str]]] = {
        "cap": ({"cap": {"ridge": 2.0}}, {"labelled"}),
        "lime": ({"lime": {"width": 0.5}}, {"plain"}),
        "shap": ({"shap": {"kernel": "literal"}}, {"plain"}),
        "seed": ({"seed": 1}, {"labelled", "plain"}),
        "masks": ({"keep_probability": 0.5}, {"labelled", "plain"}),
        "p": ({"scoring": {"label_probability": "closed_set"}}, {"labelled", "plain"}),
        "ig": ({"ig_steps": 4}, set()),
        "commits": ({"commit_texts": 7}, set()),
    }

    def identity(template: Template, n: int = 8, chosen: Choice = WHOLE, scorer: Scorer = model, **settings: Any) -> str:
        changed = replace(own, settings=PriorSettings.model_validate({"scorer": {"train": SMALL}, **settings}))
        return settings_id(prior_settings(changed, PriorJob(chosen, n, template), changed.selection(chosen), scorer))

    for template in SOURCES:
        base = identity(template)
        for name, (settings, moved) in changes.items():
            assert (identity(template, **settings) != base) == (template in moved), name
        assert len({base, identity(template, n=9), identity(template, chosen=Choice(shots=2)), identity("plain", n=3)}) == 4
        assert identity(template, scorer=replace(model, leaky=True)) != base
