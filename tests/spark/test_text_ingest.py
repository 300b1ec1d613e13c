"""Do texts come into the lake as pictures do: each content once, each record accounted for, nothing read twice?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bronze.build import Source, build_examples, examples_of, first_examples, split_frame
from bronze.settings import DecodeSettings, SourceSettings, SplitSettings
from bronze.specs import EXAMPLES, OUTSIDE, PLACES, REFERENCES, REJECTED, SPLITS
from lake.door import Lake
from lake.errors import ConfigError
from lake.ledger import Ledger
from tests.settled import settled

pytestmark = pytest.mark.spark

STRANGE = "\U0001f469\u200d\U0001f467 שלום e\u0301\r\nраура1"
SPLIT_MAP = {"train": "adapter_train", "test": "meta"}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Six texts and what can happen to them: a repeat, a repeat across splits, two labels for one, white space, no class."""
    root = tmp_path / "texts"
    root.mkdir()
    (root / "train.csv").write_text(
        f'text,label\npay it,pay\npay it,pay\n" ",pay\n"{STRANGE}",play\nboth,pay\n', encoding="utf-8", newline=""
    )
    (root / "test.csv").write_text("text,label\npay it,pay\nplay it,play\nboth,play\n", encoding="utf-8")
    (root / "oos.csv").write_text("text,label\nhow tall is the moon,oos\n", encoding="utf-8")
    options = {"reader": "table", "root": str(root), "split_map": SPLIT_MAP, "outside_labels": ["oos"]}
    return Source("intents", SourceSettings.model_validate(options), SplitSettings(), DecodeSettings(), 0.5)


def test_texts_come_into_the_lake_as_a_naive_twin_says(toy: Lake, source: Source) -> None:
    found = build_examples(toy, Ledger(toy, source.dataset), source)
    twin = settled(source)
    assert (found.labels, found.ignored) == (twin.labels, twin.ignored) == (("pay", "play"), 0)
    rows = {row.example_id: row.asDict() for row in toy.read(EXAMPLES).collect()}
    names = ("modality", "split", "label", "label_id", "text", "image", "source_path", "notes")
    assert {key: [row[name] for name in names] for key, row in rows.items()} == {
        key: [row[name] for name in names] for key, row in twin.examples.items()
    }
    assert {(row["text"], row["split"]) for row in rows.values()} == {
        ("pay it", "adapter_train"), (STRANGE, "adapter_train"), ("play it", "meta"), ("how tall is the moon", "outside"),
    }  # fmt: skip
    assert {(row.source_path, row.example_id) for row in toy.read(REFERENCES).collect()} == twin.references
    rejected = {row.source_path: row.error_code for row in toy.read(REJECTED).collect()}
    assert rejected == twin.rejected == {"train.csv#2": "empty_text", "train.csv#4": "label_conflict", "test.csv#2": "label_conflict"}
    assert len(twin.references) + len(rejected) == 5 + 3 + 1

    frame = split_frame(toy, source.dataset, found.settings_id, "adapter_train")
    assert sorted((row.text, row.image) for row in frame.collect()) == sorted([("pay it", None), (STRANGE, None)])
    outside = examples_of(toy, found, (OUTSIDE,), 100)
    assert [row.text for row in outside.frame().collect()] == ["how tall is the moon"]
    assert (outside.n_examples, found.count("adapter_train", "adapter_val", "meta")) == (1, 3)
    assert found.splits == PLACES and replace(found, stamps=found.stamps | {OUTSIDE: (0, "")}).splits == SPLITS  # what is embedded

    both = examples_of(toy, found, ("adapter_train",), 100)
    one = first_examples(both, 1)
    assert [row.example_id for row in one.frame().collect()] == [min(row.example_id for row in both.frame().collect())]
    assert (one.n_examples, one.settings_id) == (1, both.settings_id) and one.sha256 != both.sha256
    assert first_examples(both, None) is first_examples(both, 2) is both


def test_an_unchanged_source_is_not_read_again_and_a_new_text_costs_itself_alone(toy: Lake, source: Source) -> None:
    first = build_examples(toy, Ledger(toy, source.dataset), source)
    before = {table.name: toy.version(table) for table in (EXAMPLES, REFERENCES, REJECTED)}
    assert build_examples(toy, Ledger(toy, source.dataset), source, read=False) == first
    assert {table.name: toy.version(table) for table in (EXAMPLES, REFERENCES, REJECTED)} == before

    with (source.root / "test.csv").open("a", encoding="utf-8") as handle:
        handle.write("a new one,play\n")
    fresh = Lake(toy.spark, toy.root, "another-run")
    second = build_examples(fresh, Ledger(fresh, source.dataset), source)
    assert second.settings_id == first.settings_id and second.count("meta") == first.count("meta") + 1
    assert second.stamps["adapter_train"] == first.stamps["adapter_train"]
    assert (fresh.counts["bronze.examples"].rows_written, fresh.counts["bronze.examples"].rows_skipped) == (1, 4)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: (root / "test.csv").write_text("utterance,label\nplay it,play\n"), r"test\.csv must have the columns text, label"),
        (lambda root: (root / "more.parquet").write_bytes(b"PAR1"), r"more\.parquet must be a readable Parquet file"),
    ],
)
def test_a_file_whose_schema_drifted_or_that_is_cut_fails_before_any_write(
    toy: Lake, source: Source, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(source.root)
    with pytest.raises(ConfigError, match=message):
        build_examples(toy, Ledger(toy, source.dataset), source)
    assert not any(toy.exists(table) for table in (EXAMPLES, REFERENCES, REJECTED))
    assert not list(Path(toy.root).rglob("*.parquet"))
