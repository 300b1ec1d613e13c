"""A label scorer made here: the same bytes from the same data, resumed after a kill, honest about what it saw, and able to answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from transformers import AutoTokenizer

from models.errors import ArtifactError, RejectedInput
from models.hashing import file_sha256
from models.label_scorer.artifact import resolve_label_model
from models.label_scorer.scorer import load_label_scorer
from models.label_scorer.seen import read_record, seen_of, text_id
from models.label_scorer.settings import LabelScorerSettings
from models.label_scorer.train import train_label_scorer
from models.label_scorer.training_batches import Teacher, epoch_of
from models.label_scorer.training_settings import LabelScorerTraining
from tests.language_models import LABELS as OTHER_LABELS

LABELS = ("set_alarm", "query_alarm", "play_music")
SETTINGS = LabelScorerTraining(
    width=32, depth=1, heads=2, kv_heads=1, mlp_width=48, vocabulary=300, epochs=3, batch_size=8, checkpoint_seconds=0
)
WORDS = {"set_alarm": ("set", "an", "alarm"), "query_alarm": ("is", "there", "an", "alarm"), "play_music": ("play", "a", "song")}


class Killed(Exception):
    """Stands for the end of the process between two epochs."""


def examples(n: int = 24) -> tuple[list[tuple[str, ...]], list[str]]:
    rng = np.random.default_rng(3)
    labels = [LABELS[number % 3] for number in range(n)]
    return [(*WORDS[label], *rng.choice(["please", "now", "at", "noon", "for", "me"], 3).tolist()) for label in labels], labels


def weights(path: Path) -> str:
    return file_sha256(path / "model.safetensors")


def test_the_same_data_in_any_order_give_the_same_bytes_and_no_global_generator_moves(tmp_path: Path) -> None:
    texts, labels = examples()
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    one = train_label_scorer(SETTINGS, texts, labels, LABELS, tmp_path / "one")
    two = train_label_scorer(SETTINGS, texts[::-1], labels[::-1], LABELS, tmp_path / "two")
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads
    assert one.name == two.name and sorted(path.name for path in one.iterdir()) == sorted(path.name for path in two.iterdir())
    assert all(file_sha256(path) == file_sha256(two / path.name) for path in one.iterdir())


def test_a_scorer_that_is_there_is_used_again_and_other_settings_or_texts_make_another(tmp_path: Path) -> None:
    texts, labels = examples()
    path = train_label_scorer(SETTINGS, texts, labels, LABELS, tmp_path)
    stamp = (path / "model.safetensors").stat().st_mtime_ns
    assert train_label_scorer(SETTINGS, texts, labels, LABELS, tmp_path) == path
    assert (path / "model.safetensors").stat().st_mtime_ns == stamp
    seeded = train_label_scorer(SETTINGS.model_copy(update={"seed": 1}), texts, labels, LABELS, tmp_path)
    fewer = train_label_scorer(SETTINGS, texts[1:], labels[1:], LABELS, tmp_path)
    turned = train_label_scorer(SETTINGS, texts, labels, LABELS[::-1], tmp_path)
    assert len({path, seeded, fewer, turned}) == len({weights(one) for one in (path, seeded, fewer, turned)}) == 4
    assert sorted(tmp_path.iterdir()) == sorted((path, seeded, fewer, turned))


def test_a_run_killed_between_epochs_ends_with_the_weights_of_one_that_never_was(tmp_path: Path) -> None:
    texts, labels = examples()
    whole = train_label_scorer(SETTINGS, texts, labels, LABELS, tmp_path / "whole")
    seen: list[int] = []

    def count() -> None:
        seen.append(1)
        if len(seen) == 2:
            raise Killed

    with pytest.raises(Killed):
        train_label_scorer(SETTINGS, texts, labels, LABELS, tmp_path / "killed", on_epoch=count)
    assert [path.name.startswith(".pending-") for path in (tmp_path / "killed").iterdir()] == [True]
    again = train_label_scorer(SETTINGS, texts, labels, LABELS, tmp_path / "killed", on_epoch=count)
    assert len(seen) == 2 + 3 and weights(again) == weights(whole)
    assert list((tmp_path / "killed").iterdir()) == [again]


def test_it_says_what_it_saw_so_that_a_leaky_prior_is_found_out(tmp_path: Path) -> None:
    texts, labels = examples(7)
    texts[6] = texts[0]  # one text twice, with its label: 7 examples, 6 texts
    record = read_record(train_label_scorer(SETTINGS, texts, labels, (*LABELS, "joke"), tmp_path))
    assert record is not None and record.training == SETTINGS.model_copy(update={"checkpoint_seconds": 60.0})
    assert record.seen.examples_per_label == {"set_alarm": 3, "query_alarm": 2, "play_music": 2, "joke": 0}
    assert (record.seen.n_examples, len(record.seen.texts), record.seen.labels) == (7, 6, (*LABELS, "joke"))
    assert record.seen.among([texts[0], ("another", "text"), texts[0][::-1]]) == 1
    assert record.seen.beyond(texts, labels, LABELS) == 0 and record.seen.beyond(texts[2:5], labels[2:5], LABELS) == 3
    assert text_id(("a b",)) != text_id(("a", "b"))


def test_a_scorer_that_saw_the_true_label_of_a_text_is_beyond_a_target_that_has_it_wrong() -> None:
    texts = [("a", "b"), ("c", "d"), ("a", "b")]
    seen = seen_of(texts, ["x", "y", "y"], ["x", "y"])  # one text with both labels: three pairs
    assert seen.texts == {text_id(("a", "b")): (0, 1), text_id(("c", "d")): (1,)}
    assert seen.beyond(texts, ["x", "y", "y"], "xy") == 0
    assert seen.beyond(texts, ["x", "x", "y"], "xy") == 1  # (c d, y) is not the target's
    assert seen.beyond(texts[:2], ["x", "y"], "xy") == 1  # (a b, y)
    assert seen.beyond([], [], "y") == 2 and seen.beyond([], [], ["of", "another", "space"]) == 0
    assert seen.among(texts[1:2]) == 1  # of validation and test the texts alone count


def test_prompts_are_drawn_with_and_without_labels_whole_and_with_hidden_words(saved_lm: Callable[..., Path]) -> None:
    texts, labels = examples(200)
    tokenizer = AutoTokenizer.from_pretrained(saved_lm())
    teacher = Teacher(SETTINGS, tokenizer, LABELS, tuple(texts), tuple(labels))
    prompts = [tokenizer.decode(prompt) for batch in epoch_of(teacher, 0) for part in batch.parts for prompt in part.prompts]
    assert len(prompts) == 200
    plain = sum("Given Labels" not in prompt for prompt in prompts) / 200
    hidden = [sum(word == "_" for word in prompt.rsplit("[Text: ", 1)[1].removesuffix("]").split(" ")) for prompt in prompts]
    # sd of a share of 200: at most 0.035; hidden words: (1 - whole_share) * 0.3 of 6.33 words = 1.43 on average
    assert abs(plain - SETTINGS.plain_share) < 0.12 and 1.0 < np.mean(hidden) < 1.9
    assert hidden.count(0) > 50 and max(hidden) >= 4
    assert epoch_of(teacher, 0) == epoch_of(teacher, 0) != epoch_of(teacher, 1)


def test_what_a_text_is_asked_does_not_depend_on_the_other_texts(saved_lm: Callable[..., Path]) -> None:
    texts, labels = examples(40)
    tokenizer = AutoTokenizer.from_pretrained(saved_lm())
    few, many = (Teacher(SETTINGS, tokenizer, LABELS, tuple(texts[start:]), tuple(labels[start:])) for start in (30, 0))
    asked = [Counter(prompt for batch in epoch_of(one, 0) for part in batch.parts for prompt in part.prompts) for one in (few, many)]
    assert asked[0] <= asked[1] and asked[0].total() == 10


def test_it_learns_to_answer_through_the_scorers_own_door_with_and_without_the_labels_named(tmp_path: Path) -> None:
    texts, labels = examples(96)
    settings = SETTINGS.model_copy(update={"epochs": 16, "learning_rate": 1e-2})
    source = resolve_label_model(str(train_label_scorer(settings, texts[:72], labels[:72], LABELS, tmp_path)))
    for template in ("labelled", "plain"):
        scorer = load_label_scorer(source, LABELS, LabelScorerSettings(), template)
        sums = [scorer.log_likelihoods(words, np.ones((1, len(words)), dtype=bool))[0] for words in texts[72:]]
        assert np.mean([LABELS[int(row.argmax())] == label for row, label in zip(sums, labels[72:], strict=True)]) > 0.9


def test_a_given_tokenizer_is_used_with_its_chat_template(saved_lm: Callable[..., Path], tmp_path: Path) -> None:
    texts, labels = examples()
    given = saved_lm(chat=True)
    path = train_label_scorer(SETTINGS, texts, labels, LABELS, tmp_path, tokenizer=given)
    assert path != train_label_scorer(SETTINGS, texts, labels, LABELS, tmp_path)
    own, theirs = (AutoTokenizer.from_pretrained(folder) for folder in (path, given))
    assert own.get_vocab() == theirs.get_vocab() and own.chat_template == theirs.chat_template
    resolve_label_model(str(path))


def test_what_cannot_be_learned_from_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    texts, labels = examples()
    for bad, code in (((texts, ["joke", *labels[1:]], LABELS), "label_unknown"), ((texts, labels, (*LABELS, LABELS[0])), "label_mismatch")):
        with pytest.raises(ArtifactError) as refused:
            train_label_scorer(SETTINGS, *bad, tmp_path / "zoo")
        assert refused.value.code == code
    for wrong in ((texts, labels[1:]), ([], []), ([(), *texts[1:]], labels)):
        with pytest.raises(ValueError, match="there must be texts"):
            train_label_scorer(SETTINGS, *wrong, LABELS, tmp_path / "zoo")
    with pytest.raises(RejectedInput, match="max_tokens = 64"):
        train_label_scorer(SETTINGS.model_copy(update={"max_tokens": 64}), [("long",) * 60, *texts[1:]], labels, LABELS, tmp_path / "zoo")
    with pytest.raises(ArtifactError) as refused:
        train_label_scorer(SETTINGS.model_copy(update={"learning_rate": 1e30}), texts, labels, LABELS, tmp_path / "zoo")
    assert refused.value.code == "nonfinite"
    assert not (tmp_path / "zoo").exists()
    with pytest.raises(ValidationError, match="multiple"):
        LabelScorerTraining(width=30, heads=4)


def test_a_training_that_fails_after_some_epochs_leaves_no_checkpoint_to_fail_from_again(tmp_path: Path) -> None:
    texts, labels = examples()

    def diverge() -> None:
        assert any((tmp_path / "zoo").glob(".pending-*/*"))  # the checkpoint of this epoch
        raise ArtifactError("nonfinite", "as the next epoch would")

    with pytest.raises(ArtifactError, match="nonfinite"):
        train_label_scorer(SETTINGS, texts, labels, LABELS, tmp_path / "zoo", on_epoch=diverge)
    assert list((tmp_path / "zoo").iterdir()) == []


def test_another_label_space_is_another_scorer_and_keeps_its_own_words(tmp_path: Path) -> None:
    texts, _ = examples(5)
    path = train_label_scorer(SETTINGS.model_copy(update={"epochs": 1}), texts, OTHER_LABELS, OTHER_LABELS, tmp_path)
    record = read_record(path)
    assert record is not None and record.seen.labels == OTHER_LABELS
