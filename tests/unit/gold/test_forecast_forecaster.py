"""What is kept of a forecast scores the same after it was stored, and anything else is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gold.forecast.calibrated import Map
from gold.forecast.cells import Spread
from gold.forecast.forecaster import (
    CURRENT,
    SPEC,
    Forecaster,
    Origin,
    Part,
    Spec,
    is_pointed,
    load,
    model_name,
    newest,
    pack,
    point,
    save,
    why_none,
)
from gold.forecast.learners import boost
from gold.forecast.regimes import parts_of
from models.errors import ArtifactError
from tests.unit.gold.forecast_frames import SMALL

COLUMNS = ("confidence", "xai__lime__ranking__gini")
X = np.random.default_rng(0).standard_normal((300, 2))
PARTS = np.arange(300) % 2
MODEL = model_name(1)


@pytest.fixture(scope="module")
def kept() -> Forecaster:
    """Trees on three columns, the last the logit of the cell's rate."""
    generator = np.random.default_rng(1)
    x = np.hstack([X, generator.choice([-1.0, 0.5], (300, 1))])
    failed = generator.random(300) < 1 / (1 + np.exp(-x.sum(axis=1)))
    made, models = [], []
    for part, curve in enumerate((Map("isotonic", (0.1, 0.7), (0.05, 0.9)), Map("platt", (1.5, 0.25)))):
        mine = part != PARTS
        booster, n_trees = boost(x[mine], failed[mine], np.arange(150) % 5 == 0, SMALL)
        made.append(Part(n_trees, (0.2 + part / 10, 2 / 3), curve))
        models.append(bytes(booster.save_raw("ubj")))
    spec = Spec(
        origin=Origin("pets", {"silver.predictions": 3}, {"silver.predictions": "made-so"}), columns=COLUMNS,
        cells=(("blur", 1, 0.2), ("noise", 3, 2 / 3)), residuals=(("blur", 1, (0.1, -0.2, 1 / 7)),), parts=tuple(made), seed=4,
        settings_id="s", level=0.95, bound_level=0.9, n=300, n_adapters=3, n_examples=100,
    )  # fmt: skip
    return pack(spec, models)


def test_what_was_stored_and_loaded_forecasts_to_the_last_bit_alike(kept: Forecaster, tmp_path: Path) -> None:
    folder = save(kept, tmp_path)
    assert folder == tmp_path / kept.identity and sorted(path.name for path in folder.iterdir()) == [SPEC, "model-0.ubj", "model-1.ubj"]
    found = load(folder)
    assert found == kept
    for cell in (("blur", 1), ("noise", 3)):
        one, other = kept.scorer().risk(X, cell, PARTS), found.scorer().risk(X, cell, PARTS)
        assert np.array_equal(one, other) and 0.0 <= one.min() < one.max() <= 1.0
    assert found.spread(("blur", 1)) == Spread((0.1, -0.2, 1 / 7)) and found.spread(("noise", 3)) == Spread(())


def test_rows_are_scored_alike_one_by_one_and_together_and_cells_differ(kept: Forecaster) -> None:
    scorer = kept.scorer()
    together = scorer.risk(X[:20], ("blur", 1), PARTS[:20])
    alone = [scorer.risk(X[place : place + 1], ("blur", 1), PARTS[place : place + 1]) for place in range(20)]
    assert np.array_equal(together, np.concatenate(alone))
    assert not np.array_equal(together, scorer.risk(X[:20], ("noise", 3), PARTS[:20]))
    assert not (together == scorer.risk(X[:20], ("blur", 1), 1 - PARTS[:20])).any()  # each part has trees, rates and a map of its own
    assert scorer.risk(X[:0], ("blur", 1), PARTS[:0]).shape == (0,)


def test_an_example_is_in_its_part_wherever_it_is_scored_and_parts_are_about_equal() -> None:
    names = [f"e{place}" for place in range(2000)]
    parts = parts_of(names, 2, 4)
    assert parts.tolist() == [parts_of([name], 2, 4)[0] for name in names] and set(parts.tolist()) == {0, 1}
    assert abs(parts.sum() - 1000) < 90  # four standard deviations
    assert (parts != parts_of(names, 2, 5)).sum() > 800  # the seed's


def test_the_identity_is_that_of_trees_and_spec(kept: Forecaster) -> None:
    assert pack(kept.spec, kept.models).identity == kept.identity and len(kept.identity) == 16
    first, second = kept.models
    later = replace(kept.spec, origin=replace(kept.spec.origin, versions={"silver.predictions": 4}))
    others = [pack(later, kept.models), pack(kept.spec, (first, second + b" ")), pack(kept.spec, (second, first))]
    assert len({kept.identity, *(other.identity for other in others)}) == 4


def test_other_features_are_refused_by_name(kept: Forecaster, tmp_path: Path) -> None:
    folder = save(kept, tmp_path)
    load(folder).require((*COLUMNS[::-1], "margin"))  # features are read by name
    with pytest.raises(ArtifactError, match=r"features that are not there: \['xai__lime__ranking__gini'\]$"):
        load(folder).require(("confidence", "margin"))
    with pytest.raises(ArtifactError, match=r"reads 2 features, got an array of shape \(300, 1\)"):
        kept.scorer().risk(X[:, :1], ("blur", 1), PARTS)


def test_a_cell_that_no_adapter_was_tried_under_is_refused(kept: Forecaster) -> None:
    with pytest.raises(ArtifactError, match="not trained on blur at severity 2"):
        kept.scorer().risk(X, ("blur", 2), PARTS)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        (MODEL, lambda given: given[:-1] + bytes([given[-1] ^ 1]), "is damaged"),
        (SPEC, lambda given: given.replace(b'"n_trees": ', b'"n_trees": 1'), "is damaged"),
        (SPEC, lambda given: given[: len(given) // 2], "is no forecaster"),
        (SPEC, lambda given: given.replace(b'"format": 2', b'"format": 1'), "has format 1; this version reads 2; run gold again"),
        (SPEC, lambda given: given.replace(b'"columns"', b'"colums"'), "is not a forecaster's"),
        (SPEC, lambda given: b"[]", "has format None"),
        (SPEC, lambda given: b"\xff\xfe", "is no forecaster"),
        (SPEC, None, "is no forecaster"),
        (MODEL, None, "is not a forecaster's"),
    ],
)
def test_a_damaged_folder_is_refused_and_made_anew_when_it_is_saved_again(
    kept: Forecaster, tmp_path: Path, name: str, change, says: str
) -> None:
    path = save(kept, tmp_path) / name
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))
    point(tmp_path, kept.identity)
    with pytest.raises(ArtifactError, match=says):
        load(tmp_path / kept.identity)
    assert not is_pointed(tmp_path)  # so that gold trains it again
    save(kept, tmp_path)
    assert newest(tmp_path) == kept and is_pointed(tmp_path)


def test_a_folder_under_another_name_is_not_what_it_says(kept: Forecaster, tmp_path: Path) -> None:
    shutil.copytree(save(kept, tmp_path), tmp_path / "0123456789abcdef")
    with pytest.raises(ArtifactError, match=f"its content is that of {kept.identity}"):
        load(tmp_path / "0123456789abcdef")


def test_the_newest_is_what_was_pointed_at_last_and_killed_before_that_the_older_one_stays(kept: Forecaster, tmp_path: Path) -> None:
    assert newest(tmp_path) is None and not is_pointed(tmp_path)
    save(kept, tmp_path)
    assert newest(tmp_path) is None  # killed before it was pointed at
    point(tmp_path, kept.identity)
    later = pack(replace(kept.spec, n=301), kept.models)
    save(later, tmp_path)
    assert newest(tmp_path) == kept
    point(tmp_path, later.identity)
    assert newest(tmp_path) == later
    assert why_none(tmp_path) is None
    point(tmp_path, None, "one class only")
    assert newest(tmp_path) is None and is_pointed(tmp_path)  # none could be trained: that is known
    assert why_none(tmp_path) == "one class only"


def test_killed_while_it_is_written_nothing_stands_in_its_place(kept: Forecaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(json, "dumps", killed)
        with pytest.raises(KeyboardInterrupt):
            save(kept, tmp_path)
    assert list(tmp_path.iterdir()) == []
    save(kept, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [kept.identity]


def test_a_pointer_cannot_leave_its_folder(kept: Forecaster, tmp_path: Path) -> None:
    save(kept, tmp_path / "elsewhere")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / CURRENT).write_text(f"../elsewhere/{kept.identity}\n")
    with pytest.raises(ArtifactError, match="is no forecaster"):
        newest(tmp_path / "here")
