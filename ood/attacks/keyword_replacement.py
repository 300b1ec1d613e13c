"""Does the model still know the class when its favourite words stand for something else?"""

from __future__ import annotations

import numpy as np

from models.words import word_spans
from ood.attacks._edits import Edit, attacked, checked, dressed, unedited
from ood.attacks._own import CONFUSING, nothing_own, own_positions
from ood.attacks.record import CAP_PAPER, IMPACT, Attack, Attacked, Preserves
from ood.keywords import Keywords

WORDS = (1.0, 2.0, 3.0)


def keyword_replacement(
    text: str, label: str, severity: int, rng: np.random.Generator, keywords: Keywords, preserves: Preserves | None = None
) -> Attacked:
    """`text` with its 1 to 3 best own class keywords swapped, each for a confusing or a neutral word by a fair coin.

    Confusing: one of the 5 best keywords of the most confusable other class that are not `label`'s too; neutral: a word that marks no
    class. With `preserves`, the next best keyword of the text is tried when a swap does not hold, and all of them again with other words.
    Outer punctuation and capitals of the word stay. Severity 1 to 3. Raises ValueError for other severities and unknown labels. Source:
    METHODS 6.
    """
    count = int(checked(WORDS, severity, text))
    own = own_positions(text, label, keywords)
    pools = [pool for pool in (keywords.confusing(label)[:CONFUSING], keywords.neutral) if pool]
    if not own or not pools:
        return unedited(text, "no confusing or neutral word is known" if own else nothing_own(label))
    words = [text[start:end] for start, end in word_spans(text)]

    def propose(edits: tuple[Edit, ...], refused: int) -> Edit | None:
        used = {edit.at for edit in edits}
        left = [at for at in own if at not in used]
        if not left:
            return None
        at, pool = left[refused % len(left)], pools[int(rng.integers(len(pools)))]
        return Edit("replace", at, dressed(words[at], pool[int(rng.integers(len(pool)))]))

    return attacked(text, count, propose, preserves)


RECORD = Attack("keyword_replacement", keyword_replacement, "keyword", "words replaced", WORDS, IMPACT, CAP_PAPER)
