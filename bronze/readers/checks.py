"""Can this label and this split be used? The same answer for every reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bronze.reference import Reference, printable

if TYPE_CHECKING:
    from bronze.settings import SourceSettings


def checked(reference: Reference, settings: SourceSettings) -> Reference:
    """The reference, or refused: `label_missing`; `label_unknown` when not one of `settings.labels`, also if only the case differs;
    `bad_record` when its split has no place in `settings.split_map`. An earlier refusal stays. A label of `settings.outside_labels` is
    neither: it is of no class, and its place in the splits is `outside`.
    """
    if reference.error_code is not None:
        return reference
    if reference.label is None or not reference.label.strip():
        return reference.refused("label_missing", "must have a label, has none")
    if reference.label in settings.outside_labels:
        return reference
    if settings.labels is not None and reference.label not in settings.labels:
        return reference.refused("label_unknown", _unknown(reference.label, settings.labels))
    if settings.split_map is not None and reference.source_split not in settings.split_map:
        known = ", ".join(map(repr, settings.split_map))
        return reference.refused("bad_record", f"split must be one of source.split_map ({known}), found {reference.source_split!r}")
    return reference


def _unknown(label: str, labels: tuple[str, ...]) -> str:
    alike = [known for known in labels if known.casefold() == label.casefold()]
    hint = f"; {alike[0]!r} differs only in case" if alike else ""
    return f"label must be one of the {len(labels)} in source.labels, found {printable(label)!r}{hint}"
