"""Does the page name the training examples behind answers and generated pictures, and obey none of their names?"""

from __future__ import annotations

import base64
import io
import re
from html import unescape
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from PIL import Image

from bronze.specs import EXAMPLES
from gold.provenance.tables.provenance_summary import SPEC as NETWORKS
from lake.audit import CELLS
from models.decode import DecodeLimits, encode_png
from pipelines.report.command import report
from pipelines.report.provenance.examples import address
from pipelines.report.section import shown
from pipelines.report.sections import provenance
from pipelines.report.source import Reading, Room
from silver.specs import ADAPTERS, EXEMPLARS, HEADS, PREDICTIONS
from tests.report_sources import HOSTILE, TURNED, picture, reading_of
from tests.small_lake import NEW, cell, write_table


def words(markup: object) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", str(markup))).split())


def example(name: str, label: str, label_id: int = 0, image: bytes | None = None, text: str | None = None) -> dict[str, object]:
    return {
        "example_id": name,
        "modality": "text" if image is None else "image",
        "split": "meta",
        "label": label,
        "label_id": label_id,
        "image": image,
        "text": text,
        "settings_id": "s",
    }


def generated(number: int, seed: int = 0, rank: int = 1, method: str = "index_head", named: str = "t0") -> dict[str, object]:
    row = {"seed": seed, "picture": number, "method": method, "rank": rank, "train_example_id": named, "pixel_distance": 4.25}
    image = encode_png(np.full((28, 28), 10 * number, dtype=np.uint8))
    return row | {"probability": 0.125 if method == "index_head" else None, "image": image}


METHODS = ("index_head", "knn_pixel", "knn_latent")


def grid_tables(pictures: int = 3) -> dict[str, list[dict[str, object]]]:
    rows = [generated(number, seed, rank, method, f"t{rank}") for seed in (0, 1) for number in range(pictures) for method in METHODS
            for rank in range(1, 6)]  # fmt: skip
    return {"gold.provenance_generated": rows, "bronze.examples_current": [example(f"t{n}", f"<b>{n}", n, picture(n)) for n in range(1, 5)]}


def test_a_generated_picture_stands_beside_the_five_of_each_method_and_what_is_gone_is_framed():
    drawn = str(provenance.draw(reading_of(grid_tables())))
    # by hand, of one seed: 3 generated pictures, and of 3 methods 4 of 5 exemplars; t5 is not among the examples of the lake
    assert drawn.count("<image ") == 3 + 3 * 3 * 4 and drawn.count('class="frame"') == 3 * 3
    assert drawn.count("&lt;b&gt;2, at pixel distance 4.25, probability 12.5 %") == 3
    assert drawn.count("&lt;b&gt;2, at pixel distance 4.25</title>") == 6 and "<b>2" not in drawn
    assert drawn.count("no longer in the lake") == 9
    assert set(re.findall(r'href="(.{22})', drawn)) == {"data:image/png;base64,"}


def test_every_picture_of_the_grid_stands_in_a_place_of_its_own():
    drawn = str(provenance.draw(reading_of(grid_tables())))
    places = re.findall(r'<(?:image|rect) x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', drawn)
    assert len(places) == len(set(places)) == 3 * 16
    xs = sorted({float(x) for x, _, _ in places})
    assert len(xs) == 16 and min(b - a for a, b in pairwise(xs)) >= 40  # as wide as a picture


def test_no_more_pictures_than_there_is_room_for_the_first_ones_first():
    drawn = str(provenance.draw(reading_of(grid_tables(pictures=20), Room(failures=4))))
    assert [f"generated picture {n}<" in drawn for n in range(6)] == [True] * 4 + [False] * 2 and "The first 4 pictures" in drawn


def test_what_the_head_costs_is_told_over_seeds():
    of = {"model": "vae_index", "n_train": 100, "reconstruction_meta": 90.0, "paid_reconstruction": 1.0}
    rows = [of | {"seed": seed, "paid_bound": 2.0 + seed} for seed in (0, 1)]
    said = words(provenance.draw(reading_of({"gold.provenance_generation": rows})))
    # by hand: 2 and 3 have mean 2.5, standard deviation 0.7071 and t 12.7062 with one degree of freedom: 2.5 -+ 6.3531
    assert "by +2.50 (-3.85 to +8.85, 95 % over 2 seeds): these seeds cannot tell." in said


def summary(variant: str, seed: int, accuracy: float | None, **more: object) -> dict[str, object]:
    row = {"variant": variant, "model_size": "large", "subset": 0.3, "alpha": 0.0, "sharing_level": "III", "lambda_class": 1.0}
    row |= {"lambda_index": 1.0, "selection": "stratified", "teacher_forcing": True, "seed": seed, "class_accuracy": accuracy, "n": 1000}
    return row | {"top1_index": None, "top5_index": 0.5, "membership_auc": 0.75} | more


def test_networks_stand_once_with_the_mean_over_seeds_and_knn_right_behind():
    rows = [
        summary("knn_two_branch", 0, 0.8),
        *(summary("two_branch", seed, 0.9 + seed / 100) for seed in (0, 1, 2)),
        summary("plain", 0, 0.7),
    ]
    rows.append(summary("two_branch", 0, 0.5, subset=0.9, membership_auc=0.9876))
    said = words(provenance.draw(reading_of({"gold.provenance_summary": rows})))
    # by hand: the mean of 0.90, 0.91, 0.92 is 91 %
    assert "two branch large 30 % 0 III 1 1 91.0 % – 50.0 % – – 0.750 3 1,000" in said
    order = [said.index(name) for name in ("plain large", "two branch large 30 %", "knn two branch large", "two branch large 90 %")]
    assert order == sorted(order)
    assert "largest membership AUC of a network is 0.988, of two branch" in said and "privacy leak as much as a feature" in said


def test_what_is_unusual_about_a_network_keeps_it_apart():
    rows = [summary("class_conditional", 0, 0.9), summary("class_conditional", 0, 0.4, teacher_forcing=False, selection="boundary")]
    said = words(provenance.draw(reading_of({"gold.provenance_summary": rows})))
    assert "90.0 %" in said and "40.0 %" in said and "boundary, told the predicted class in training" in said


def test_sentences_of_verdicts_stand_there_and_do_nothing():
    tables = {"gold.provenance_summary": [summary("plain", 0, 0.7)]}
    tables["gold.provenance_verdict"] = [
        {"question": f"q{place:02}", "variant": "x", "sentence": f"{HOSTILE} {place}."} for place in range(15)
    ]
    drawn = str(provenance.draw(reading_of(tables)))
    assert drawn.count("<li>") == 12 and "3 further comparisons" in drawn and "<script" not in drawn


def answers(modality: str, adapters: int = 3) -> dict[str, list[dict[str, object]]]:
    """Of examples e0 to e7 (labels 0 and 1 in turn) all are wrong but e6 and e7; heads: two nets and kNN."""

    def given(name: str, number: int) -> dict[str, object]:
        content = {"image": picture(number)} if modality == "image" else {"text": f"{name} {HOSTILE} {TURNED}"}
        return example(name, f"<i>{number % 2}", number % 2, **content)

    known = [*(given(f"e{n}", n) for n in range(8)), *(given(f"t{n}", 20 + n) for n in range(5))]
    said = [{"example_id": f"e{n}", "adapter_id": f"a{a}", "predicted_id": 1 - n % 2 if n < 6 and a else n % 2,
             "is_correct": not (n < 6 and a > 0)} for n in range(8) for a in range(adapters)]  # fmt: skip
    heads = [{"head_id": f"h-{name}", "name": name, "variant": variant, "settings_id": "s"}
             for name, variant in (("b", "two_branch"), ("c", "class_conditional"), ("knn", "knn"))]  # fmt: skip
    named = []
    for n, head, rank in product(range(8), heads, range(1, 6)):
        row = {"example_id": f"e{n}", "head_id": head["head_id"], "rank": rank, "train_example_id": f"t{rank - 1}"}
        told = n % 2 if head["name"] == "knn" else 1 - n % 2
        named.append(row | {"probability": 0.5**rank, "predicted_id": told, "train_label_id": rank % 2})
    return {
        "bronze.examples_current": known,
        "silver.predictions_current": said,
        "silver.heads_current": heads,
        "silver.exemplars_current": named,
    }


def test_wrong_answers_have_the_five_of_the_class_conditional_head_and_of_knn():
    drawn = str(provenance.draw(reading_of(answers("image"), Room(failures=8))))
    assert drawn.count('<article class="card">') == 4  # half as many as failures
    # by hand: per card the input, and five exemplars of each of two heads
    assert drawn.count("<image ") == 4 * 11
    # the net says the other class, kNN the true one
    assert len(re.findall(r">c says &lt;i&gt;[01]</text>", drawn)) == len(re.findall(r">knn says &lt;i&gt;[01]</text>", drawn)) == 4
    assert ">b says" not in drawn
    assert words(drawn).count("by 2 of 3 adapters") == 4 and "<i>" not in drawn
    assert set(re.findall(r"example <bdi>(e\d)</bdi>", drawn)).isdisjoint({"e6", "e7"})


def test_labels_take_turns_and_the_order_of_rows_changes_nothing():
    tables = answers("image")
    drawn = str(provenance.draw(reading_of(tables, Room(failures=8))))
    taken = re.findall(r"example <bdi>e(\d)</bdi>", drawn)
    assert [int(n) % 2 for n in taken] in ([0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1])
    again = {name: rows[::-1] for name, rows in tables.items()}
    assert str(provenance.draw(reading_of(again, Room(failures=8)))) == drawn


def test_texts_stand_as_texts():
    drawn = str(provenance.draw(reading_of(answers("text"), Room(failures=4))))
    assert drawn.count("<ol>") == 2 * 2 and drawn.count("<li>") == 2 * 2 * 5
    assert "<script" not in drawn and "\u202e" not in drawn and "50.0 %" in drawn and "<image" not in drawn


def test_the_section_says_in_one_sentence_what_lacks_and_needs_no_more_than_one_table():
    alone = reading_of({"bronze.examples_current": [example("e", "x")]}).source
    said = words(shown(provenance.SECTION, alone, "d", 1))
    assert "Provenance is left out: this lake has no gold.provenance_summary and no" in said and "bronze" not in said
    empty = words(shown(provenance.SECTION, reading_of({"audit.runs": [{"run_id": "r"}]}).source, "d", 1))
    assert empty == said  # what is only used beside the others is not missed
    other = reading_of({"gold.provenance_summary": [summary("plain", 0, 0.5)]}, dataset="other").source
    assert "gold.provenance_summary has no rows of this dataset" in words(shown(provenance.SECTION, other, "d", 1))
    there = reading_of({"gold.provenance_summary": [summary("plain", 0, 0.5)]}).source
    assert "left out" not in words(shown(provenance.SECTION, there, "d", 1))


def test_exemplars_without_predictions_or_heads_are_left_out():
    tables = {name: rows for name, rows in answers("image").items() if name != "silver.predictions_current"}
    assert provenance.draw(reading_of(tables)) is None
    reading = reading_of(answers("image"))
    assert provenance.draw(Reading(reading.source, "another")) is None


def test_a_lake_of_delta_tables_shows_its_exemplars(tmp_path: Path):
    tables = answers("image")
    kept = {"dataset": "d", "settings_id": NEW}
    for spec in (EXAMPLES, PREDICTIONS, HEADS, EXEMPLARS):
        rows = [row | kept for row in tables[f"{spec.full_name}_current"]]
        write_table(tmp_path, spec, [{name: row.get(name) for name in spec.column_names} for row in rows])
    cells = [cell("bronze.examples", NEW, 1), *(cell("silver.predictions", NEW, 1, f"a{n}") for n in range(3))]
    write_table(tmp_path, CELLS, [*cells, cell("silver.heads", NEW, 1), cell("silver.exemplars", NEW, 1)])
    about = {"dataset": "d", "adapter_id": "a0", "settings_id": NEW, "name": "a0", "status": "ready"}
    write_table(tmp_path, ADAPTERS, [about])
    write_table(tmp_path, CELLS, [cell("silver.adapters", NEW, 1, "a0")])
    report(str(tmp_path), None, io.StringIO())
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<image ") == 6 * 11 and "silver.exemplars version 0" in page and "bronze.examples version 0" in page


def test_a_lake_of_networks_without_an_adapter_shows_them(tmp_path: Path):
    write_table(tmp_path, NETWORKS, [{"dataset": "d"} | summary("plain", 0, 0.7)])
    report(str(tmp_path), None, io.StringIO())
    page = words((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "no adapters yet" not in page and "70.0 %" in page and "gold.provenance_summary version 0" in page


def test_a_picture_is_made_small_in_proportion():
    held = io.BytesIO()
    Image.new("RGB", (200, 100), "red").save(held, "PNG")
    made = address(held.getvalue(), 50, DecodeLimits())
    assert Image.open(io.BytesIO(base64.b64decode(made.partition(",")[2]))).size == (50, 25)
    small = address(picture(0), 50, DecodeLimits())
    assert Image.open(io.BytesIO(base64.b64decode(small.partition(",")[2]))).size == (16, 16)  # never made larger
