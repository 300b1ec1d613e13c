"""Is gold with logistic regression refused where embeddings are missing, and made anew where they are others?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from bronze.build import Examples
from bronze.specs import EMBEDDINGS
from gold.build import GoldInputs, OutsideInputs
from gold.frames import CORRUPTIONS, empty
from gold.settings import GoldSettings
from lake.errors import ConfigError
from lake.ledger import Cell, Done, Ledger
from pipelines.embedded_gold import outside_inputs, require_embedded

STAMPS = {"adapter_train": (4, "t"), "adapter_val": (1, "v"), "meta": (3, "m"), "outside": (2, "o")}
EXAMPLES = Examples("pets", ("cat", "dog"), "x" * 16, 0, STAMPS)


class Unread(Ledger):
    """A ledger that begins empty, so that it needs no lake to read from."""

    def __init__(self) -> None:
        self._cells, self._generations, self._noted = {}, {}, False


def test_embeddings_of_other_settings_of_other_examples_or_half_of_them_are_not_those_that_gold_needs() -> None:
    ledger, everything = Unread(), EXAMPLES.inputs(*STAMPS)
    ledger.note(EMBEDDINGS, "float32", {Cell(): Done(everything, 10, 10)})
    require_embedded(ledger, EXAMPLES, "float32")
    ledger.note(EMBEDDINGS, "half done", {Cell(): Done(everything, 10, 0)})
    more = replace(EXAMPLES, stamps=STAMPS | {"adapter_train": (5, "u")})
    for examples, settings in ((EXAMPLES, "bfloat16"), (EXAMPLES, "half done"), (more, "float32")):
        with pytest.raises(ConfigError, match=r"bronze.embeddings of pets .* include bronze in --layers"):
            require_embedded(ledger, examples, settings)


def test_gold_is_made_anew_for_other_embeddings_and_for_other_training_pictures() -> None:
    def defining(outside: OutsideInputs | None) -> dict[str, object]:
        given = GoldInputs("pets", ("cat", "dog"), "", "", "", "", (), (), empty(CORRUPTIONS), "default", "abc", None, outside)
        return given.defining(GoldSettings())

    more = replace(EXAMPLES, stamps=STAMPS | {"adapter_train": (5, "u")})
    found = [outside_inputs(EXAMPLES, "e"), outside_inputs(EXAMPLES, "f"), outside_inputs(more, "e")]
    assert len({str(defining(one)) for one in found}) == 3 and defining(found[0]) == defining(outside_inputs(EXAMPLES, "e"))
    without = replace(EXAMPLES, stamps=STAMPS | {"outside": (0, "")})
    assert outside_inputs(without, "e") is None and "outside" not in defining(None)
