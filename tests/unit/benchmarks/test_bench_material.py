"""Is what the bench works on as realistic, and as different, as it says?"""

from __future__ import annotations

from benchmarks.material import picture, pictures
from lake.identity import content_id
from models.decode import DecodeLimits, decode


def test_pictures_have_the_size_of_photographs_and_the_same_number_gives_the_same() -> None:
    found = [picture(number) for number in range(4)]
    assert all(27_000 < len(content) < 36_000 for content in found) and picture(2) == found[2]
    assert decode(found[0], DecodeLimits()).image.shape == (256, 256, 3)


def test_every_picture_is_another_example_also_where_the_pixels_repeat() -> None:
    found = pictures(130, side=64)
    assert len({content_id("image", content) for content in found}) == 130
    first, again = (decode(found[number], DecodeLimits()).image for number in (5, 69))  # 64 are drawn, then they repeat
    assert (first == again).all()
