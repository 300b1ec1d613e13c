"""How do the files of a model under a hub name come onto this machine? Once, only those asked for, and with a clear refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from models.errors import ArtifactError

_HUB_NAME = re.compile(r"^[\w-][\w.-]*(/[\w-][\w.-]*)?$")


def download(name: str, revision: str | None, patterns: Sequence[str]) -> Path:
    """The folder of a hub snapshot, named after its commit; only files that fit `patterns` are fetched, later calls read the cache.

    Raises ArtifactError `not_a_file` when the name is no hub name or nothing is in reach under it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import EntryNotFoundError, RevisionResolutionError

    advice = "Give a local folder in Hugging Face layout, or download the model while there is a network."
    if not _HUB_NAME.match(name):
        raise ArtifactError("not_a_file", f"{name!r} must be an existing folder or a hub name `owner/model`, found neither. {advice}")
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(patterns)))
    except (OSError, EntryNotFoundError, RevisionResolutionError) as error:
        raise ArtifactError("not_a_file", f"{name!r} is neither a folder nor in reach on the hub ({error}). {advice}") from error
