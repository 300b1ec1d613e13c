"""A tree holds every text and label once, and a token sees exactly what it would see in a text of its own."""

from __future__ import annotations

import numpy as np
import pytest

from models.label_scorer.prefix import common_length
from models.label_scorer.tree import Pack, Path, label_tree, packs, shared_length

# (5) is a prefix of (5 6); (7 8) and (7 8 9 4) share two tokens
LABELS: tuple[Path, ...] = ((5,), (5, 6), (7, 8, 9, 4), (7, 8, 1))


def seen(pack: Pack, place: int) -> Path:
    """What a token sees, in the order of its position: the text it believes to be in, itself last."""
    places = np.flatnonzero(pack.visible[place])
    assert sorted(pack.depths[places]) == list(range(len(places))), "a token sees one token at each position up to its own"
    return tuple(pack.tokens[places[np.argsort(pack.depths[places])]].tolist())


def random_paths(seed: int, n: int = 30) -> list[Path]:
    """Distinct, sorted paths of 1 to 9 tokens from a vocabulary of three: many share beginnings, some are beginnings of others."""
    rng = np.random.default_rng(seed)
    return sorted({tuple(rng.integers(1, 4, rng.integers(1, 10)).tolist()) for _ in range(n)})


def test_a_label_tree_reads_no_last_token_and_shares_beginnings() -> None:
    tree = label_tree(LABELS)
    # nodes are the proper beginnings (5), (7), (7 8), (7 8 9), in this order
    assert tree.tokens.tolist() == [5, 7, 8, 9]
    assert tree.parents.tolist() == [-1, -1, 1, 2] and tree.depths.tolist() == [1, 1, 2, 3]
    # edges (predicting node, token), node 0 being the text's end: 5, 5-6, 7, 7-8, 7-8-1, 7-8-9, 7-8-9-4
    assert tree.edges.tolist() == [[0, 5], [1, 6], [0, 7], [2, 8], [3, 1], [3, 9], [4, 4]]
    assert tree.label_edges == ((0,), (0, 1), (2, 3, 5, 6), (2, 3, 4))


def test_a_labels_score_is_the_sum_over_its_own_tokens() -> None:
    # one power of two per edge: a sum says which edges are in it
    scores = 2.0 ** np.arange(7)[None]
    assert label_tree(LABELS).sums(np.vstack([scores, -scores])).tolist() == [[1, 3, 4 + 8 + 32 + 64, 4 + 8 + 16], [-1, -3, -108, -28]]


def test_labels_of_one_token_are_read_nowhere() -> None:
    tree = label_tree(((3,), (4,)))
    assert len(tree.tokens) == 0 and tree.edges.tolist() == [[0, 3], [0, 4]]
    (pack,) = packs([(1, 2)], tree, limit=8, step=1)
    assert pack.tokens.tolist() == [1, 2] and pack.asked.tolist() == [[1]]


@pytest.mark.parametrize("labels", [(), ((),), ((1,), ())])
def test_no_label_and_a_label_without_tokens_are_refused(labels: tuple[Path, ...]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        label_tree(labels)


def test_two_texts_in_one_tree_by_hand() -> None:
    # (1 2) and (1 3) share their first token; the label (8 9) hangs behind each, its last token unread; 6 tokens are padded to 8
    (pack,) = packs([(1, 2), (1, 3)], label_tree(((8, 9),)), limit=99, step=4)
    assert pack.tokens.tolist() == [1, 2, 8, 3, 8, 0, 0, 0] and pack.depths.tolist() == [0, 1, 2, 1, 2, 0, 0, 0]
    assert pack.asked.tolist() == [[1, 2], [3, 4]]
    rows = ["10000000", "11000000", "11100000", "10010000", "10011000", "00000100", "00000010", "00000001"]
    assert ["".join(map(str, row)) for row in pack.visible.astype(int).tolist()] == rows


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("limit", [1, 12, 40, 10_000])
def test_every_asked_token_sees_its_own_text_and_label_and_nothing_else(seed: int, limit: int) -> None:
    paths, tree = random_paths(seed), label_tree(LABELS)
    nodes: list[Path] = [(), (5,), (7,), (7, 8), (7, 8, 9)]
    made = list(packs(paths, tree, limit, step=4))
    found = [seen(pack, place) for pack in made for row in pack.asked for place in row]
    assert found == [path + node for path in paths for node in nodes]


@pytest.mark.parametrize("limit", [8, 25, 60])
@pytest.mark.parametrize("step", [1, 7, 32])
def test_no_tree_is_over_the_limit_padding_included_but_a_text_that_is_so_alone(limit: int, step: int) -> None:
    tree = label_tree(LABELS)
    found = list(packs(random_paths(7), tree, limit, step))
    for pack in found:
        assert len(pack.tokens) <= limit or len(pack.asked) == 1
        assert len(pack.tokens) % step == 0 or len(pack.tokens) == limit
    # the padding decides nothing of what stands together
    assert [len(pack.asked) for pack in found] == [len(pack.asked) for pack in packs(random_paths(7), tree, limit, 1)]


def test_what_texts_share_is_in_a_tree_once() -> None:
    paths, tree = random_paths(3), label_tree(((1, 1),))
    (pack,) = packs(paths, tree, limit=10_000, step=1)
    beginnings = {path[:stop] for path in paths for stop in range(1, len(path) + 1)}
    assert len(pack.tokens) == len(beginnings) + len(paths)  # and one node of the label behind each text


def test_what_prompts_share_is_found_by_comparing_them() -> None:
    assert shared_length((1, 2, 3), (1, 2, 4)) == 2 and shared_length((1, 2), (1, 2, 3)) == 2 and shared_length((), (1,)) == 0
    assert common_length((1, 2, 3, 4), [(1, 2, 3, 9), (1, 2, 3, 4, 5)]) == 3
    assert common_length((1, 2, 3), [(1, 2, 9), (7, 2, 3)]) == 0  # a guess that no prompt bears out is not used
    assert common_length((1, 2, 3), [(1, 2), (1, 2, 3, 4)]) == 1  # a prompt's last token has to be read
