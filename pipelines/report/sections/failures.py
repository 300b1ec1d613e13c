"""What do failures look like? A few, drawn by a rule: right on the clean input, wrong on its corrupted form."""

from __future__ import annotations

from pipelines.report.examined import EXAMINED, METRICS, examined
from pipelines.report.failures.choose import candidates, choose
from pipelines.report.failures.details import (
    ADAPTERS,
    ATTACKED,
    ATTRIBUTIONS,
    EXAMPLES,
    PREDICTIONS,
    SETTINGS,
    Failure,
    details,
    settings_of,
)
from pipelines.report.figures import percent, plural
from pipelines.report.markup import Content, Markup, data, joined, paragraph, tag
from pipelines.report.section import Section
from pipelines.report.source import Reading

MET = "ood.predictions_current"
ATTACKS = "SELECT DISTINCT attack FROM ood.attacked_texts_current WHERE dataset = ? ORDER BY ALL"
MODALITY = "SELECT DISTINCT modality FROM bronze.examples_current WHERE dataset = ? ORDER BY ALL"


def draw(reading: Reading) -> Markup | None:
    """A card per failure."""
    is_text = reading.rows(MODALITY, reading.dataset) == [{"modality": "text"}]
    changes = _attacks(reading) if is_text else _corruptions()
    chosen = choose(candidates(reading, changes), reading.source.room.failures)
    method = examined(reading)
    failures = details(reading, chosen, method[0] if method else "")
    cards, others = (_text_cards(reading, failures), None) if is_text else _picture_cards(reading, failures)
    if not cards:
        return None
    lead = paragraph(
        f"{plural(len(cards), 'failure')}, drawn by a hash over corruptions and adapters, none for its looks: each is right on the clean "
        "input and wrong on this form, the mildest of its corruption at which that is so. ",
        _how(is_text, method[0] if method else None),
        kind="note",
    )
    return joined([lead, others, tag("div", {"class": "cards"}, *cards)])


def _how(is_text: bool, method: str | None) -> Markup:
    if method is None:
        return joined(["No attribution is stored for them."])
    if is_text:
        said = "what speaks for the clean answer (blue) or against it (orange). Below, the text as attacked, touched words framed."
    else:
        said = "where the adapter looked on the clean picture (blue). To the right, the corrupted picture, made again from its key."
    return joined(["Shaded by ", data(method, 40), ": ", said])


def _attacks(reading: Reading) -> list[str]:
    return [row["attack"] for row in reading.rows(ATTACKS, reading.dataset)] if reading.has(ATTACKED) else []


def _corruptions() -> list[str]:
    from ood.corruptions import CORRUPTIONS

    return [record.name for record in CORRUPTIONS]


def _text_cards(reading: Reading, failures: list[Failure]) -> list[Markup]:
    from pipelines.report.failures.texts import attacked, before_and_after

    changes = [(failure, attacked(reading, failure)) for failure in failures]
    return [_card(failure, before_and_after(failure, change)) for failure, change in changes if change is not None]


def _picture_cards(reading: Reading, failures: list[Failure]) -> tuple[list[Markup], Markup | None]:
    """The cards, and a warning where other libraries than the lake's have drawn them."""
    from pipelines.report.failures.pictures import other_libraries, recipe_of, triptych  # brings in the picture code, and torch with it

    cards, others = [], []
    for place, failure in enumerate(failures):
        ood = settings_of(reading, "ood.predictions", failure.settings_id)
        examples = settings_of(reading, "bronze.examples", ood["examples"]) if ood else None
        if ood and examples and failure.image is not None:
            number = f"{reading.place}-{place}"
            others += [found for found in other_libraries(ood) if found not in others]
            cards.append(_card(failure, triptych(failure, recipe_of(ood, examples), reading.source.room.edge, number)))
    said = f"The lake's pictures were corrupted with {', '.join(others)}: these may differ from them in single pixels."
    return cards, paragraph(said, kind="note") if others else None


def _card(failure: Failure, inside: Content) -> Markup:
    heading = tag("h4", None, data(failure.corruption, 40), f", severity {failure.severity}")
    said = paragraph(
        "Is ", tag("b", None, data(failure.label, 60)), f" (clean: right, {percent(failure.clean_confidence, 0)} sure), taken for ",
        tag("b", None, data(failure.answer, 60)), f" ({percent(failure.confidence, 0)} sure).",
    )  # fmt: skip
    by = paragraph("adapter ", data(failure.adapter, 60), ", example ", data(failure.example_id[:12]), kind="soft")
    return tag("article", {"class": "card"}, heading, inside, said, by)


SECTION = Section(
    "failures",
    "What failures look like",
    "The gallery of failures",
    (MET, EXAMPLES, PREDICTIONS, ATTRIBUTIONS, ADAPTERS),
    draw,
    also=(ATTACKED, SETTINGS, METRICS, EXAMINED),
)
