"""Is the IG prior read from the twin alone, under the labels that are trained?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.backbone_record import TextBackbone
from models.errors import ArtifactError
from models.ig_prior import ig_prior
from models.text_recipe import Choice, twin_of
from models.text_selection import selected
from tests.text_training_worlds import LABELS, hybrid, recipe, scored, simple, trained


def test_an_ig_prior_is_the_twins_and_no_other_adapters(backbone: TextBackbone, tmp_path: Path) -> None:
    own = hybrid(shots=4, label_noise=0.1, epochs=1)
    train, val = simple(24), simple(12, 100)
    twin = trained(backbone, tmp_path / "zoo" / "twin", twin_of(own), train)
    adapter, ready, scoring = scored(twin.folder, backbone, tmp_path / "merged")
    found = ig_prior(own, adapter, ready, scoring, LABELS, train, val, steps=4)
    assert len(found) == 12
    # by hand for one text: |sum over its tokens| of the scorer's integrated gradients for the label it is trained under
    examples = selected(Choice.of(own), train, 3).examples
    texts = scoring.prepare(examples.texts)
    values = scoring.scorer(ready).integrated_gradients(texts, examples.label_ids, 4).values
    for row, example_id in enumerate(examples.example_ids):
        np.testing.assert_array_equal(found[example_id], np.abs(values[row][texts.included[row]]))
    for wrong in (own.model_copy(update={"shots": 5}), own.model_copy(update={"label_noise": 0.2})):
        with pytest.raises(ArtifactError, match="must come from its twin"):
            ig_prior(wrong, adapter, ready, scoring, LABELS, train, val)
    with pytest.raises(ArtifactError, match="must come from its twin"):
        ig_prior(own, adapter, ready, scoring, LABELS, train.take(range(23)), val)


def test_an_ig_prior_is_read_from_the_twins_own_tensors_under_the_label_order_they_have(backbone: TextBackbone, tmp_path: Path) -> None:
    own, train, val = hybrid(shots=4, epochs=1), simple(24), simple(12, 100)
    twin = trained(backbone, tmp_path / "zoo" / "twin", twin_of(own), train)
    seen_more = trained(backbone, tmp_path / "zoo" / "more", recipe(epochs=1), train)
    adapter, ready, scoring = scored(twin.folder, backbone, tmp_path / "merged")
    _, other, _ = scored(seen_more.folder, backbone, tmp_path / "merged")
    with pytest.raises(ArtifactError, match="must be scored with its twin") as refused:
        ig_prior(own, adapter, other, scoring, LABELS, train, val)
    assert refused.value.code == "tensor_mismatch"
    # merged tensors whose logit 1 is the dataset's label 0, and so on: label i is asked for at place label_order[i]
    turned = replace(ready, label_order=(1, 2, 0))
    found = ig_prior(own, adapter, turned, scoring, LABELS, train, val)
    examples = selected(Choice.of(own), train, 3).examples
    texts = scoring.prepare(examples.texts)
    values = scoring.scorer(ready).integrated_gradients(texts, (examples.label_ids + 1) % 3, 8).values
    for row, example_id in enumerate(examples.example_ids):
        np.testing.assert_array_equal(found[example_id], np.abs(values[row][texts.included[row]]))
