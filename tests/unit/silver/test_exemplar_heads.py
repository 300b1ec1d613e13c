"""What is a head, what makes it another, and which folders are refused?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from models.errors import ArtifactError
from silver.exemplars.artifact import WEIGHTS, load_head
from silver.exemplars.manifest import MANIFEST, HeadManifest, read_manifest
from silver.exemplars.plan import ExemplarPlan
from silver.exemplars.ranks import BLOCK, named
from silver.exemplars.settings import ExemplarSettings, HeadSettings
from silver.exemplars.train import TRAINED_SCHEMA, figures_of, make_head, train_heads
from silver.exemplars.training_set import VECTORS, TrainingExamples, fingerprint_of, load
from silver.specs import PROVENANCE
from tests.unit.silver.exemplar_rows import ALL, LABELS, SLOTS, batch, collected, made, plan_of, training_rows, without


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> ExemplarPlan:
    return made(plan_of(tmp_path_factory.mktemp("heads"), SLOTS, ALL))


def copy_of(world: ExemplarPlan, tmp_path: Path) -> Path:
    """A head's folder, to be damaged."""
    folder = tmp_path / "head"
    folder.mkdir()
    for file in world.head_folder(world.heads[1]).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"heads": [SLOTS, SLOTS]}, "names of heads must differ, found slots"),
        ({"heads": [{"name": "knn"}]}, "'knn' is taken"),
        ({"heads": [{"name": "attention"}]}, "'attention' is taken"),
        ({"heads": [{"name": "a__b"}]}, "pattern"),
        ({"heads": [{"name": "a", "training": {"shift": 2}}]}, "training.shift moves pictures"),
        ({"heads": [{"name": "a", "variant": "plain"}]}, "class_conditional"),
        ({"k": 0}, "greater than or equal to 1"),
        ({"head": []}, "Extra inputs"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tree: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ExemplarSettings.model_validate(tree)


def test_a_head_is_its_settings_its_embeddings_and_its_training_examples_and_nothing_else(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, SLOTS)
    knn, slots = plan.heads
    assert (knn.name, knn.settings, slots.name) == ("knn", None, "slots")
    same = [plan_of(tmp_path / "elsewhere", SLOTS), plan_of(tmp_path, ALL, SLOTS), plan_of(tmp_path, SLOTS, k=9), without(plan, "t00")]
    assert {one.heads[-1].head_id for one in same} == {slots.head_id}
    changed = [plan_of(tmp_path, SLOTS | {"hidden": 33}), plan_of(tmp_path, SLOTS | {"seed": 1}), plan_of(tmp_path, SLOTS | {"name": "b"})]
    other = ExemplarPlan(**vars(plan) | {"embeddings_id": "w" * 16}), ExemplarPlan(**vars(plan) | {"fingerprint": "0" * 32})
    ids = [one.heads[-1].head_id for one in (plan, *changed, *other)]
    assert len(set(ids)) == len(ids)
    assert len({one.heads[0].head_id for one in (plan, *other)}) == 3 and {one.heads[0].head_id for one in changed} == {knn.head_id}


def test_more_ranks_are_more_rows_of_one_generation_and_a_withdrawal_makes_another(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, SLOTS)
    more, less = plan_of(tmp_path, SLOTS, k=7), without(plan, "t03")
    slots = plan.heads[1]
    assert more.exemplar_settings(slots) == plan.exemplar_settings(slots) != less.exemplar_settings(slots)
    assert without(plan, "t03", "t01").exemplar_settings(slots) == without(plan, "t01", "t03").exemplar_settings(slots)
    # the entropy of five is none of seven
    ids = [[part.settings_id for part in one.parts("p")] for one in (plan, more, less)]
    assert len({identity for found in ids for identity in found}) == 6
    assert [part.name for part in plan.parts("p")] == ["provenance:knn", "provenance:slots"]
    assert {part.group for part in plan.parts("p")} == {PROVENANCE}


def test_which_examples_are_known_is_a_matter_of_ids_and_labels_not_of_their_order() -> None:
    assert fingerprint_of(["a", "b"], [0, 1]) == fingerprint_of(["b", "a"], [1, 0])
    assert len({fingerprint_of(*one) for one in ((["a", "b"], [0, 1]), (["a", "b"], [1, 0]), (["a"], [0]), (["a", "c"], [0, 1]))}) == 4


def test_another_order_of_the_training_set_makes_the_same_folders_byte_by_byte(world: ExemplarPlan, tmp_path: Path) -> None:
    plan = plan_of(tmp_path, SLOTS)
    collected(plan, training_rows()[::-1])
    known = load(plan.training_folder, plan.fingerprint)
    make_head(plan.heads[1], known, plan.labels, plan.head_folder(plan.heads[1]))
    assert plan.training_folder.name == world.training_folder.name and plan.heads[1].head_id == world.heads[1].head_id
    for one, name in ((plan.training_folder, VECTORS), (plan.training_folder, MANIFEST), (plan.head_folder(plan.heads[1]), WEIGHTS)):
        assert (one / name).read_bytes() == (world.folder / one.name / name).read_bytes()


def test_a_head_knows_its_training_inputs_and_says_how_well(world: ExemplarPlan) -> None:
    known = load(world.training_folder, world.fingerprint)
    for head, n_slots in zip(world.heads, (12, 6, 12), strict=True):  # all; the largest class; all
        kept = load_head(world.head_folder(head), world.fingerprint)
        manifest = kept.manifest
        assert manifest.n_slots == n_slots and manifest.example_ids == known.ids and manifest.labels == LABELS
        assert vars(figures_of(kept.network, known)) == {
            name: getattr(manifest, name) for name in ("class_accuracy", "top1_index", "top5_index")
        }
        assert manifest.top5_index >= manifest.top1_index >= 0.9  # twelve examples, 150 passes
    knn = read_manifest(world.head_folder(world.heads[0]), HeadManifest)
    assert (knn.top1_index, knn.parameters, knn.epochs) == (1.0, 0, None)
    assert knn.class_accuracy == 11 / 12  # the only one of its class has no neighbour of it


def test_a_class_conditional_head_never_names_another_classs_example_and_masks_what_it_has_not(world: ExemplarPlan) -> None:
    known = load(world.training_folder, world.fingerprint)
    asked = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    found = named(load_head(world.head_folder(world.heads[1]), world.fingerprint).network, known, asked, 5, None)
    assert set(found.predicted) == {0, 1, 2}
    there = found.positions >= 0
    np.testing.assert_array_equal(known.labels[found.positions][there], np.repeat(found.predicted[:, None], 5, axis=1)[there])
    sizes = np.minimum(np.array([6, 5, 1])[found.predicted], 5)
    np.testing.assert_array_equal(there.sum(axis=1), sizes)
    assert (found.probability[~there] == 0).all() and (found.probability[there] > 0).all()
    np.testing.assert_allclose(found.probability[found.predicted > 0].sum(axis=1), 1.0, atol=1e-6)  # five or one: all are named


@pytest.mark.parametrize("place", [0, 1, 2], ids=["knn", "class_conditional", "two_branch"])
def test_what_is_named_does_not_depend_on_the_neighbours_in_a_batch(world: ExemplarPlan, place: int) -> None:
    known = load(world.training_folder, world.fingerprint)
    network = load_head(world.head_folder(world.heads[place]), world.fingerprint).network
    asked = np.random.default_rng(1).normal(size=(BLOCK + 3, 4)).astype(np.float32)
    whole = named(network, known, asked, 5, None)
    order = np.random.default_rng(2).permutation(len(asked))
    parts = [named(network, known, asked[part], 5, None) for part in np.array_split(order, 7)]
    for name in ("positions", "probability", "predicted"):
        np.testing.assert_array_equal(np.concatenate([getattr(one, name) for one in parts]), getattr(whole, name)[order])


def test_the_nearest_are_those_of_the_largest_cosine(world: ExemplarPlan) -> None:
    known = load(world.training_folder, world.fingerprint)
    asked = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32)
    found = named(None, known, asked, 3, None)
    for row, vector in enumerate(asked.astype(np.float64)):
        cosine = [float(vector @ one / np.linalg.norm(vector) / np.linalg.norm(one)) for one in known.vectors.astype(np.float64)]
        best = sorted(range(12), key=lambda place: -cosine[place])[:3]
        assert found.positions[row].tolist() == best and found.predicted[row] == known.labels[best[0]]
        np.testing.assert_allclose(found.probability[row], np.exp(cosine)[best] / np.exp(cosine).sum(), atol=1e-6)


def test_a_head_of_other_training_examples_is_refused(world: ExemplarPlan) -> None:
    with pytest.raises(ArtifactError, match=r"training_mismatch: this head must know the training examples 0+, found .*run again"):
        load_head(world.head_folder(world.heads[1]), "0" * 32)
    with pytest.raises(ArtifactError, match=r"training_mismatch: this folder of training examples"):
        load(world.training_folder, "0" * 32)


@pytest.mark.parametrize("cut", [10, 4000])
def test_a_truncated_head_is_refused(world: ExemplarPlan, tmp_path: Path, cut: int) -> None:
    folder = copy_of(world, tmp_path)
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ArtifactError, match=r"bad_safetensors: .*again"):
        load_head(folder, world.fingerprint)


def test_an_edited_head_is_refused(world: ExemplarPlan, tmp_path: Path) -> None:
    folder = copy_of(world, tmp_path)
    weights, manifest = (folder / WEIGHTS).read_bytes(), (folder / MANIFEST).read_text()
    (folder / WEIGHTS).write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    with pytest.raises(ArtifactError, match=r"bad_safetensors: .* is not what its manifest vouches for"):
        load_head(folder, world.fingerprint)
    (folder / WEIGHTS).write_bytes(weights)
    told = json.loads(manifest)
    told["example_ids"][0], told["example_ids"][1] = told["example_ids"][1], told["example_ids"][0]
    (folder / MANIFEST).write_text(json.dumps(told))
    with pytest.raises(ArtifactError, match=r"bad_config: .* is not as it was written"):
        load_head(folder, world.fingerprint)
    (folder / MANIFEST).write_text(manifest)
    (folder / WEIGHTS).unlink()
    with pytest.raises(ArtifactError, match=r"not_a_file"):
        load_head(folder, world.fingerprint)
    (folder / MANIFEST).unlink()
    with pytest.raises(ArtifactError, match=r"not_a_file: .*manifest\.json must be there"):
        load_head(folder, world.fingerprint)


def test_a_head_that_diverges_is_a_row_with_an_error_and_leaves_no_folder(tmp_path: Path) -> None:
    wild = HeadSettings.model_validate(SLOTS | {"name": "wild", "training": {"learning_rate": 1e30, "epochs": 3, "batch_size": 4}})
    plan = collected(plan_of(tmp_path, wild.model_dump(), SLOTS))
    import pyarrow as pa

    ids = pa.RecordBatch.from_pylist([{"head_id": head.head_id} for head in plan.heads])
    rows = [row for one in train_heads(iter([ids]), plan) for row in one.to_pylist()]
    assert TRAINED_SCHEMA.names == list(rows[0])
    assert [row["error_code"] for row in rows] == [None, "nonfinite", None]
    assert rows[1]["message"].startswith("head wild: training must end with finite weights")
    assert [plan.head_folder(head).exists() for head in plan.heads] == [True, False, True]


def test_a_head_that_is_there_is_not_trained_again(world: ExemplarPlan) -> None:
    nothing = TrainingExamples((), np.zeros(0, dtype=np.int64), np.zeros((0, 4), dtype=np.float32))
    make_head(world.heads[1], nothing, LABELS, world.head_folder(world.heads[1]))  # would raise if it trained


def test_training_examples_that_changed_meanwhile_are_refused(tmp_path: Path) -> None:
    from silver.exemplars.training_set import collect

    plan = plan_of(tmp_path, SLOTS)
    with pytest.raises(ArtifactError, match="training_mismatch: training examples changed while they were read"):
        list(collect(iter([batch(training_rows()[1:])]), plan.training_folder, plan.fingerprint))
    assert not plan.training_folder.exists()
