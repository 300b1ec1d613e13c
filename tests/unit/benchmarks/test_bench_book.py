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
ENTRY = book.Entry(
    (MET, STATED),
    "",
    "abc+",
    "c0de",
    {"torch": "2.13.0"},
    "2026-01-01T00:00:00+00:00",
    False,
    12.3,
    0.5,
    1.5,
    {"fp32": 186.0, "bf16": 861.0},
)
MACHINE: dict[str, str | int | float] = {
    "cpu": "AMD EPYC", "cores": 2, "flags": "avx512f", "memory_gib": 23.5,
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
    with pytest.raises(ValueError, match="must have format 2, found 99"):
        book.read(path, MACHINE)


@pytest.mark.parametrize(
    ("entry", "code", "quick", "done"),
    [
        (ENTRY, "c0de", False, True),
        (replace(ENTRY, commit="def"), "c0de", False, True),  # the bench's own results were committed
        (replace(ENTRY, code="0ld"), "c0de", False, False),  # edited on the same commit
        (ENTRY, "c0de", True, False),
        (replace(ENTRY, failure="x"), "c0de", False, False),
    ],
)
def test_a_module_is_done_when_this_code_was_measured_at_this_size(entry: book.Entry, code: str, quick: bool, done: bool) -> None:
    assert book.Book(MACHINE, {"cold": entry}).done("cold", code, quick) is done


def test_code_is_what_rows_are_about_and_not_what_the_bench_writes(tmp_path: Path) -> None:
    def written(path: str, text: str) -> str:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
        return machine.code(tmp_path)

    codes = [written(f"{name}/deep/one.py", "1") for name in machine.MEASURED]
    codes += [written("benchmarks/row.py", "1"), written("models/deep/one.py", "2"), written("models/deep/two.py", "2")]
    assert len(set(codes)) == len(codes)
    for path in ("benchmarks/results/one.json", "docs/benchmarks.md", "models/deep/__pycache__/one.pyc", "README.md"):
        assert written(path, "x") == codes[-1]


def test_an_entry_keeps_the_versions_it_was_measured_with(tmp_path: Path) -> None:
    old = replace(ENTRY, versions={"torch": "2.12.0"})
    book.write(tmp_path / "one.json", book.Book(MACHINE, {"embeddings": old, "cold": ENTRY}))
    found = book.read(tmp_path / "one.json", MACHINE).entries
    assert [found[name].versions["torch"] for name in ("embeddings", "cold")] == ["2.12.0", "2.13.0"]
    assert page.document(tmp_path).count("torch 2.12.0") == page.document(tmp_path).count("torch 2.13.0") == 1
    assert {"torch", "commit"}.isdisjoint(machine.facts())  # facts of the machine are today's, over all entries


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
        bench.bring(book.read(out, MACHINE), names, out, "c0de" if resume else None, quick=False, measure=measure)
        return list(measured)

    assert run(bench.MODULES, resume=False) == list(bench.MODULES)
    assert run(bench.MODULES, resume=True) == ["memory"]  # it had failed
    assert run(("cold",), resume=False) == ["cold"]
    assert tuple(book.read(out, MACHINE).entries) == bench.MODULES


def test_the_page_is_written_after_each_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "benchmarks" / "results")
    (tmp_path / "docs").mkdir()
    seen: list[str] = []

    def measure(name: str) -> book.Entry:
        if seen:  # the module before is on the page already
            assert f"### {seen[-1]}" in (tmp_path / page.DOCUMENT).read_text()
        seen.append(name)
        return ENTRY

    bench.bring(book.Book(MACHINE), ("cold", "memory"), bench.RESULTS / "one.json", None, quick=False, measure=measure)
    assert "### cold" in (tmp_path / page.DOCUMENT).read_text() and seen == ["cold", "memory"]


def test_a_machine_names_its_file() -> None:
    assert machine.slug({"cpu": "AMD EPYC (TM) 7", "cores": 2}) == "amd-epyc-tm-7-2-cores"
