"""What becomes of a shifted source and of metadata columns in bronze, when files, labels and the dataset change?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bronze.build import Examples, Source, build_examples
from bronze.metadata.build import build_metadata, own_examples
from bronze.settings import DecodeSettings, ShiftedSettings, SourceSettings, SplitSettings
from bronze.shifted.build import Shifted, build_shifted, shifted_examples, shifted_frame
from bronze.specs import METADATA, REJECTED, SHIFTED
from gold.slicing.build import MAX_VALUES, metadata_cells
from lake.audit import CELLS
from lake.door import Lake
from lake.errors import ConfigError, DataRefusedError, MissingInputError
from lake.identity import content_id
from lake.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

OWN = [("turn on", "on", "north"), ("turn off", "off", "south"), ("on now", "on", "")]
NATURAL = "natural:site"


def write(root: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "all.csv").write_text("text,label,place\n" + "".join(",".join(row) + "\n" for row in rows))
    return root


def source(root: Path, **table: Any) -> Source:
    settings = SourceSettings.model_validate({"reader": "table", "root": str(root), "table": table})
    return Source("d", settings, SplitSettings(), DecodeSettings(), 0.5)


def shift(root: Path, name: str = "site") -> ShiftedSettings:
    return ShiftedSettings.model_validate({"name": name, "source": {"reader": "table", "root": str(root)}})


def examples_in(lake: Lake, root: Path, rows: Sequence[tuple[str, str, str]] = OWN) -> Examples:
    return build_examples(lake, Ledger(lake, "d"), source(write(root, rows)))


def read(lake: Lake, examples: Examples, tmp_path: Path, *shifts: ShiftedSettings) -> Shifted:
    return build_shifted(lake, Ledger(lake, "d"), examples, source(tmp_path / "own"), shifts)


def found(lake: Lake) -> dict[str, list[str]]:
    """Text -> its places in bronze.shifted."""
    return {row.text: list(row.source_paths) for row in lake.read(SHIFTED).collect()}


def refused(lake: Lake) -> dict[str, str]:
    return {row.source_path: row.error_code for row in lake.read(REJECTED).collect()}


def test_a_source_that_grows_keeps_what_it_had_and_a_label_that_changes_is_a_row_to_be_seen(toy: Lake, tmp_path: Path) -> None:
    examples = examples_in(toy, tmp_path / "own")
    site = write(tmp_path / "site", [("lamp on", "on", ""), ("lamp on", "on", ""), ("lamp off", "off", ""), ("turn on", "on", "")])
    shifted = read(toy, examples, tmp_path, shift(site))
    # one content at two places is one example; what the dataset holds is no shift
    assert found(toy) == {"lamp on": ["all.csv#0", "all.csv#1"], "lamp off": ["all.csv#2"]}
    assert refused(toy) == {f"{NATURAL}/all.csv#3": "not_shifted"}
    assert shifted.stamps[NATURAL][0] == 2

    write(tmp_path / "site", [("lamp on", "on", ""), ("lamp off", "on", ""), ("lights off", "off", "")])
    later = Lake(toy.spark, toy.root, "later")
    grown = read(later, examples, tmp_path, shift(site))
    assert found(toy).keys() == {"lamp on", "lamp off", "lights off"} and grown.settings_id == shifted.settings_id
    assert later.counts["bronze.shifted"].rows_written == 1 and grown.stamps[NATURAL][0] == 3
    assert refused(toy)[f"{NATURAL}/all.csv#1"] == "label_conflict"
    labels = {row.text: row.label for row in shifted_frame(toy, examples, grown.settings_id, [NATURAL]).collect()}
    assert labels["lamp off"] == "off"  # what stands stays
    again = Lake(toy.spark, toy.root, "again")
    assert read(again, examples, tmp_path, shift(site)).stamps == grown.stamps
    assert again.counts["bronze.shifted"].rows_written == 0


def test_another_source_costs_itself_alone_and_what_the_dataset_gains_is_a_shift_no_more(toy: Lake, tmp_path: Path) -> None:
    examples = examples_in(toy, tmp_path / "own")
    site, other = write(tmp_path / "site", [("lamp on", "on", ""), ("lamp off", "off", "")]), write(tmp_path / "b", [("lamp on", "on", "")])
    first = read(toy, examples, tmp_path, shift(site))
    later = Lake(toy.spark, toy.root, "later")
    both = read(later, examples, tmp_path, shift(site), shift(other, "b"))
    assert later.counts["bronze.shifted"].rows_written == 1 and both.stamps[NATURAL] == first.stamps[NATURAL]

    grown = examples_in(toy, tmp_path / "own", [*OWN, ("lamp on", "on", "")])
    assert grown.settings_id == examples.settings_id
    last = Lake(toy.spark, toy.root, "last")
    now = read(last, grown, tmp_path, shift(site), shift(other, "b"))
    assert {name: n for name, (n, _) in now.stamps.items()} == {NATURAL: 1, "natural:b": 0}
    assert now.stamps[NATURAL] != first.stamps[NATURAL] and last.counts["bronze.shifted"].rows_written == 0
    assert [row.text for row in shifted_examples(toy, now, NATURAL, 10).frame().collect()] == ["lamp off"]


def test_a_source_that_cannot_be_used_is_refused_with_what_to_do(toy: Lake, tmp_path: Path) -> None:
    examples = examples_in(toy, tmp_path / "own")
    strange = write(tmp_path / "strange", [("lamp on", "cat", ""), ("lamp off", "dog", "")])
    with pytest.raises(DataRefusedError, match=r"shifted site: 2 of 2 inputs .* \(2 label_unknown\).*labels must be those .* \(off, on\)"):
        read(toy, examples, tmp_path, shift(strange))
    assert set(refused(toy).values()) == {"label_unknown"} and not found(toy)
    with pytest.raises(DataRefusedError, match="The dataset holds the same contents"):
        read(toy, examples, tmp_path, shift(write(tmp_path / "same", OWN), "same"))
    with pytest.raises(MissingInputError, match=r"shifted none_there: .*nothing at"):
        read(toy, examples, tmp_path, shift(tmp_path / "absent", "none_there"))
    with pytest.raises(MissingInputError, match="shifted empty: reader 'table' found no input in"):
        read(toy, examples, tmp_path, shift(write(tmp_path / "empty", []), "empty"))
    good = shift(write(tmp_path / "good", [("lamp on", "on", "")]), "good")
    with pytest.raises(ConfigError, match=r"shifted good: .* include bronze in --layers"):
        build_shifted(toy, Ledger(toy, "d"), examples, source(tmp_path / "own"), [good], read=False)


def values(lake: Lake) -> dict[tuple[str, str], str | None]:
    return {(row.example_id, row.field): row.value for row in lake.read(METADATA).collect()}


def test_metadata_say_of_each_example_what_the_file_says_now(toy: Lake, tmp_path: Path) -> None:
    examples = examples_in(toy, tmp_path / "own")
    ids = {text: content_id("text", text.encode()) for text, _, _ in OWN}

    def described(lake: Lake, read_files: bool = True) -> str:
        own = source(tmp_path / "own", metadata=["place", "text"])
        return build_metadata(lake, Ledger(lake, "d"), examples, own_examples(lake, examples, own), read_files)

    with pytest.raises(ConfigError, match="include bronze in --layers"):
        described(toy, read_files=False)
    first = described(toy)
    places = {(ids[text], "place"): place for text, _, place in OWN}
    assert values(toy) == places | {(ids[text], "text"): text for text, _, _ in OWN}
    assert described(Lake(toy.spark, toy.root, "again")) == first and toy.version(METADATA) == 1
    # a corrected value takes the old one's place; an example that no record holds any more keeps none, though its
    # place is another's now
    write(tmp_path / "own", [("turn on", "on", "west"), *OWN[2:]])
    assert described(toy) != first
    (cell,) = (row for row in toy.read(CELLS).collect() if row.table_name == METADATA.full_name)
    assert cell.inputs_sha256 != first  # as it stands on disk: a run that ends here leaves no new values that pass for the old
    now = values(toy)
    assert {text: now[name, "place"] for text, name in ids.items()} == {"turn on": "west", "turn off": None, "on now": ""}
    assert len(values(toy)) == 6  # examples x columns, whatever the file says


def test_rows_are_counted_per_value_of_their_own_origin(spark: SparkSession) -> None:
    ddl = "example_id string, adapter_id string, corruption string, severity int, is_correct boolean, flipped boolean"
    joined = spark.createDataFrame(
        [("e", "a", "none", 0, True, False), ("e", "a", "fog", 1, False, True), ("f", "a", "none", 0, True, False),
         ("s", "a", NATURAL, 1, True, None)],
        ddl,
    )  # fmt: skip
    said = [
        ("dataset", "e", "place", "north"),
        ("dataset", "f", "place", None),
        (NATURAL, "s", "place", "north"),
        ("dataset", "g", "place", "x"),
    ]
    many = [("dataset", "e", "serial", str(number)) for number in range(MAX_VALUES + 1)]
    metadata = spark.createDataFrame(
        [*said, *many, (NATURAL, "e", "place", "never")], "origin string, example_id string, field string, value string"
    )
    cells, unsliced = metadata_cells(joined, metadata)
    counted = {(row["slice"], row["corruption"]): (row["n"], row["n_correct"]) for row in cells.to_dict("records")}
    assert counted == {("north", "none"): (1, 1), ("north", "fog"): (1, 0), ("", "none"): (1, 1), ("north", NATURAL): (1, 1)}
    flips = cells.set_index(["slice", "corruption"])["n_flipped"]
    assert flips["north", "fog"] == 1 and flips.isna()["north", NATURAL]
    assert unsliced == {"serial": MAX_VALUES + 1} and set(cells["slice_by"]) == {"place"}
