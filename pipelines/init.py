"""What is a good first configuration for this folder of pictures, and for these adapters?"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from lake.errors import ConfigError
from models.atomic import write_text
from pipelines.config import Config, load_config
from pipelines.init_adapters import Told, adapters_in, common_base, local_base
from pipelines.init_source import Seen, dataset_name, look
from pipelines.init_text import Draft, config_text

NAME = re.compile(Config.model_fields["dataset"].metadata[0].pattern)
DEFAULT_BACKBONE = "facebook/dinov2-base"


@dataclass(frozen=True)
class Wish:
    """What the user gave: `folder` of pictures, `adapters` (folder of adapter folders), `backbone` (folder or hub name), `out` (file to
    write), `dataset` (its name); `force` overwrites."""

    folder: Path
    adapters: Path | None = None
    backbone: str | None = None
    out: Path | None = None
    dataset: str | None = None
    force: bool = False


def init(wish: Wish, stream: TextIO) -> int:
    """Writes a commented configuration that loads and runs, says what was seen and what comes next; gives 0.

    Raises ConfigError for a name or file that cannot be used, MissingInputError where there are no pictures, or no folder of adapters.
    """
    dataset = wish.dataset or dataset_name(wish.folder)
    if not NAME.match(dataset):
        raise ConfigError(f"--dataset must match {NAME.pattern}, found {dataset!r}")
    out = wish.out or Path(f"{dataset}.yaml")
    if out.exists() and not wish.force:
        raise ConfigError(f"{out} is there already and is never overwritten unasked: choose another with --out, or add --force")
    seen = look(wish.folder)
    adapters = adapters_in(wish.adapters) if wish.adapters is not None else []
    draft = drafted(wish, dataset, out, seen, adapters)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, config_text(draft))
    load_config(out)  # what was written can be read: a promise, checked
    report(draft, out, stream)
    return 0


def drafted(wish: Wish, dataset: str, out: Path, seen: Seen, adapters: list[Told]) -> Draft:
    """All that goes into the file, its paths relative to the file where they share more than the root."""
    base = out.resolve().parent
    backbone, known = _backbone(wish, adapters)
    return Draft(
        dataset=dataset,
        root=_path(wish.folder, base),
        seen=seen,
        backbone=_path(Path(backbone), base) if known else backbone,
        backbone_is_local=known,
        backbone_given=wish.backbone is not None,
        adapters=_path(wish.adapters, base) if wish.adapters is not None else None,
        told=tuple(adapters),
    )


def _backbone(wish: Wish, adapters: list[Told]) -> tuple[str, bool]:
    """The backbone's name or folder, and whether it is a folder that is there."""
    if wish.backbone is not None:
        return wish.backbone, Path(wish.backbone).expanduser().is_dir()
    named = common_base(adapters)
    if named is None or wish.adapters is None:
        return DEFAULT_BACKBONE, False
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
    """What was seen, and the next command."""
    seen = draft.seen
    splits = ", ".join(f"{name} {n:,}" for name, n in seen.splits.items() if name is not None)
    stream.write(f"{seen.n_pictures:,} pictures in {len(seen.labels):,} classes (reader {seen.source['reader']})")
    stream.write(f", splits: {splits}\n" if splits else "\n")
    fewest, most = min(seen.labels.values()), max(seen.labels.values())
    stream.write(f"{fewest:,} to {most:,} pictures a class; {seen.ignored:,} other files are ignored\n")
    if seen.refused:
        stream.write(f"refused: {', '.join(f'{n:,} {code}' for code, n in seen.refused.most_common())}\n")
    for adapter in draft.told:
        stream.write(f"adapter {adapter.name}: {adapter.problem or draft.match(adapter)}\n")
    stream.write(f"wrote {out}: dataset {draft.dataset}, backbone {draft.backbone}, {draft.adapters_text}\n")
    stream.write(f"next: assay check {out}\n")
