"""Which version of the layout does a lake have, and can this version of Assay work on it?"""

from __future__ import annotations

import json
from importlib.metadata import version

from lake.door import FORMAT_VERSION
from lake.errors import ContractError
from lake.storage import Storage

FILE = "_assay.json"


def check_format(storage: Storage) -> None:
    """Marks a new lake with this version's format. Raises ContractError when the lake's is newer, or its mark cannot be read.

    An empty mark is what a process killed while marking leaves behind: it is written again.
    """
    path = f"{storage.root}/{FILE}"
    text = storage.read_text(path)
    if text is None and storage.write_text(path, json.dumps({"format": FORMAT_VERSION}) + "\n", overwrite=False):
        return
    text = text or storage.read_text(path)  # another process was first: its mark counts
    if not text:
        storage.write_text(path, json.dumps({"format": FORMAT_VERSION}) + "\n")
        return
    known_format(text, path)


def known_format(text: str, path: str) -> int:
    """The format number in a mark's text, 1..FORMAT_VERSION. Raises ContractError, naming `path`, when it holds none or a newer one."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        content = None
    found = content.get("format") if isinstance(content, dict) else None
    if type(found) is not int or found < 1:
        raise ContractError(f'{path}: must be JSON like {{"format": {FORMAT_VERSION}}}, found {text[:80]!r}. Restore the file')
    if found > FORMAT_VERSION:
        raise ContractError(
            f"{path}: the lake's format must be at most {FORMAT_VERSION} for Assay {version('assay')}, found {found}: "
            f"a newer Assay has written it. Upgrade Assay, or work on another lake"
        )
    return found
