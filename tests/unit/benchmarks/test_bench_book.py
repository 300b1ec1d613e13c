"""Does the bench keep what it measured, show it rightly, and go on where it was stopped?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import book, machine, page, table
from benchmarks.row import Row, from_json, to_json
from benchmarks.timing import in_turns, ratio, spread

MET = Row("embeddings", "ratio", 0.97123, "ratio", "≥ 0.95", True, {"pictures": 512, "dtype": "bfloat16", "speed": 24.6789}, "decoding")
MISSED = replace(MET, what="memory", value=1234.5, met=False, limited_by="")
STATED = replace(MET, what="cold", aim="stated", met=None)
ENTRY = book.Entry((MET, STATED), "", "abc", "2026-01-01T00:00:00+00:00", False, 12.3, 0.5, 1.5, {"fp32": 186.0, "bf16": 861.0})
MACHINE: dict[str, str | int | float] = {
    "cpu": "AMD EPYC", "cores": 2, "flags": "avx512f", "memory_gib": 23.5, "torch": "2.13.0", "pyspark": "4.2.0", "commit": "abc",
}  # fmt: skip


def test_a_row_survives_the_file() -> None:
    assert from_json(to_json(MET)) == MET


def test_a_row_of_another_version_is_refused() -> None:
    with pytest.raises(TypeError):
        from_json(to_json(MET) | {"colour": "red"})


def test_the_table_is_aligned_and_says_what_is_met() -> None:
    lines = table.text([MET, MISSED]).splitlines()
    assert lines[0].index("met") == lines[1].index("met", lines[1].index("≥ 0.95")) == lines[3].index("NOT MET")
    assert "0.971 ratio" in lines[1] and lines[2] == "    decoding" and "1,234 ratio" in lines[3]  # 1234.5 rounds to even


def test_the_book_survives_the_file_and_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    book.write(path, book.Book(MACHINE, {"embeddings": ENTRY}))
    assert book.read(path, MACHINE) == book.Book(MACHINE, {"embeddings": ENTRY})
    assert [found.name for found in path.parent.iterdir()] == ["results.json"]


def test_a_book_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('{"format": 99}')
    with pytest.raises(ValueError, match="must have format 1, found 99"):
        book.read(path, MACHINE)


@pytest.mark.parametrize(
    ("entry", "commit", "quick", "done"),
    [
        (ENTRY, "abc", False, True),
        (ENTRY, "def", False, False),
        (ENTRY, "abc", True, False),
        (replace(ENTRY, failure="x"), "abc", False, False),
    ],
)
def test_a_module_is_done_when_this_commit_measured_it_at_this_size(entry: book.Entry, commit: str, quick: bool, done: bool) -> None:
    assert book.Book(MACHINE, {"cold": entry}).done("cold", commit, quick) is done


def test_the_page_holds_every_figure_and_its_circumstances(tmp_path: Path) -> None:
    book.write(tmp_path / "one.json", book.Book(MACHINE, {"embeddings": ENTRY, "memory": replace(ENTRY, rows=(), failure="exit code 1")}))
    text = page.document(tmp_path)
    for part in ("## AMD EPYC, 2 cores", "| embeddings | ratio | 0.971 ratio | ≥ 0.95 | met |", "load 0.5 before and 1.5 after",
                 "bf16 861 GFLOP/s", "speed 24.7", "No rows: exit code 1."):  # fmt: skip
        assert part in text


def test_the_committed_page_is_what_the_results_say() -> None:
    assert (bench.ROOT / page.DOCUMENT).read_text(encoding="utf-8") == page.document(bench.RESULTS)


def test_ways_are_measured_in_turns() -> None:
    calls: list[str] = []
    found = in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 2)
    assert calls == ["a", "b", "a", "b"] and {name: len(times) for name, times in found.items()} == {"a": 2, "b": 2}


def test_a_ratio_is_the_median_of_the_rounds_own() -> None:
    # rounds 4/2, 9/3, 1/1 -> 2, 3, 1: a disturbed round moves both sides; spread of 4, 9, 1: (9 - 1) / 4
    assert ratio([4, 9, 1], [2, 3, 1]) == 2 and spread([4, 9, 1]) == 2


def test_resume_leaves_out_what_is_done_and_only_keeps_the_rest(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    measured: list[str] = []
    failures = {"memory": "exit code 1"}

    def measure(name: str) -> book.Entry:
        measured.append(name)
        return replace(ENTRY, failure=failures.pop(name, ""))

    def run(names: tuple[str, ...], resume: bool) -> list[str]:
        measured.clear()
        bench.bring(book.read(out, MACHINE), names, out, resume, quick=False, measure=measure)
        return list(measured)

    assert run(bench.MODULES, resume=False) == list(bench.MODULES)
    assert run(bench.MODULES, resume=True) == ["memory"]  # it had failed
    assert run(("cold",), resume=False) == ["cold"]
    assert tuple(book.read(out, MACHINE).entries) == bench.MODULES


def test_a_machine_names_its_file() -> None:
    assert machine.slug({"cpu": "AMD EPYC (TM) 7", "cores": 2}) == "amd-epyc-tm-7-2-cores"
