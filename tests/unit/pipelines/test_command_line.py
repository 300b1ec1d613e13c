"""Which exit code and which words does the command line answer with? No JVM is started here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lake.door import ConflictError
from lake.errors import ConfigError, ContractError, DataRefusedError, LeaseHeldError, MissingInputError
from lake.jars import DependencyError
from models.errors import ArtifactError
from pipelines.__main__ import main
from pipelines.exits import guarded

ROOT = Path(__file__).resolve().parents[3]


def assay(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, started from another folder."""
    given = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *arguments], cwd=folder, env=given, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(autouse=True)
def _signals() -> object:
    """`guarded` sets what SIGTERM does, as a command should; the tests go on with what it was."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 78), (MissingInputError("x"), 66), (DataRefusedError("x"), 65), (ArtifactError("pickle", "x"), 65),
        (DependencyError("x"), 69), (LeaseHeldError("x"), 75), (ConflictError("x"), 75), (ContractError("x"), 70),
        (ZeroDivisionError("x"), 70), (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device", "/lake/part-0"), 75), (OSError(30, "Read-only file system"), 69),
        (RuntimeError("An error occurred while calling o1.save.: java.io.IOException: No space left on device"), 75),
    ],
)  # fmt: skip
def test_each_kind_of_error_has_its_exit_code_and_one_message(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise error

    assert guarded(fail) == code
    told = capsys.readouterr()
    assert told.out == "" and "assay: " in told.err
    assert ("Traceback" in told.err) == isinstance(error, ZeroDivisionError)  # a trace is for bugs, not for users


def test_a_full_disk_is_told_wherever_in_the_chain_it_stands_and_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        try:
            raise OSError(28, "No space left on device", "/lake/part-0")
        except OSError as error:
            raise RuntimeError("write failed") from error

    assert guarded(fail) == 75
    assert "No space left on device (/lake/part-0): free some" in capsys.readouterr().err


def test_a_message_shows_what_a_terminal_would_obey_and_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise ConfigError("a.yaml: 1 problem(s)\n  \x1b[2Jname")

    assert guarded(fail) == 78
    assert capsys.readouterr().err == "assay: a.yaml: 1 problem(s)\n  \\x1b[2Jname\n"


NOT_SECONDS = [["run", "a.yaml", "--dry-run", f"--calibrate-seconds={text}"] for text in ("-5", "nan", "inf", "soon")]


@pytest.mark.parametrize("arguments", [[], ["rnu"], ["run"], ["run", "a.yaml", "--no-such"], ["sql"], ["sql", "q"], *NOT_SECONDS])
def test_what_cannot_be_understood_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage: assay" in capsys.readouterr().err


def test_help_is_0_and_shows_examples_that_the_parser_understands(capsys: pytest.CaptureFixture[str]) -> None:
    import shlex

    from pipelines.__main__ import EXAMPLES, parser

    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert EXAMPLES.strip() in told
    lines = [line.strip() for line in EXAMPLES.splitlines() if line.startswith("  assay ")]
    assert len(lines) >= 5
    for line in lines:
        parser().parse_args(shlex.split(line)[1:])


def test_a_missing_configuration_is_66_and_says_where_it_looked(tmp_path: Path) -> None:
    answer = assay(tmp_path, "run", "none.yaml", "--lake", "lake")
    assert answer.returncode == 66
    assert "no configuration at none.yaml" in answer.stderr and "Traceback" not in answer.stderr
    assert answer.stdout == "" and not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "gold.n_fold=3"], "did you mean 'n_folds'?"),
        (["--layers", "bronze,platin"], "found platin"),
        (["--set", "gold.n_folds"], "key=value"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_78_before_anything_starts(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(ROOT / "configs" / "demo.yaml"), "--lake", str(tmp_path / "lake"), *arguments]) == 78
    assert message in capsys.readouterr().err
    assert not (tmp_path / "lake").exists()


def test_a_run_without_a_lake_is_78(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(ROOT / "configs" / "demo.yaml")]) == 78
    assert "--lake DIR" in capsys.readouterr().err


@pytest.mark.parametrize("start", ["module", "job"])
def test_a_foreign_package_with_a_rooms_name_is_never_run(tmp_path: Path, start: str) -> None:
    foreign = tmp_path / "elsewhere" / "silver"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").write_text("print('FOREIGN CODE RAN')\n")
    command = ["-m", "pipelines", "run"] if start == "module" else [str(ROOT / "jobs" / "run_pipeline.py")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "elsewhere"), str(ROOT)])}
    whole = [sys.executable, *command, "none.yaml", "--lake", "lake"]
    answer = subprocess.run(whole, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "FOREIGN CODE RAN" not in answer.stdout
    assert answer.returncode in (66, 69), answer.stderr  # ours went first and missed the file, or the foreign one was refused
