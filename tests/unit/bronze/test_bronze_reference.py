"""Can every path be stored and found again, and is a listing repeatable and bounded?"""

from __future__ import annotations

import os

import pytest

from bronze.reference import Listing, Reference, batches, escaped, references_of, unescaped


@pytest.mark.parametrize(
    "path", ["a/b.jpg", "_a.jpg", "ä/日本.jpg", "a\\b", "a\\xff", "a\\\\xff", "x\n#1 '\"`;.png", os.fsdecode(b"\xff\xc3\x28\\xfe")]
)
def test_an_escaped_path_is_valid_text_and_finds_the_file_again(path: str) -> None:
    text = escaped(path)
    text.encode()  # raises for what no table could hold
    assert unescaped(text) == path


def test_two_paths_never_get_the_same_text() -> None:
    raw, spelt = os.fsdecode(b"\xff"), "\\xff"
    assert (escaped(raw), escaped(spelt)) == ("\\xff", "\\\\xff")


def test_a_listing_can_be_iterated_again_and_counts_what_it_ignores() -> None:
    places = [Reference("a", "a"), None, Reference("b", "b"), None]
    listing = Listing(lambda: iter(places))
    assert listing.ignored == 2
    assert [reference.source_path for reference in listing] == ["a", "b"]
    assert [reference.source_path for reference in listing] == ["a", "b"]
    assert listing.ignored == 2


def test_references_come_back_from_batches_of_bounded_rows() -> None:
    places = [
        Reference(f"f#{n}", "f", n, "cat", None).refused("bad_record", "why") if n % 2 else Reference(f"f#{n}", "f", n) for n in range(5)
    ]
    found = list(batches(Listing(lambda: iter(places)), rows=2))
    assert [batch.num_rows for batch in found] == [2, 2, 1]
    assert [reference for batch in found for reference in references_of(batch)] == places
