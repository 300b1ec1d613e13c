"""Where do the files of a model lie? In a local folder, or in the hub's cache under the commit they were downloaded from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from models.errors import ArtifactError
from models.packaged import packaged_model

PACKAGE = "package:"  # before the name of an installed Python package that holds a model
IMAGE_FILES = ("config.json", "preprocessor_config.json", "*.safetensors")
TEXT_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "1_Pooling/config.json", "*.safetensors")
_HUB_NAME = re.compile(r"^[\w-][\w.-]*(/[\w-][\w.-]*)?$")


class Located(NamedTuple):
    """A model's folder, what it is called, and the commit it was pinned to (a local folder: what the caller said)."""

    folder: Path
    name: str
    revision: str | None


def locate(name_or_folder: str, revision: str | None, files: tuple[str, ...]) -> Located:
    """The folder itself if it is one; for `package:<name>` the model folder inside that installed Python package; else the snapshot of
    the hub model of this name (downloaded once: only `files`, no pickles).

    Raises ArtifactError `not_a_file` (neither a folder nor reachable), `bad_config` (the folder is an adapter's).
    """
    if name_or_folder.startswith(PACKAGE):
        package = name_or_folder.removeprefix(PACKAGE)
        return Located(packaged_model(package), package, revision)
    local = Path(name_or_folder).expanduser()
    folder = local if local.is_dir() else download(name_or_folder, revision, files)
    if (folder / "adapter_config.json").is_file():
        raise ArtifactError("bad_config", f"{folder} must be a backbone, found an adapter. Name its base model instead.")
    if local.is_dir():
        return Located(folder, folder.resolve().name, revision)
    return Located(folder, name_or_folder, folder.name)


def download(name: str, revision: str | None, files: tuple[str, ...]) -> Path:
    """The folder of a hub snapshot, named after its commit."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import EntryNotFoundError, RevisionResolutionError

    advice = "Give a local folder in Hugging Face layout, or download the model while there is a network."
    if not _HUB_NAME.match(name):
        raise ArtifactError("not_a_file", f"{name!r} must be an existing folder or a hub name `owner/model`, found neither. {advice}")
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(files)))
    except (OSError, EntryNotFoundError, RevisionResolutionError) as error:
        raise ArtifactError("not_a_file", f"{name!r} is neither a folder nor in reach on the hub ({error}). {advice}") from error
