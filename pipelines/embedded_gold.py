"""Which embeddings does gold fit logistic regression on, and are they all there?"""

from __future__ import annotations

from bronze.build import Examples
from bronze.specs import EMBEDDINGS, OUTSIDE
from gold.build import OutsideInputs
from lake.errors import ConfigError
from lake.ledger import Cell, Ledger


def require_embedded(ledger: Ledger, examples: Examples, embeddings_id: str) -> None:
    """Raises ConfigError unless every example is embedded under these settings.

    Of changed settings there may be no vector yet, or some: gold would leave out logistic regression, or fit it on a part, and would not
    know later that its rows are to be made anew.
    """
    if not ledger.complete(EMBEDDINGS, embeddings_id, Cell(), examples.inputs(*examples.splits)):
        raise ConfigError(
            f"bronze.embeddings of {examples.dataset} must hold every example under the settings of embeddings, for logistic regression in "
            f"gold; it does not: include bronze in --layers"
        )


def outside_inputs(examples: Examples, embeddings_id: str) -> OutsideInputs | None:
    """What gold reads for inputs of no class; None where the dataset has none."""
    if not examples.count(OUTSIDE):
        return None
    return OutsideInputs(examples.settings_id, embeddings_id, examples.inputs(*examples.splits))
