"""Does the model fall for words of another class that do not change what is asked?"""

from __future__ import annotations

import numpy as np

from models.words import word_spans
from ood.attacks._edits import Edit, attacked, checked, unedited
from ood.attacks._own import CONFUSING
from ood.attacks.record import CAP_PAPER, IMPACT, Attack, Attacked, Preserves
from ood.keywords import Keywords

WORDS = (1.0, 2.0, 3.0)


def keyword_addition(
    text: str, label: str, severity: int, rng: np.random.Generator, keywords: Keywords, preserves: Preserves | None = None
) -> Attacked:
    """`text` with 1 to 3 different words inserted at random word boundaries: of the 5 best keywords of the most confusable other class.

    Keywords that `label` has too are passed over, since they would speak for it. With `preserves`, word and boundary are drawn again
    until it holds. `label` is the true one. Severity 1 to 3. Raises ValueError for other severities and unknown labels. Source: METHODS
    6.
    """
    count = int(checked(WORDS, severity, text))
    boundaries = len(word_spans(text)) + 1
    confusing = keywords.confusing(label)[:CONFUSING]
    if boundaries == 1 or not confusing:
        return unedited(text, "no word in the text" if boundaries == 1 else f"no confusing keyword for {label!r}")

    def propose(edits: tuple[Edit, ...], refused: int) -> Edit | None:
        used = {edit.word for edit in edits}
        left = [word for word in confusing if word not in used]
        return Edit("insert", int(rng.integers(boundaries)), left[int(rng.integers(len(left)))]) if left else None

    return attacked(text, count, propose, preserves)


RECORD = Attack("keyword_addition", keyword_addition, "keyword", "words inserted", WORDS, IMPACT, CAP_PAPER)
