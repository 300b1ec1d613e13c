"""Which adapters of a configuration can be used? A row each."""

from __future__ import annotations

from collections.abc import Iterable

from lake.errors import MissingInputError
from pipelines.check.adapters import Answer, try_offers, try_recipes
from pipelines.check.findings import Checked
from pipelines.check.tried import Tried
from pipelines.config import Config
from pipelines.doctor import usable_cores
from pipelines.exits import DATA, MISSING
from silver.adapters.offers import Zoo, foreign_offers


def check_adapters(config: Config, zoo: Zoo, tried: Tried, stands_in: bool, checked: Checked) -> None:
    """A row per adapter, and row `adapters` where none can be used. `stands_in`: the run will pre-train another backbone than this."""
    own = config.adapters
    usable = _answers(try_recipes(own.recipes, zoo, tried, usable_cores()), checked)
    try:
        offers = foreign_offers(own.folders)
    except MissingInputError as error:
        checked.add("adapters", "missing", str(error), MISSING)
        return
    if offers and stands_in:
        checked.add("adapters", f"{len(offers)} offered", "they cannot be tried before the run has pre-trained the backbone")
        return
    usable += _answers(try_offers(offers, zoo, tried), checked)
    if not usable:
        fix = "add adapters.recipes to train some, or a folder of adapters that fit this backbone and these labels to adapters.folders"
        checked.add("adapters", f"none of {len(own.recipes) + len(offers)} usable", fix, DATA if own.recipes or offers else 0)


def _answers(answers: Iterable[Answer], checked: Checked) -> int:
    """A row per answer; gives the number of adapters that can be used."""
    usable = 0
    for answer in answers:
        usable += answer.state != "rejected"
        fixes = {"ready": "", "inert": "it changes nothing: its rows repeat the backbone's", "rejected": "the run goes on without it"}
        checked.add(f"adapter {answer.name}", f"{answer.state}: {answer.text}", fixes[answer.state])
    return usable
