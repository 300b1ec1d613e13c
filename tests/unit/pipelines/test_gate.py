"""Is an adapter let through exactly when every figure that was asked for is known and holds the bound?"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gold.forecast.tables.forecasts import SPEC as FORECASTS
from gold.tables.degradation import SPEC as DEGRADATION
from lake.errors import DataRefusedError, MissingInputError
from pipelines.__main__ import main
from pipelines.gate import Wish, gate
from silver.specs import ADAPTERS
from tests.small_lake import NEW, write_table

TRIED, NEWCOMER, TWIN = "aa11", "aa22", "bb33"


def adapter(adapter_id: str, name: str, dataset: str = "d") -> dict[str, object]:
    row = {"dataset": dataset, "adapter_id": adapter_id, "settings_id": NEW, "name": name, "backbone": "b", "labels": ["cat"]}
    return row | {"status": "ready"}


def tried(adapter_id: str, corruption: str, severity: int, accuracy: float, dataset: str = "d") -> dict[str, object]:
    row = {"dataset": dataset, "adapter_id": adapter_id, "corruption": corruption, "severity": severity, "accuracy": accuracy}
    return row | {"clean_accuracy": 0.9, "n": 10, "settings_id": NEW}


def foretold(adapter_id: str, severity: int, rate: float | None, high: float | None, corruption: str = "fog") -> dict[str, object]:
    row = {"dataset": "d", "adapter_id": adapter_id, "corruption": corruption, "severity": severity, "settings_id": NEW, "n": 10}
    return row | {"origin": "ahead", "predicted_failure_rate": rate, "ci_low": 0.0, "ci_high": high}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    """`known` fails at 0.1 and 0.3 under fog (mean 0.2), `new` is foretold 0.2 and 0.4 (upper ends 0.3 and 0.7); the name `twin` stands in
    two datasets, and of `bare` nothing is known."""
    place = tmp_path_factory.mktemp("gated lake")
    rows = [adapter(TRIED, "known"), adapter(NEWCOMER, "new"), adapter(TWIN, "twin"), adapter(TWIN, "twin", "e")]
    refused = {"status": "rejected", "reason": "bad_config: no weights"}
    rows += [adapter("ee66", "broken") | refused, adapter("ff77", "known") | refused]  # a name that was refused once is free again
    write_table(place, ADAPTERS, [*rows, adapter("cc44", "bare"), adapter("dd55", "open")])
    clean = [tried(TRIED, "none", 0, 0.0)]  # clean answers are no failure under shift, however wrong
    cells = [tried(TRIED, "fog", 1, 0.9), tried(TRIED, "fog", 2, 0.7), tried(TWIN, "fog", 1, 0.5), tried(TWIN, "fog", 1, 1.0, "e")]
    write_table(place, DEGRADATION, [*clean, *cells])
    held_out = [foretold(TRIED, 1, 0.9, 1.0)]  # what was observed counts
    ahead = [foretold(NEWCOMER, 1, 0.2, 0.3), foretold(NEWCOMER, 2, 0.4, 0.7), foretold(NEWCOMER, 1, 0.6, 0.9, "frost")]
    write_table(place, FORECASTS, [*held_out, *ahead, foretold("dd55", 1, 0.1, None), foretold("dd55", 2, None, None)])
    return str(place)


@pytest.mark.parametrize(
    ("wish", "rate"),
    [
        (Wish("known", 0.2), "0.200"),  # the bound itself is held: (0.1 + 0.3) / 2
        (Wish("known", 0.3, worst=True), "0.300"),
        (Wish("new", 0.4), "0.400"),  # (0.2 + 0.4 + 0.6) / 3
        (Wish("new", 0.3, corruptions=("fog",)), "0.300"),
        (Wish("new", 0.6, worst=True), "0.600"),
        (Wish("new", 0.64, cautious=True), "0.633"),  # (0.3 + 0.7 + 0.9) / 3
        (Wish("new", 0.7, corruptions=("fog",), worst=True, cautious=True), "0.700"),
        (Wish("known", 0.2, cautious=True), "0.200"),  # what was observed has no upper end
        (Wish("twin", 0.5, dataset="d"), "0.500"), (Wish("twin", 0.0, dataset="e"), "0.000"),
    ],
)  # fmt: skip
def test_an_adapter_passes_at_its_rate_and_is_refused_just_below(root: str, wish: Wish, rate: str) -> None:
    stream = io.StringIO()
    assert gate(root, wish, stream) == 0
    assert f"ok: {'the worst cell' if wish.worst else 'the mean over cells'} fails at {rate}" in stream.getvalue()
    lower = Wish(wish.adapter, wish.max_failure - 0.01, wish.corruptions, wish.worst, wish.cautious, wish.dataset)
    with pytest.raises(DataRefusedError, match=f"fails at {rate}, above --max-failure"):
        gate(root, lower, io.StringIO())


def test_it_says_which_cell_is_worst_and_what_was_observed(root: str) -> None:
    stream = io.StringIO()
    gate(root, Wish("known", 1.0), stream)
    assert "known (d): mean failure rate 0.200, worst 0.300 (fog, severity 2, observed); cells: 2 observed\n" in stream.getvalue()
    gate(root, Wish("new", 1.0), stream)
    assert "worst 0.600 (frost, severity 1, forecast); cells: 3 forecast\n" in stream.getvalue()


@pytest.mark.parametrize("text", ["aa22", "aa2", "new"])
def test_a_name_an_id_or_the_beginning_of_one_means_the_adapter(root: str, text: str) -> None:
    assert gate(root, Wish(text, 1.0), io.StringIO()) == 0


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (Wish("aa", 1.0), "'aa' means 2 adapters: aa11 (d, known), aa22 (d, new); give more of the id, or --dataset"),
        (Wish("twin", 1.0), "means 2 adapters: bb33 (d, twin), bb33 (e, twin)"),
        (Wish("none", 1.0), "no adapter 'none'; this lake has bare, known, new, open, twin"),
        (Wish("none", 1.0, dataset="e"), "no adapter 'none'; dataset e has twin"),
        (Wish("broken", 1.0), "broken (d) was rejected: bad_config: no weights"),
        (Wish("known", 1.0, dataset="f"), "no adapter of a dataset 'f'; this lake has d, e"),
        (Wish("bare", 1.0), "bare (d) was neither tried nor foretold: use `assay forecast"),
        (Wish("known", 1.0, corruptions=("fog", "snow")), "was neither tried nor foretold under snow; there is fog"),
        (Wish("open", 1.0), "1 of 2 cells have no forecast"),
        (Wish("open", 1.0, cautious=True), "2 of 2 cells have no interval, for which eight adapters"),
    ],
)
def test_what_is_not_known_is_never_let_through(root: str, wish: Wish, message: str) -> None:
    with pytest.raises(MissingInputError) as raised:
        gate(root, wish, io.StringIO())
    assert message in str(raised.value)


def test_a_whole_name_is_no_beginning_of_anothers_id(root: str, tmp_path: Path) -> None:
    write_table(tmp_path, ADAPTERS, [adapter("ff01", "ee"), adapter("ee02", "other")])
    write_table(tmp_path, DEGRADATION, [tried("ff01", "fog", 1, 0.9)])
    assert gate(str(tmp_path), Wish("ee", 0.11), io.StringIO()) == 0


def test_a_place_without_a_lake_is_66(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="must be a lake"):
        gate(str(tmp_path), Wish("a", 1.0), io.StringIO())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--adapter", "known", "--max-failure", "0.2"], 0), (["--adapter", "known", "--max-failure", "0.2", "--worst"], 65),
        (["--adapter", "new", "--max-failure", "0.3", "--corruption", "fog"], 0),
        (["--adapter", "new", "--max-failure", "0.4", "--corruption", "fog", "--corruption", "frost", "--cautious"], 65),
        (["--adapter", "twin", "--max-failure", "1"], 66), (["--adapter", "twin", "--max-failure", "1", "--dataset", "e"], 0),
        (["--adapter", "known", "--max-failure", "1.5"], 2), (["--adapter", "known", "--max-failure", "nan"], 2),
    ],
)  # fmt: skip
def test_the_command_ends_with_the_code_for_ci(root: str, arguments: list[str], code: int) -> None:
    assert main(["gate", "--lake", root, *arguments]) == code


def test_a_forecast_of_a_folder_that_is_not_there_is_66_before_a_session_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text("dataset: d\n")
    arguments = ["forecast", str(tmp_path / "a.yaml"), "--adapter", str(tmp_path / "nowhere"), "--lake", str(tmp_path / "lake")]
    assert main(arguments) == 66
    assert "--adapter: no folder at" in capsys.readouterr().err and not (tmp_path / "lake").exists()
    (tmp_path / "nowhere").mkdir()
    demo = Path(__file__).resolve().parents[3] / "configs" / "demo.yaml"
    assert main(["forecast", str(demo), *arguments[2:]]) == 66  # nor is a lake made where there is none
    assert "must be a lake, but holds none of its tables" in capsys.readouterr().err and not (tmp_path / "lake").exists()
