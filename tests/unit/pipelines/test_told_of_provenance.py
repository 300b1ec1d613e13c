"""What a person is shown of provenance: one answer with its exemplars, and networks beside kNN."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from gold.provenance.arms import Arm
from gold.provenance.settings import ProvenanceSettings
from models.decode import encode_png
from pipelines.plan.provenance import write_networks
from pipelines.told_of_provenance import SIDE, answer, art, summary


def named(ids: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"rank": rank, "train_example_id": one, "probability": 0.5 / rank, "distance": 0.1, "predicted_id": 1, "name": "slots"}
            for rank, one in enumerate(ids, start=1)
        ]
    )


def test_a_picture_is_drawn_darkest_where_it_is_brightest() -> None:
    picture = np.zeros((20, 20), dtype=np.uint8)
    picture[:2] = 255
    drawn = art(encode_png(picture))
    assert drawn == ["@" * 2 * SIDE, *[" " * 2 * SIDE] * (SIDE - 1)]


def test_an_answer_stands_beside_its_exemplars_with_their_labels() -> None:
    blank = encode_png(np.zeros((8, 8), dtype=np.uint8))
    shown = pd.DataFrame(
        {"example_id": ["x", "a", "b"], "label": ["seven", "one", "one"], "label_id": [7, 1, 1], "image": [blank] * 3, "text": [None] * 3}
    ).set_index("example_id")
    text = answer("x", named(["a", "b"]), shown)
    assert "x is seven, and the head slots takes it for one" in text
    assert "asked (seven)" in text and "1. 0.500 (one)" in text and "2. 0.250 (one)" in text


def test_texts_of_strangers_cannot_write_to_the_terminal() -> None:
    shown = pd.DataFrame(
        {"example_id": ["x", "a"], "label": ["buy", "s\x1bell"], "label_id": [0, 1], "image": [None] * 2, "text": ["one\x1b[2J", "two"]}
    ).set_index("example_id")
    text = answer("x", named(["a"]), shown)
    assert "\x1b" not in text and "one\\x1b[2J" in text and "for s\\x1bell" in text


def test_the_summary_is_one_line_per_network_and_means_over_seeds() -> None:
    figures = dict.fromkeys(("top1_index", "top5_index", "class_match_top1", "class_match_top5_share", "membership_auc"), 0.5)
    same = figures | {"name": "conv_net", "model_size": "small", "subset": 1.0, "n": 7}
    seeds = [(name, seed) for name in ("plain", "knn_plain") for seed in (0, 1)]
    rows = [same | {"variant": name, "seed": seed, "class_accuracy": 0.9 + 0.01 * seed} for name, seed in seeds]
    first = Arm(variant="plain", size="small", subset=1.0)
    rows = [first.key() | one for one in rows] + [first.key() | rows[0] | {"alpha": 0.5, "class_accuracy": 0.0}]
    lines = summary(pd.DataFrame(rows), first).splitlines()
    assert len(lines) == 5 and lines[-1].split()[:5] == ["conv_net", "plain", "small", "1.000", "0.905"]
    assert summary(pd.DataFrame(rows), None) == "" and summary(pd.DataFrame(), first) == ""


class Unwritten:
    def generation(self, table: object) -> None:
        """No generation: nothing was written."""


def test_a_plan_says_how_many_networks_wait() -> None:
    told = io.StringIO()
    asked = ProvenanceSettings.model_validate({"arms": [{"alpha": [0.0, 0.5]}], "applications": ["mislabels"], "seeds": [0, 1]})
    write_networks(Unwritten(), asked, told)  # type: ignore[arg-type]  # of the ledger one question alone is asked
    assert "4 of 40 epochs; besides 4 mislabels; gold has no such rows" in told.getvalue()
    silent = io.StringIO()
    write_networks(Unwritten(), ProvenanceSettings(), silent)  # type: ignore[arg-type]  # as above
    assert silent.getvalue() == ""
