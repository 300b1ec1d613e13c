"""What is a good first configuration for this folder of pictures or texts, and for these adapters?"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from lake.errors import ConfigError, MissingInputError
from models.atomic import write_text
from pipelines.config import Config, load_config
from pipelines.init.adapters import Told, adapters_in, common_base, local_base
from pipelines.init.looked import look_any
from pipelines.init.source import Seen, dataset_name
from pipelines.init.text import RANKS, Draft, config_text
from pipelines.init.text_source import table_root
from pipelines.visible import visible

NAME = re.compile(Config.model_fields["dataset"].metadata[0].pattern)
DEFAULT_BACKBONE = "facebook/dinov2-base"
DEFAULT_BACKBONES = {"pictures": DEFAULT_BACKBONE, "texts": "roberta-base"}


@dataclass(frozen=True)
class Wish:
    """What the user gave: `folder` of pictures or texts (or a table of texts), `adapters` (folder of adapter folders), `backbone` (folder
    or hub name), `out` (file to write), `dataset` (its name); `force` overwrites; `text` and `label` name the columns of a table."""

    folder: Path
    adapters: Path | None = None
    backbone: str | None = None
    out: Path | None = None
    dataset: str | None = None
    force: bool = False
    text: str | None = None
    label: str | None = None


def init(wish: Wish, stream: TextIO) -> int:
    """Writes a commented configuration that loads and runs, says what was seen and what comes next; gives 0.

    Raises ConfigError for a name or file that cannot be used and for columns that are not clear, MissingInputError where there are no
    pictures and no texts, or a folder that was named is absent.
    """
    dataset = wish.dataset or dataset_name(wish.folder if table_root(wish.folder) == wish.folder else wish.folder.with_suffix(""))
    if not NAME.match(dataset):
        raise ConfigError(f"--dataset must match {NAME.pattern}, found {dataset!r}")
    out = wish.out or Path(f"{dataset}.yaml")
    _require_free(out, wish.force)
    _require_backbone(wish.backbone)
    seen = look_any(wish.folder, {"text": wish.text, "label": wish.label})
    adapters = adapters_in(wish.adapters) if wish.adapters is not None else []
    draft = drafted(wish, dataset, out, seen, adapters)
    _write(out, config_text(draft))
    load_config(out)  # what was written can be read: a promise, checked
    report(draft, out, stream)
    return 0


def _require_free(out: Path, force: bool) -> None:
    try:
        there, is_folder = out.exists(), out.is_dir()
    except OSError as error:  # a folder above it that may not be searched, or a name that is too long
        raise _unusable(out, error.strerror) from error
    if is_folder:
        raise _unusable(out, "it is a folder")
    if there and not force:
        raise ConfigError(f"{out} is there already and is never overwritten unasked: choose another with --out, or add --force")


def _write(out: Path, text: str) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, text)
    except FileExistsError as error:
        raise _unusable(out, f"{out.parent} is no folder") from error
    except OSError as error:
        raise _unusable(out, error.strerror) from error


def _unusable(out: Path, reason: str | None) -> ConfigError:
    return ConfigError(f"--out must be a file that can be written, found {out}: {reason}; name another with --out FILE")


def _require_backbone(name: str | None) -> None:
    """Hub names are not looked up here; what can only be a folder must be one."""
    if name is None:
        return
    if not name.strip():
        raise ConfigError(
            f"--backbone must be a local folder or a hub name such as {DEFAULT_BACKBONE}, found {name!r}: leave it out for that one"
        )
    if name.startswith((".", "/", "~")) and not Path(os.path.expanduser(name)).is_dir():
        raise MissingInputError(f"--backbone must be a folder that is there, or a hub name; found no folder at {name}: correct the path")


def drafted(wish: Wish, dataset: str, out: Path, seen: Seen, adapters: list[Told]) -> Draft:
    """All that goes into the file, its paths relative to the file where they share more than the root."""
    base = out.resolve().parent
    backbone, known = _backbone(wish, adapters, DEFAULT_BACKBONES[seen.what])
    return Draft(
        dataset=dataset,
        root=_path(table_root(wish.folder), base),
        seen=seen,
        backbone=_path(Path(backbone), base) if known else backbone,
        backbone_is_local=known,
        backbone_given=wish.backbone is not None,
        adapters=_path(wish.adapters, base) if wish.adapters is not None else None,
        told=tuple(adapters),
    )


def _backbone(wish: Wish, adapters: list[Told], usual: str) -> tuple[str, bool]:
    """The backbone's name or folder, and whether it is a folder that is there."""
    if wish.backbone is not None:
        return wish.backbone, Path(os.path.expanduser(wish.backbone)).is_dir()
    named = common_base(adapters)
    if named is None or wish.adapters is None:
        return usual, False
    root = wish.adapters.resolve()
    places = (root, root.parent, root.parent.parent, wish.folder.resolve().parent)
    found = Path(named) if Path(named).is_dir() else local_base(named, places)
    return (str(found), True) if found else (named, False)


def _path(path: Path, base: Path) -> str:
    """Relative to the configuration file, absolute where that would climb to the root of the file system."""
    absolute = path.expanduser().resolve()
    shared = Path(os.path.commonpath([absolute, base]))
    text = str(absolute) if shared == Path(absolute.anchor) else os.path.relpath(absolute, base)
    return text if text.startswith((".", "/")) else f"./{text}"


def report(draft: Draft, out: Path, stream: TextIO) -> None:
    """What was seen, and the next command. Names that strangers gave to folders, and what their files say, cannot steer the terminal."""
    seen = draft.seen
    splits = ", ".join(f"{name} {n:,}" for name, n in seen.splits.items() if name is not None)
    fewest, most = min(seen.labels.values()), max(seen.labels.values())
    counted = f"{seen.n_examples:,} {seen.what} in {len(seen.labels):,} classes (reader {seen.source['reader']})"
    lines = [f"{counted}, splits: {splits}" if splits else counted]
    lines.append(f"{fewest:,} to {most:,} {seen.what} a class; {seen.ignored:,} other files are ignored")
    if outside := seen.source.get("outside_labels"):
        lines.append(f"texts of no class: those labelled {', '.join(outside)} (source.outside_labels)")
    if seen.refused:
        lines.append(f"refused: {', '.join(f'{n:,} {code}' for code, n in seen.refused.most_common())}")
    if seen.warning:
        lines.append(f"warning: {seen.warning}")
    lines += [f"adapter {adapter.name}: {adapter.problem or draft.match(adapter)}" for adapter in draft.told]
    if draft.adapters is not None and not draft.told:
        lines.append(f"warning: no adapter folder in {draft.adapters}: put some there, or leave --adapters out to train {len(RANKS)}")
    lines.append(f"wrote {out}: dataset {draft.dataset}, backbone {draft.backbone}, {draft.adapters_text}")
    lines.append(f"next: assay check {shlex.quote(str(out))}")
    stream.writelines(f"{visible(line)}\n" for line in lines)
