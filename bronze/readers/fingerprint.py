"""Has a source changed since it was last read?"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from bronze.reference import Listing

if TYPE_CHECKING:
    from bronze.readers import Reader


def fingerprint(listing: Listing, reader: Reader, root: Path) -> str:
    """Hex sha256 over each reference (path, label, split, refusal), the stamp of its file, and the count of ignored files.

    Equal: the source need not be read again. A stamp is size and time of change, so a file rewritten with both equal goes unseen.
    """
    digest = hashlib.sha256(f"{reader.name}\0{reader.modality}".encode())
    location, stamp = "", ""
    for reference in listing:
        if reference.error_code is None and reference.location != location:  # records of one file follow each other
            location, stamp = reference.location, reader.stamp(reference.location, root)
        fields = (
            reference.source_path,
            reference.location,
            reference.label,
            reference.source_split,
            reference.error_code,
            stamp if reference.error_code is None else "",
        )
        own = () if reference.field is None else (reference.field,)  # another column of the same file is another content
        digest.update(json.dumps(fields + own).encode() + b"\n")
    digest.update(str(listing.ignored).encode())
    return digest.hexdigest()
