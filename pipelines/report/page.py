"""How do the sections of all datasets become one file that needs nothing else?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipelines.report.facts import READS, facts, modality
from pipelines.report.figures import plural
from pipelines.report.markup import Markup, data, joined, paragraph, tag
from pipelines.report.section import Section, shown
from pipelines.report.source import Reading, Source
from pipelines.report.style import policy, style_sheet

RUNS = "audit.runs"
LAST_RUN = "SELECT run_id, started_at FROM audit.runs ORDER BY started_at DESC, run_id LIMIT 1"


def tables_of_page(sections: Sequence[Section]) -> set[str]:
    """The names of all tables and views that a page of these sections may ask."""
    return {RUNS, *READS, *(name for section in sections for name in section.reads)}


def page(source: Source, name: str, datasets: Sequence[str], sections: Sequence[Section], step: Callable[[], None]) -> str:
    """The whole file. `name`: what the lake is called; `step` is called after each section."""
    bodies = [_dataset(source, dataset, place, sections, step) for place, dataset in enumerate(datasets, start=1)]
    links = [tag("a", {"href": f"#d{place}"}, data(dataset, 60)) for place, dataset in enumerate(datasets, start=1)]
    head = tag(
        "header",
        None,
        tag("h1", None, "Which adapters break, and can you tell?"),
        paragraph("Assay on the lake ", data(name, 80), _when(source), kind="soft"),
        tag("nav", {"aria-label": "datasets"}, *links) if len(links) > 1 else None,
    )
    none = paragraph("This lake has no adapters yet: `assay run` brings them in.") if not datasets else None
    sheet = style_sheet()
    about = [
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"http-equiv": "Content-Security-Policy", "content": policy(sheet)}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("title", None, f"Assay: {', '.join(datasets) or name}"[:120]),
        tag("style", None, Markup(sheet)),
    ]
    body = tag("body", None, head, tag("main", None, none, *bodies))
    return f"<!DOCTYPE html>\n{tag('html', {'lang': 'en'}, tag('head', None, *about), body)}\n"


def _dataset(source: Source, dataset: str, place: int, sections: Sequence[Section], step: Callable[[], None]) -> Markup:
    anchor = f"d{place}"
    reading = Reading(source, dataset, place)
    kind = modality(reading)
    parts = [tag("h2", {"id": anchor}, data(dataset, 80)), facts(reading)]
    for section in sections:
        if section.only is None or section.only == kind:
            parts.append(shown(section, source, dataset, place))
        step()
    return joined(parts)


def _when(source: Source) -> Markup:
    """As of its last run: a date of the page's own would make two pages of one lake differ."""
    found = Reading(source, "").rows(LAST_RUN) if RUNS in source.names else []
    many = plural(len(source.versions), "table")
    if not found:
        return joined([f", {many}. Every figure says how many rows it is from, and which versions of the tables."])
    run = found[0]
    at = f", at {run['started_at']:%Y-%m-%d %H:%M} UTC" if run["started_at"] else ""
    return joined([", as of run ", data(run["run_id"], 70), at, f". {many} were read; each section says which, at which version."])
