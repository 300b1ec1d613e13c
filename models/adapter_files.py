"""Which files of an adapter's folder may be read at all?"""

from __future__ import annotations

from pathlib import Path

from models.errors import ArtifactError

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
MANIFEST = "manifest.json"
MODEL_CONFIG = "config.json"
PICKLED_SUFFIXES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt")


def checked_folder(folder: Path, root: Path) -> Path:
    """The adapter's folder, resolved. Raises ArtifactError `outside_root` when it does not lie inside `root` once every link and `..`
    is resolved (links that stay inside are followed), `not_a_file` when it is no folder. Nothing in it is opened."""
    inside = _inside(folder, root)
    if not inside.is_dir():
        raise ArtifactError("not_a_file", f"adapter {folder.name!r} must be a folder holding {CONFIG} and {WEIGHTS}, found no folder")
    return inside


def checked_file(folder: Path, name: str, root: Path) -> Path | None:
    """One file of the folder, resolved, or None when it is not there. Raises ArtifactError `outside_root` for a link out of the
    root, `not_a_file` for a folder, pipe or device of that name (opening a pipe would wait for ever)."""
    path = folder / name
    if not path.exists() and not path.is_symlink():
        return None
    inside = _inside(path, root)
    if not inside.is_file():
        raise ArtifactError("not_a_file", f"{folder.name}/{name} must be a regular file, found something else")
    return inside


def config_path(folder: Path, root: Path) -> Path:
    """The PEFT config. Raises ArtifactError `bad_config` when there is none."""
    path = checked_file(folder, CONFIG, root)
    if path is None:
        raise ArtifactError("bad_config", f"adapter {folder.name!r} must hold {CONFIG}, found none: save it with peft's save_pretrained")
    return path


def weights_path(folder: Path, root: Path) -> Path:
    """The safetensors weights. Without them: ArtifactError `pickle` when pickled weights lie there instead (they are refused by
    name, unopened), else `bad_safetensors`."""
    path = checked_file(folder, WEIGHTS, root)
    if path is not None:
        return path
    if pickled := sorted(item.name for item in folder.iterdir() if item.suffix.lower() in PICKLED_SUFFIXES):
        raise ArtifactError(
            "pickle",
            f"adapter {folder.name!r} must hold {WEIGHTS}, found {', '.join(pickled[:3])}: pickled weights can run code and are refused "
            "unopened; save them as safetensors",
        )
    raise ArtifactError("bad_safetensors", f"adapter {folder.name!r} must hold {WEIGHTS}, found no weights: save it as safetensors")


def _inside(path: Path, root: Path) -> Path:
    try:
        resolved = path.resolve(strict=False)
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
        raise ArtifactError("outside_root", f"path {path.name!r} must resolve inside the adapters' root: {error}") from error
    if not resolved.is_relative_to(root.resolve()):
        raise ArtifactError("outside_root", f"path {path.name!r} must resolve inside the adapters' root, found a way out: copy it there")
    return resolved
