"""What do the adapters in a folder say about themselves: base model, labels, preparation of pictures? No weights are opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lake.errors import ConfigError, MissingInputError
from models.adapter_files import CONFIG, MANIFEST, MODEL_CONFIG, checked_file, checked_folder, config_path
from models.adapter_labels import labels_of_model_config
from models.errors import ArtifactError
from models.manifest import read_manifest
from models.strict_json import read_object


@dataclass(frozen=True)
class Told:
    """One adapter folder: its name, and what its files say; `problem` is why it cannot be read, then nothing else is known."""

    name: str
    base: str | None = None
    labels: tuple[str, ...] | None = None
    preprocessing: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def adapters_in(root: Path) -> list[Told]:
    """One record per folder directly below `root` that is not hidden, by name.

    Raises MissingInputError when `root` is no folder, ConfigError when it is itself an adapter: the run wants the folder around them.
    """
    if not root.is_dir():
        raise MissingInputError(f"--adapters must be a folder of adapter folders, found none at {root.resolve()}: correct the path")
    if (root / CONFIG).is_file():
        raise ConfigError(f"--adapters takes the folder around the adapters, {root} is one itself: give {root.resolve().parent}")
    return [told(path, root) for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith(".")]


def told(folder: Path, root: Path) -> Told:
    """What one folder says. Damaged or pickled adapters are told as a problem, for the run rejects them and goes on."""
    try:
        inside = checked_folder(folder, root)
        base = read_object(config_path(inside, root)).get("base_model_name_or_path")
        if path := checked_file(inside, MANIFEST, root):
            manifest = read_manifest(path)
            return Told(folder.name, manifest.backbone.name, manifest.labels, manifest.preprocessing)
        path = checked_file(inside, MODEL_CONFIG, root)
        labels = labels_of_model_config(read_object(path)) if path else None
        return Told(folder.name, base if isinstance(base, str) and base else None, labels)
    except ArtifactError as error:
        return Told(folder.name, problem=str(error))
    except OSError as error:
        return Told(folder.name, problem=f"not_a_file: cannot be read: {error.strerror or type(error).__name__}")


def common_base(adapters: Iterable[Told]) -> str | None:
    """The base model that most adapters name, the first by name of equals; None where none does."""
    named = [adapter.base for adapter in adapters if adapter.base]
    return max(sorted(set(named)), key=named.count, default=None)


def local_base(name: str, places: Sequence[Path]) -> Path | None:
    """The folder of that name (its last part) in one of the places or in their `backbones`: adapters record a local backbone by name."""
    last = Path(name).name
    candidates = (folder for place in places for folder in (place / last, place / "backbones" / last))
    return next((folder for folder in candidates if (folder / "config.json").is_file()), None)
