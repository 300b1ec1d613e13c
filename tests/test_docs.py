"""Do the documents say what is so? Every example is run, every public name is listed, generated files are fresh, links lead somewhere."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.config import load_config

ROOT = Path(__file__).resolve().parent.parent
API = ROOT / "docs" / "api.md"
HAND_WRITTEN = sorted({ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "configs" / "README.md", *(ROOT / "docs").rglob("*.md")})

# Rooms whose every public name must be listed, and those (CONTRACTS 5) whose every function must be called in an example.
LISTED = ("xai", "models", "ood.corruptions", "gold.statistics", "gold.meta_learner", "bronze.readers", "lake.identity", "lake.spec")
CALLED = ("xai.metrics", "xai.attribution", "ood.corruptions", "gold.statistics", "gold.meta_learner", "lake.identity")


def blocks(path: Path, language: str) -> Iterator[tuple[int, str]]:
    """(line of its first line, text) of every fenced block of a language."""
    text = path.read_text(encoding="utf-8")
    for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, found.start(1)) + 1, found[1]


def modules(name: str) -> Iterator[str]:
    """A module and all below it whose own names begin with no underscore."""
    yield name
    for found in pkgutil.iter_modules(getattr(importlib.import_module(name), "__path__", [])):
        if not found.name.startswith("_"):
            yield from modules(f"{name}.{found.name}")


def public(name: str) -> set[str]:
    """Functions and classes that a module defines itself: what Python says, where docs/names.md reads the source."""
    module = importlib.import_module(name)
    return {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and (inspect.isclass(value) or (callable(value) and inspect.isfunction(inspect.unwrap(value))))
        and value.__module__ == name
    }


@pytest.mark.parametrize(("line", "text"), list(blocks(API, "python")), ids=lambda value: f"line-{value}" if isinstance(value, int) else "")
def test_every_example_prints_what_the_document_says(
    line: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # what an example leaves behind goes with the test's folder
    example = doctest.DocTestParser().get_doctest(text, {}, API.name, str(API), line - 1)
    assert example.examples
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    report: list[str] = []
    runner.run(example, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_every_example_compares_something() -> None:
    for line, text in blocks(API, "python"):
        answers = [example for example in doctest.DocTestParser().get_examples(text) if example.want]
        assert answers, f"docs/api.md:{line}: this block has no expected output"


def test_every_public_function_and_class_is_listed() -> None:
    listed = (ROOT / "docs" / "names.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^`([\w.]+)`\n\n(.*?)(?=^`|^## |\Z)", listed, re.MULTILINE | re.DOTALL))
    for room in LISTED:
        for module in modules(room):
            found = set(re.findall(r"^- `(\w+)", sections.get(module, ""), re.MULTILINE))
            assert found == public(module), module


def test_every_function_that_must_stay_callable_without_spark_has_an_example() -> None:
    called: set[str] = set()
    for _, text in blocks(API, "python"):
        source = "".join(example.source for example in doctest.DocTestParser().get_examples(text))
        functions = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
        called |= {function.id for function in functions if isinstance(function, ast.Name)}
    # Of a package, what it exports; of its corruptions the functions of their records; of a module, what it defines.
    wanted: set[str] = set()
    for name in CALLED:
        module = importlib.import_module(name)
        exported = getattr(module, "__all__", public(name))
        wanted |= {key for key in exported if inspect.isfunction(getattr(module, key))}
    wanted |= {record.function.__name__ for record in importlib.import_module("ood.corruptions").CORRUPTIONS}
    assert wanted - called == set()


def test_the_generated_documents_are_fresh(script: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert script("docs").main(["--check"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda path: path.name)
def test_every_configuration_that_ships_can_be_used(path: Path) -> None:
    assert load_config(path).dataset


def test_the_configurations_in_the_readme_can_be_used(tmp_path: Path) -> None:
    found = list(blocks(ROOT / "README.md", "yaml"))
    assert found
    for _, text in found:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        assert load_config(path).dataset == yaml.safe_load(text)["dataset"]


def anchors(path: Path) -> set[str]:
    """The anchors that a page's headings make."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_checkout_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), target
        assert not anchor or anchor in anchors(place), target


def test_every_path_and_make_target_in_the_readme_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)", text)) <= targets
    shipped = set(re.findall(r"\b(?:configs|jobs|scripts|docs)/[\w./-]*\.\w+", text))
    assert {name for name in shipped if not (ROOT / name).exists()} == set()


def test_the_readme_names_every_variable_that_the_code_reads_from_the_environment() -> None:
    files = [path for folder in ("lake", "pipelines", "scripts") for path in (ROOT / folder).glob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in (*files, ROOT / "scripts" / "setup")]
    read = {name for text in texts for name in re.findall(r"ASSAY_[A-Z_]+", text)}
    internal = {"ASSAY_ARCHIVE_CLASSES_TO"}
    assert read - internal == set(re.findall(r"ASSAY_[A-Z_]+", (ROOT / "README.md").read_text(encoding="utf-8")))
