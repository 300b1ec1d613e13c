"""Does the model still know the class without its favourite words?"""

from __future__ import annotations

import numpy as np

from ood.attacks._edits import Edit, attacked, checked, unedited
from ood.attacks._own import nothing_own, own_positions
from ood.attacks.record import IMPACT, METHODS_6, Attack, Attacked, Preserves
from ood.keywords import Keywords
from ood.words import forms

WORDS = (1.0, 2.0, 3.0)


def keyword_deletion(
    text: str, label: str, severity: int, rng: np.random.Generator, keywords: Keywords, preserves: Preserves | None = None
) -> Attacked:
    """`text` without its 1 to 3 best own class keywords, each taken with its punctuation; one word that is not mere punctuation stays.

    Nothing is drawn: `rng` is part of every attack's signature. With `preserves`, the next best keyword is tried when a deletion does not
    hold. Severity 1 to 3. Raises ValueError for other severities and unknown labels. Source: METHODS 6, in the manner of its replacement.
    """
    count = int(checked(WORDS, severity, text))
    own = own_positions(text, label, keywords)
    spare = sum(1 for word in forms(text) if word) - 1
    if not own or not spare:
        return unedited(text, "the only word of the text" if own else nothing_own(label))

    def propose(edits: tuple[Edit, ...], refused: int) -> Edit | None:
        used = {edit.at for edit in edits}
        left = [at for at in own if at not in used]
        return Edit("delete", left[refused]) if refused < len(left) else None

    return attacked(text, min(count, spare), propose, preserves)


RECORD = Attack("keyword_deletion", keyword_deletion, "keyword", "words deleted", WORDS, IMPACT, METHODS_6)
