"""Are UCI Adult's two files there, and are they what the world adult reads? Asked before anything is computed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gold.inversion.settings import InversionSettings
from lake.errors import ContractError, MissingInputError

if TYPE_CHECKING:
    import pandas as pd

FILES = ("train.csv", "test.csv")
TARGET, POSITIVE, NEGATIVE = "income", ">50K", "<=50K"


def require_adult(settings: InversionSettings) -> None:
    """Where the world adult is asked: raises MissingInputError or ContractError unless both files are there and can be read."""
    if "adult" in settings.worlds:
        columns = [list(read_adult(file).columns) for file in adult_files(settings.adult)]
        if columns[0] != columns[1]:
            raise ContractError(f"{' and '.join(FILES)} of UCI Adult must have the same columns, found {columns[0]} and {columns[1]}")


def adult_files(folder: str | None) -> list[Path]:
    """The world's two files. Raises MissingInputError, saying what must lie where, when one is not there."""
    files = [Path(folder or "") / name for name in FILES]
    if folder is None or not all(file.is_file() for file in files):
        raise MissingInputError(
            f"world adult reads {' and '.join(FILES)} of UCI Adult, with a header, in the folder that inversion.adult names; found "
            f"{folder!r} without them"
        )
    return files


def read_adult(file: Path) -> pd.DataFrame:
    """The rows of one file; blanks behind commas do no harm. Raises ContractError unless `income` holds both classes and no other."""
    import pandas as pd

    try:
        rows = pd.read_csv(file, skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ContractError(f"{file.name} of UCI Adult must be a table of commas in UTF-8: {error}; fetch it again") from error
    if TARGET not in rows or set(rows[TARGET]) != {POSITIVE, NEGATIVE}:
        found = sorted(set(rows[TARGET].astype(str)))[:4] if TARGET in rows else list(rows.columns)[:4]
        raise ContractError(
            f"{file.name} of UCI Adult must have a column {TARGET} with {POSITIVE} and {NEGATIVE}, found {found}; UCI's own file has no "
            f"header: put one line of names before it"
        )
    return rows
