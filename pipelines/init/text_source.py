"""Which texts lie in this folder or table, and by which reader are they read? Tables before class files."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from bronze.readers.files import existing_root
from bronze.readers.folder import split_folders, top_folders
from bronze.readers.record_file import FORMATS
from bronze.settings import SourceSettings
from lake.errors import ConfigError, MissingInputError
from pipelines.init.counted import counted
from pipelines.init.headers import header_of
from pipelines.init.source import Seen, split_map
from pipelines.init.split_names import role
from pipelines.init.text_columns import NOT_SAID, Given, Roles, roles_of, unclear

# Labels that people give to queries of no class.
OUTSIDE = ("oos", "out_of_scope", "out-of-scope")
FEWEST_CLASSES = 2  # a folder with one text file is more often a folder with a note

TEXT_LAYOUTS = (
    "Texts are read from tables (.csv, .tsv, .jsonl, .parquet) with the columns text and label, class files (pay_bill.txt, one text a "
    "line), class folders (pay_bill/7.txt), each with or without split folders above"
)


def look_texts(folder: Path, given: Given = NOT_SAID) -> Seen | None:
    """Counts the labelled texts of a folder, or of one table, by the reader that fits; None where there are none. `given`: the columns
    `text` and `label` where the user named them.

    Raises ConfigError where columns are not clear or not there, MissingInputError where the folder is absent.
    """
    root, tables = _tables(folder)
    if tables:
        return _of_tables(root, tables, given)
    if any(given.values()):
        raise MissingInputError(f"{root} must hold a table with the named columns, found none ({', '.join(FORMATS)})")
    seen = _counted(root, {"reader": "text_folder"} | _split_folders(root))
    return seen if seen is not None and len(seen.labels) >= FEWEST_CLASSES else None


def table_root(folder: Path) -> Path:
    """The folder that holds the source: a table's own, or the folder itself."""
    return folder.parent if folder.suffix.lower() in FORMATS and folder.is_file() else folder


def _tables(folder: Path) -> tuple[Path, list[Path]]:
    """The source's root and its tables: those in it, else those of the only folder below it that has some, as hub datasets have them."""
    root = existing_root(table_root(folder))
    if table_root(folder) != folder:
        return root, [root / folder.name]
    if found := _tables_in(root):
        return root, found
    below = [tables for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith(".") and (tables := _tables_in(path))]
    if len(below) > 1:
        names = ", ".join(tables[0].parent.name for tables in below)
        raise ConfigError(f"{root} must hold the tables of one dataset, found some in the folders {names}: give one of those folders")
    return root, below[0] if below else []


def _tables_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in FORMATS and path.is_file() and not path.name.startswith("."))


def _of_tables(root: Path, tables: list[Path], given: Given) -> Seen:
    names = {path: path.relative_to(root).as_posix() for path in tables}
    headers = {path: header_of(path) for path in tables}
    roles = {path: found for path in tables if (found := roles_of(names[path], headers[path], given)) is not None}
    if not roles:
        raise unclear({names[path]: headers[path] for path in tables}, given)
    if len(set(roles.values())) > 1:
        told = "; ".join(f"{names[path]} has {found.text} and {found.label}" for path, found in roles.items())
        raise ConfigError(f"all tables must name their columns alike, found {told}: rename them, or give one table instead of the folder")
    chosen = next(iter(roles.values()))
    every = len(roles) == len(tables) == len(_tables_in(root))
    seen = _counted(root, {"reader": "table"} | _options(chosen, None if every else [names[path] for path in roles]))
    if seen is None:
        raise MissingInputError(f"{', '.join(names.values())}: no record has a label in column {chosen.label!r}")
    others = [names[path] for path in tables if path not in roles]
    warning = f"{', '.join(others)} {'has' if len(others) == 1 else 'have'} no such columns and will not be read" if others else ""
    return replace(seen, warning=warning)


def _options(roles: Roles, files: list[str] | None) -> dict[str, Any]:
    """What the reader must be told: what is not its own default."""
    told: dict[str, Any] = {key: value for key, value in (("text", roles.text), ("label", roles.label)) if value != key}
    told |= {} if files is None else {"files": files}
    return {"table": told} if told else {}


def _split_folders(root: Path) -> dict[str, Any]:
    """Named where every top folder has a split's name and the reader's own list lacks some (Train, testing)."""
    tops = top_folders(root)
    if not tops or split_folders(None, root) or not all(role(name) for name in tops):
        return {}
    return {"text_folder": {"split_folders": sorted(tops)}}


def _counted(root: Path, source: dict[str, Any]) -> Seen | None:
    """What the reader finds; texts of no class are set apart, and have no say in the splits. None without a label."""
    found = counted(SourceSettings(root=str(root), **source))
    outside = [label for label in found.labels if label.casefold() in OUTSIDE]
    if len(outside) == len(found.labels):
        return None
    labels = Counter({label: n for label, n in found.labels.items() if label not in outside})
    splits: Counter[str | None] = Counter()
    for (label, split), n in found.pairs.items():
        splits[split] += n if label not in outside else 0
    mapped = split_map(+splits)
    told = ({"split_map": mapped} if mapped else {}) | ({"outside_labels": outside} if outside else {})
    return Seen(source | told, labels, +splits, found.refused, found.ignored, what="texts")
