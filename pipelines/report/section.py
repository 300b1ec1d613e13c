"""What is a section of the page, and what stands in its place where the lake has nothing for it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.report.markup import Markup, data, joined, paragraph, tag
from pipelines.report.source import Reading, Source


@dataclass(frozen=True)
class Section:
    """`needs`: tables and views without which there is nothing to say. `one_of`: of these any one is enough. `also`: those that are used
    where they are there.

    `draw` gives the section's body, or None where the tables have no rows of the dataset that can be shown.
    `says`: what the reader would see here, as the subject of the sentence that stands there without it.
    """

    slug: str
    title: str
    says: str
    needs: tuple[str, ...]
    draw: Callable[[Reading], Markup | None]
    also: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    only: str | None = None  # a modality, `image` or `text`: datasets of another have no such section

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.needs, *self.one_of, *self.also)


def shown(section: Section, source: Source, dataset: str, place: int) -> Markup:
    """The section of a dataset: heading, body, and in small print the versions it was read from; or one sentence on what lacks."""
    reading, anchor = Reading(source, dataset, place), f"d{place}-{section.slug}"
    there = [name for name in section.reads if reading.has(name)]
    wanted = section.one_of if section.one_of and not set(section.one_of) & set(there) else section.needs
    absent = [name for name in (wanted if there or section.one_of else section.reads) if name not in there]
    body = None if absent else section.draw(reading)
    if body is None:
        why = f"this lake has no {' and no '.join(absent)}" if absent else f"{there[0]} has no rows of this dataset that can be shown"
        inside: Markup = paragraph(f"{section.says} is left out: {why}.", kind="lacking")
    else:
        inside = joined([body, _small_print(reading)])
    heading = tag("h3", {"id": anchor}, section.title)
    return tag("section", {"aria-labelledby": anchor}, heading, inside)


def _small_print(reading: Reading) -> Markup:
    read = "; ".join(f"{name} version {version}" for name, version in reading.versions())
    return paragraph("Read from ", data(read, 600), ".", kind="from")
