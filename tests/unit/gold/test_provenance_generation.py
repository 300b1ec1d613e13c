"""Do the rows of traceable generation hold what their columns say?"""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from gold.provenance.generation import generation, generation_records, largest_class, nearest_first, overlap, with_bytes
from gold.provenance.generation_told import generation_told
from gold.provenance.pictures import Pictures, Split
from gold.provenance.settings import GenerationSettings, ProvenanceSettings
from gold.provenance.tables import provenance_generated, provenance_generation
from gold.table import as_table, to_arrow
from models.provenance.vae_training import VaeTraining

HOW = GenerationSettings(generated=6, shown=2, training=VaeTraining(epochs=4, batch_size=8, latent=3, hidden=16, index_width=8))


def pictures(n: int, name: str) -> Split:
    draws = np.random.default_rng(n)
    pixels = draws.integers(0, 256, (n, 28, 28), dtype=np.uint8)
    return Split(pixels, draws.integers(0, 3, n), tuple(f"{name}{place:02}" for place in range(n)))


TRAIN, HELD_OUT = pictures(24, "t"), pictures(10, "m")


def shuffled(given: Split) -> Split:
    return given.only(np.random.default_rng(0).permutation(len(given.ids)))


@pytest.fixture(scope="module")
def made() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    return generation_records(TRAIN, HELD_OUT, HOW, 3)


def without_seconds(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_the_rows_are_those_of_their_tables(made):
    for spec, rows in zip((provenance_generation.SPEC, provenance_generated.SPEC), made, strict=True):
        arrow = to_arrow(spec, as_table(spec, "d", rows))
        assert arrow.schema.equals(spec.arrow_schema()) and arrow.num_rows == len(rows)
    assert as_table(provenance_generated.SPEC, "d", made[1])["image"].map(type).eq(bytes).all()


def test_neither_the_run_nor_the_order_of_the_pictures_changes_a_row(made):
    summary, shown = generation_records(shuffled(TRAIN), shuffled(HELD_OUT), HOW, 3)
    assert shown == made[1] and without_seconds(summary) == without_seconds(made[0])
    assert generation_records(TRAIN, HELD_OUT, HOW, 4)[1] != made[1]


def test_more_pictures_leave_the_first_as_they_are(made):
    assert generation_records(TRAIN, HELD_OUT, HOW.model_copy(update={"generated": 9}), 3)[1] == made[1]


def test_every_picture_that_is_shown_has_five_exemplars_by_each_method(made):
    keys = {(row["picture"], row["method"], row["rank"]) for row in made[1]}
    assert keys == {(picture, method, rank) for picture in (0, 1) for method in provenance_generated.METHODS for rank in range(1, 6)}
    assert len(made[1]) == len(keys) == 30
    for picture in (0, 1):
        head = [row["probability"] for row in made[1] if row["picture"] == picture and row["method"] == "index_head"]
        assert head == sorted(head, reverse=True) and 0 < sum(head) < 1  # 19 further training pictures have the rest
    assert {row["probability"] for row in made[1] if row["method"] != "index_head"} == {None}


def test_the_nearest_in_pixels_are_those_of_a_slow_twin_on_the_bytes_in_the_table(made):
    labels = dict(zip(TRAIN.ids, TRAIN.labels.tolist(), strict=True))
    for picture in (0, 1):
        rows = [row for row in made[1] if row["picture"] == picture]
        pixels = np.asarray(Image.open(io.BytesIO(rows[0]["image"])), dtype=np.float64) / 255
        far = {one: float(np.sqrt(((TRAIN.pictures[place] / 255 - pixels) ** 2).sum())) for place, one in enumerate(TRAIN.ids)}
        expected = sorted(far, key=far.__getitem__)[:5]
        assert [row["train_example_id"] for row in rows if row["method"] == "knn_pixel"] == expected
        for row in rows:
            assert row["pixel_distance"] == pytest.approx(far[row["train_example_id"]], abs=1e-6)
            assert row["train_label_id"] == labels[row["train_example_id"]]
        near = [row["latent_distance"] for row in rows if row["method"] == "knn_latent"]
        assert near == sorted(near) and near[-1] <= max(row["latent_distance"] for row in rows if row["method"] == "index_head")


def test_the_figures_of_a_whole_seed_are_the_means_over_its_pictures():
    summary, shown = generation_records(TRAIN, HELD_OUT, HOW.model_copy(update={"shown": 6}), 3)
    row = next(row for row in summary if row["model"] == "vae_index")
    of = {
        method: [
            [one for one in shown if (one["picture"], one["method"]) == (picture, method)] for picture in range(6)
        ]
        for method in provenance_generated.METHODS
    }  # fmt: skip
    for column, method in (("head", "index_head"), ("knn_pixel", "knn_pixel"), ("knn_latent", "knn_latent")):
        assert row[f"distance_{column}"] == pytest.approx(np.mean([one["pixel_distance"] for five in of[method] for one in five]))
        most = [max([one["train_label_id"] for one in five].count(label) for label in range(3)) / 5 for five in of[method]]
        assert row[f"one_class_{column}"] == pytest.approx(np.mean(most))
    names = {method: [{one["train_example_id"] for one in five} for five in of[method]] for method in of}
    for space in ("pixel", "latent"):
        both = [len(a & b) / 5 for a, b in zip(names["index_head"], names[f"knn_{space}"], strict=True)]
        assert row[f"overlap_{space}"] == pytest.approx(np.mean(both))
    assert row["distance_knn_pixel"] < row["distance_head"] and row["n"] == 6


def test_the_price_is_the_difference_of_the_pair(made):
    plain, head = made[0]
    assert (plain["model"], head["model"]) == ("vae", "vae_index")
    assert head["paid_reconstruction"] == pytest.approx(head["reconstruction_meta"] - plain["reconstruction_meta"])
    assert head["paid_bound"] - head["paid_reconstruction"] == pytest.approx(head["kl_meta"] - plain["kl_meta"])
    nulls = {name for name, value in plain.items() if value is None}
    assert {"paid_bound", "top1_index", "overlap_pixel", "distance_head", "one_class_head"} <= nulls and plain["reason"]
    # first weights, batches and noise are equal: what the head changes in four epochs is small, and not nothing
    assert 0 < abs(head["paid_reconstruction"]) < 0.02 * plain["reconstruction_meta"]


def test_without_held_out_pictures_their_figures_are_null_and_it_says_so():
    none = HELD_OUT.only(np.zeros(0, dtype=np.int64))
    summary, shown = generation_records(TRAIN, none, HOW, 3)
    assert [row["reconstruction_meta"] for row in summary] == [None, None] and len(shown) == 30
    assert all("no held-out pictures" in row["reason"] for row in summary) and summary[1]["paid_bound"] is None


def test_four_training_pictures_are_too_few_to_name_five():
    with pytest.raises(ValueError, match="5 training pictures, found 4"):
        generation_records(pictures(4, "t"), HELD_OUT, HOW, 3)


def test_a_task_keeps_its_records_as_json_and_learns_from_the_subset_alone():
    settings = ProvenanceSettings(generation=HOW.model_copy(update={"subset": 0.5}))
    told = json.loads(json.dumps(generation(3, Pictures(TRAIN, HELD_OUT, {}, 3), settings)))
    shown = with_bytes(told["provenance_generated"])
    spec, halves = provenance_generated.SPEC, sum((size + 1) // 2 for size in np.bincount(TRAIN.labels))  # rounded per class
    assert to_arrow(spec, as_table(spec, "d", shown)).num_rows == 30
    assert np.asarray(Image.open(io.BytesIO(shown[0]["image"]))).shape == (28, 28)
    assert {row["n_train"] for row in told["provenance_generation"]} == {halves} and halves < 24


def test_overlap_nearness_and_largest_class_by_hand():
    assert overlap(np.array([[1, 2, 3, 4, 5]]), np.array([[5, 9, 1, 8, 7]])) == pytest.approx(2 / 5)
    assert overlap(np.array([[1, 2], [3, 4]]), np.array([[2, 1], [5, 6]])) == pytest.approx(1 / 2)
    assert nearest_first(np.array([[2.0, 1.0, 2.0, 0.5]]), 4).tolist() == [[3, 1, 0, 2]]
    # largest classes of 3 and 2 among five: (3/5 + 2/5) / 2
    assert largest_class(np.array([[7, 7, 1, 2, 7], [0, 0, 1, 1, 2]])) == pytest.approx(0.5)


def row(seed: int, paid: float, bound: float, **more: float) -> dict[str, object]:
    kept: dict[str, object] = {"model": "vae_index", "seed": seed, "n_train": 1000, "reconstruction_meta": 100.0}
    same = dict.fromkeys(("overlap_pixel", "overlap_latent", "one_class_random", "one_class_knn_pixel", "one_class_knn_latent"), 0.25)
    far = dict.fromkeys(("distance_head", "distance_random", "distance_knn_pixel", "distance_knn_latent"), 5.0)
    return kept | same | far | {"one_class_head": 0.5, "paid_reconstruction": paid, "paid_bound": bound} | more


def test_the_price_is_told_by_the_bound_with_its_interval_over_seeds():
    # by hand: 1, 2, 3 have mean 2, standard deviation 1 and t 4.302653: 2 -+ 4.302653 / sqrt(3) = -0.48 to 4.48
    said = generation_told([row(seed, paid=-1.0, bound=float(seed)) for seed in (1, 2, 3)])
    assert "100.0 nats, by -1.00 (-1.00 to -1.00, 95 % over 3 seeds)" in said[0]
    assert "by +2.00 (-0.48 to +4.48, 95 % over 3 seeds): these seeds cannot tell." in said[0]
    sure = generation_told([row(seed, paid=-1.0, bound=2.0 + seed / 10) for seed in (1, 2, 3)])
    assert sure[0].endswith("the head costs something.")
    assert "25 % are among the five nearest in latent space" in said[1] and "(five at random: 0.5 %)" in said[1]
    assert "0.500 by the head, 0.250 by latent kNN (the head less it: +0.250 (+0.250 to +0.250" in said[2]


def test_one_seed_has_no_interval_and_no_head_has_no_sentence():
    alone = generation_told([row(0, paid=1.0, bound=2.0)])
    assert "by +2.00 (one seed, no interval): these seeds cannot tell." in alone[0]
    assert generation_told([{"model": "vae", "seed": 0}]) == ()
    bare = [{"model": "vae_index", "seed": 0} | dict.fromkeys(row(0, 1.0, 2.0).keys() - {"model", "seed"})]
    assert generation_told(bare) == ()
