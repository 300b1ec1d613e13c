"""The study's parts without Spark: arms, figures, rows from records, what is kept and what is not done twice."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from sklearn.datasets import load_digits

from gold.provenance.arms import Arm, expanded
from gold.provenance.causes import of_head, of_whole_net
from gold.provenance.figures import each_epoch
from gold.provenance.judge import judged, strangers
from gold.provenance.kept import find
from gold.provenance.pictures import COLUMNS, Collecting, Pictures, Split, collect, grey, load
from gold.provenance.private import OF_KNN, with_privacy
from gold.provenance.settings import ProvenanceSettings
from gold.provenance.tables import TABLES
from gold.provenance.tasks import Task, perform, rows_of, tasks_of
from gold.provenance.trained import made
from gold.provenance.verdicts import verdicts
from gold.provenance.wrong_labels import found_labels
from gold.table import as_table
from models.decode import DecodeLimits, encode_png
from models.errors import ArtifactError

SETTINGS = ProvenanceSettings.model_validate(
    {
        "seeds": [0],
        "training": {"epochs": 1, "batch_size": 32},
        "epoch_examples": 8,
        "resamples": 20,
        "applications": ["robustness", "class_errors", "mislabels", "causal"],
        "attacks": {"epsilons": [0.1], "steps": 2, "examples": 6},
        "mislabels": {"shares": [0.1], "checked": [0.1, 0.5]},
        "causal": {"k": [3], "examples": 4, "random_draws": 2, "whole_net_examples": 1, "whole_net_subset": 1.0, "whole_net_k": 3},
        "arms": [{"size": "small", "subset": 1.0, "variant": ["class_conditional", "plain"]}],
    }
)
ARM = SETTINGS.arms[0].arm


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    pixels, labels = load_digits(return_X_y=True)
    wide = [np.asarray(Image.fromarray((one.reshape(8, 8) * 15).astype(np.uint8)).resize((28, 28))) for one in pixels[:80]]
    splits = [
        Split(np.stack(wide[rows]), labels[rows].astype(np.int64), tuple(f"{n:03d}" for n in range(rows.start, rows.stop)))
        for rows in (slice(0, 60), slice(60, 80))
    ]
    dark = {("ki_contrast", 3): (splits[1].pictures // 4).astype(np.uint8)}
    return Pictures(splits[0], splits[1], dark, 10, tmp_path_factory.mktemp("networks"))


def test_lists_of_factors_are_crossed_and_seeds_are_not() -> None:
    found = list(expanded({"sharing": ["I", "II"], "size": ["small", "large"], "alpha": 0.5, "seeds": [0, 1]}))
    assert len(found) == 4 and all(one["seeds"] == [0, 1] and one["alpha"] == 0.5 for one in found)
    assert {(one["sharing"], one["size"]) for one in found} == {("I", "small"), ("I", "large"), ("II", "small"), ("II", "large")}


def test_an_arm_that_is_named_twice_in_other_words_is_trained_once() -> None:
    asked = ProvenanceSettings.model_validate(
        {"arms": [{}, {"sharing": ["III", "I"]}, {"variant": "plain"}, {"variant": "plain", "alpha": 1.0}]}
    )
    assert [one.arm.variant for one in asked.arms] == ["class_conditional", "class_conditional", "plain"]
    assert len(asked.tasks()) == 9


def test_factors_that_a_variant_does_not_have_are_those_of_the_default_in_its_key() -> None:
    key = Arm(variant="plain", alpha=0.5, lambda_index=10.0, sharing="I").key()
    assert (key["alpha"], key["lambda_index"], key["sharing_level"]) == (0.0, 1.0, "none")
    assert Arm(variant="single_branch", sharing="I").key()["sharing_level"] == "all"


@pytest.mark.parametrize(
    "wrong",
    [
        {"arms": [{"variant": "two_branch", "teacher_forcing": False}]},
        {"arms": [{"sharing": "V"}]},
        {"arms": ["plain"]},
        {"arms": [{"seeds": [0]}, {"seeds": [0, 1]}]},
        {"applications": ["causal"]},
        {"seeds": []},
        {"arms": [{"varient": "plain"}]},
        {"arms": [{"seeds": 3}]},
        {"arms": [{"seeds": [-1]}]},
        {"arms": [{"seeds": [0, 0]}]},
        {"arms": [{"subset": []}]},
        {"arms": [{}], "causal": {"k": [0]}},
        {"arms": [{}], "causal": {"k": []}},
        {"arms": [{}], "wrong_conditions": [2.0]},
        {"arms": [{}], "mislabels": {"checked": [0.0]}},
        {"arms": [{}], "mislabels": {"shares": [1.5]}},
        {"arms": [{}], "attacks": {"epsilons": [-0.1]}},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProvenanceSettings.model_validate(wrong)


def test_a_factor_with_a_slip_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="unknown factor 'varient'; did you mean 'variant'"):
        ProvenanceSettings.model_validate({"arms": [{"varient": "plain"}]})


def test_an_application_is_part_of_the_hash_of_those_tasks_alone_that_read_it() -> None:
    more = SETTINGS.model_copy(update={"attacks": SETTINGS.attacks.model_copy(update={"steps": 3})})
    first, other = Task("arm", ARM, 0), Task("arm", ARM.model_copy(update={"alpha": 0.5}), 0)
    assert first.reads(SETTINGS) != first.reads(more) and other.reads(SETTINGS) == other.reads(more)
    assert Task("mislabels", ARM, 0, 0.1).reads(SETTINGS) == Task("mislabels", ARM, 0, 0.1).reads(more)


def test_tasks_survive_being_written_down() -> None:
    tasks = tasks_of(SETTINGS)
    assert [task.kind for task in tasks] == ["arm", "arm", "mislabels", "whole_net"]
    assert [Task.read(task.told()) for task in tasks] == tasks


def test_a_verdict_needs_two_seeds_and_an_interval_without_zero(pictures: Pictures) -> None:
    three = SETTINGS.model_copy(update={"seeds": (0, 1, 2)})
    base = ARM.key() | {"name": "conv_net", "class_match_top1": 0.9, "class_match_top5_share": 0.9, "membership_auc": 0.9, "n": 20}
    plain_key = ARM.model_copy(update={"variant": "plain"}).key()
    gains = (0.10, 0.12, 0.11)
    records = [base | {"seed": seed, "class_accuracy": 0.8 + gain} for seed, gain in enumerate(gains)]
    records += [base | plain_key | {"seed": seed, "class_accuracy": 0.8} for seed in range(3)]
    rows = {str(row["question"]): row for row in verdicts({"provenance_summary": records}, three)}
    assert rows["class accuracy"]["verdict"] == "better" and rows["class accuracy"]["difference"] == pytest.approx(0.11)
    assert rows["class accuracy"]["ci_low"] == pytest.approx(0.11 - 4.3026527 * 0.01 / np.sqrt(3))
    (alone,) = [
        row
        for row in verdicts({"provenance_summary": [one for one in records if one["seed"] == 0]}, three)
        if row["question"] == "class accuracy"
    ]
    assert alone["verdict"] is None and "no verdict" in str(alone["sentence"])
    assert rows["membership leak"]["verdict"] == "no_evidence"


def test_privacy_stands_beside_the_plain_classifier_of_the_seed(pictures: Pictures) -> None:
    own = judged(ARM, 0, pictures, SETTINGS)["provenance_summary"]
    other = judged(SETTINGS.arms[1].arm, 0, pictures, SETTINGS)["provenance_summary"]
    rows = {str(row["variant"]): row for row in with_privacy([*own, *other])}
    assert "plain classifier" in str(rows["class_conditional"]["privacy"]) and rows["plain"]["privacy"] is None
    assert rows["knn_class_conditional"]["privacy"] == OF_KNN and rows["knn_class_conditional"]["membership_auc"] == 1.0
    assert with_privacy(own)[0]["privacy"] is None


def test_every_table_takes_the_records_of_a_whole_study(pictures: Pictures) -> None:
    told = {task: judged(task.arm, task.seed, pictures, SETTINGS) for task in tasks_of(SETTINGS) if task.kind == "arm"}
    told[Task("mislabels", ARM, 0, 0.1)] = {"provenance_mislabels": found_labels(ARM, 0, 0.1, pictures, SETTINGS)}
    told[Task("whole_net", ARM, 0, 0)] = {"causes": of_whole_net(ARM, 0, 0, pictures, SETTINGS)}
    rows = rows_of(told, SETTINGS)
    frames = {table.name: as_table(table, "digits", rows.get(table.name, [])) for table in TABLES}
    assert set(frames["provenance_summary"]["variant"]) == {"class_conditional", "plain", "knn_class_conditional", "knn_plain"}
    shifts = frames["provenance_robustness"].groupby("variant")["shift"].agg(set)
    assert shifts["plain"] == {"none", "ki_contrast", "fgsm", "pgd"}
    errors = frames["provenance_class_errors"].set_index("wrong_share")["top5_index"]
    assert errors[0.5] <= errors[0.0]
    assert set(frames["provenance_causal"]["scope"]) == {"head", "whole_net"} and len(frames["provenance_causal"]) == 8
    assert len(frames["provenance_mislabels"]) == 10 and len(frames["provenance_epochs"]) == 2


def test_a_wrong_condition_never_names_the_input_itself(pictures: Pictures) -> None:
    whole = SETTINGS.model_copy(update={"wrong_conditions": (1.0,)})
    (row,) = judged(ARM, 0, pictures, whole)["provenance_class_errors"]
    assert row["top5_index"] == 0.0


def test_a_kept_network_answers_as_the_trained_one_and_is_not_trained_again(pictures: Pictures) -> None:
    look = each_epoch(torch.from_numpy(pictures.meta.pixels()), pictures.meta.labels, SETTINGS.epoch_examples)
    seed = 5
    first = made(ARM, seed, pictures, SETTINGS, look)
    again = made(ARM, seed, pictures, SETTINGS, look)
    assert again.seconds == first.seconds and again.trained.history == first.trained.history
    inputs = first.data.inputs
    with torch.inference_mode():
        assert torch.equal(first.network(inputs), again.network(inputs))
    without = made(ARM, seed, Pictures(pictures.train, pictures.meta, {}, 10), SETTINGS, look)
    assert without.seconds != first.seconds
    with torch.inference_mode():
        assert torch.equal(first.network(inputs), without.network(inputs))


def test_a_kept_network_of_other_examples_is_refused(pictures: Pictures) -> None:
    look = each_epoch(torch.from_numpy(pictures.meta.pixels()), pictures.meta.labels, SETTINGS.epoch_examples)
    first = made(ARM, 6, pictures, SETTINGS, look)
    assert pictures.store is not None
    (path,) = [
        file for file in pictures.store.iterdir() if file.stat().st_mtime == max(one.stat().st_mtime for one in pictures.store.iterdir())
    ]
    with pytest.raises(ArtifactError, match="remove the file"):
        find(path, ("other",), lambda: first.network)
    assert find(path.with_name("absent.safetensors"), first.data.ids, lambda: first.network) is None


def test_the_head_is_asked_about_the_class_that_is_explained(pictures: Pictures) -> None:
    records = of_head(made(ARM, 0, pictures, SETTINGS), 0, pictures, SETTINGS)
    assert {(one["method"], one["k"]) for one in records} == {(name, 3) for name in ("index_head", "knn", "tracin", "random")}
    assert len(records) == 16 and all(-1.0 <= float(str(one["change"])) <= 1.0 for one in records)


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()


def test_pictures_become_grey_squares() -> None:
    colour = np.zeros((28, 28, 3), dtype=np.uint8)
    colour[..., 1] = 255
    assert np.unique(grey(png(colour), DecodeLimits())).tolist() == [150]  # ITU-R 601: 0.587 x 255
    assert grey(png(np.full((10, 50), 7, dtype=np.uint8)), DecodeLimits()).shape == (28, 28)


def test_collected_pictures_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = [
        {"example_id": f"{n}", "label_id": n % 3, "split": "meta" if n % 4 == 0 else "adapter_train",
         "image": encode_png(generator.integers(0, 255, (28, 28), dtype=np.uint8))}
        for n in range(12)
    ]  # fmt: skip
    found = []
    for name, ordered in (("a", rows), ("b", rows[::-1])):
        plan = Collecting(tmp_path / f"{name}.npz", DecodeLimits(), 3, (("dark", 1),), lambda picture, *_: picture // 2)
        batches = pa.Table.from_pylist(ordered).select(list(COLUMNS)).to_batches(max_chunksize=5)
        (counted,) = collect(iter(batches), plan)
        assert counted.column("n").to_pylist() == [12]
        found.append(load(plan.path))
    for split in ("train", "meta"):
        a, b = (getattr(one, split) for one in found)
        assert a.ids == b.ids and np.array_equal(a.pictures, b.pictures) and np.array_equal(a.labels, b.labels)
    assert found[0].meta.ids == ("0", "4", "8") and np.array_equal(found[0].shifted["dark", 1], found[0].meta.pictures // 2)


@pytest.mark.parametrize("changed", sorted(set(ProvenanceSettings.model_fields) - {"arms", "seeds", "applications", "corruptions"}))
def test_every_setting_is_in_the_hash_of_some_task(changed: str) -> None:
    every = ProvenanceSettings.model_validate(
        {"arms": [{}], "applications": ["robustness", "class_errors", "mislabels", "causal", "generation"]}
    )
    assert any(changed in task.reads(every) for task in tasks_of(every))


def test_what_cannot_be_done_is_a_row_with_its_reason(pictures: Pictures, tmp_path: Path) -> None:
    one = Pictures(pictures.train, Split(pictures.meta.pictures[:0], pictures.meta.labels[:0], ()), {}, 10)
    path = tmp_path / "pictures.npz"
    arrays: dict[str, Any] = {"n_classes": np.asarray(10)}
    for name, split in (("adapter_train", one.train), ("meta", one.meta)):
        arrays |= {f"{name}_ids": np.asarray(split.ids, dtype="U64"), f"{name}_labels": split.labels, f"{name}_pictures": split.pictures}
    np.savez(path, **arrays)
    task = Task("whole_net", ARM, 0, 0.0)
    told = perform(task, path, SETTINGS)
    rows = rows_of({task: told}, SETTINGS)
    (row,) = rows["provenance_verdict"]
    assert "could not be done" in str(row["sentence"]) and row["verdict"] is None
    as_table(next(table for table in TABLES if table.name == "provenance_verdict"), "digits", rows["provenance_verdict"])


def test_membership_is_asked_of_pictures_of_the_same_split_where_some_are_left(pictures: Pictures) -> None:
    half = made(ARM.model_copy(update={"subset": 0.5}), 0, pictures, SETTINGS)
    others, kind = strangers(half, pictures)
    assert kind == "adapter_train" and len(others) == 20  # of 30 left, as many as meta has
    assert strangers(made(ARM, 0, pictures, SETTINGS), pictures)[1] == "meta"


def test_a_file_that_was_cut_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{")
    assert find(path, ("a",), lambda: pytest.fail("not asked for a network")) is None
