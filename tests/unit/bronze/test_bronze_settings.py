"""Does a source say what is wrong with it before anything is read?"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bronze.readers import READERS
from bronze.settings import DecodeSettings, SourceSettings, SplitSettings, SplitShares
from models.decode import DecodeLimits
from models.text_content import TextLimits


@pytest.mark.parametrize("name", [reader.name for reader in READERS])
def test_every_reader_can_be_named_in_a_source(name: str) -> None:
    assert SourceSettings(reader=name, root="data").reader == name


def test_a_misspelt_reader_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValidationError, match="did you mean 'manifest'"):
        SourceSettings(reader="manifset", root="data")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"reader": "folder"}, "add source.root"),
        ({"reader": "folder", "root": "x", "lables": ["a"]}, "Extra inputs"),
        ({"reader": "folder", "root": "x", "labels": ["a", "a"]}, "distinct"),
        ({"reader": "folder", "root": "x", "labels": []}, "distinct"),
        ({"reader": "folder", "root": "x", "limit": 0}, "greater than or equal to 1"),
        ({"reader": "folder", "root": "x", "suffixes": ["JPG"]}, "lower case"),
        ({"reader": "folder", "root": "x", "split_map": {"train": "training"}}, "Extra inputs"),
        ({"reader": "folder", "root": "x", "split_map": {"train": {"meta": 0.9}}}, "must be 1, found 0.9"),
        ({"reader": "table"}, "add source.root"),
        ({"reader": "table", "root": "x", "table": {"files": []}}, "at least 1 item"),
        ({"reader": "table", "root": "x", "table": {"txt": "said"}}, "Extra inputs"),
        ({"reader": "text_folder", "root": "x", "text_folder": {"one_text_per": "page"}}, "'place', 'line' or 'file'"),
        ({"reader": "table", "root": "x", "outside_labels": ["oos", "oos"]}, "outside_labels must be distinct"),
        ({"reader": "table", "root": "x", "outside_labels": [" "]}, "outside_labels must be distinct and not empty"),
        ({"reader": "table", "root": "x", "labels": ["a", "oos"], "outside_labels": ["oos"]}, "found oos in both"),
    ],
)
def test_a_wrong_source_is_refused_with_its_reason(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        SourceSettings.model_validate(fields)


def test_a_split_may_be_named_instead_of_giving_shares() -> None:
    source = SourceSettings.model_validate({"reader": "digits", "split_map": {"test": "meta", "train": {"adapter_train": 1.0}}})
    assert source.split_map == {"test": SplitShares(meta=1.0), "train": SplitShares(adapter_train=1.0)}


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"must be 1, found 1\.1"):
        SplitSettings(adapter_train=0.6, adapter_val=0.1, meta=0.4)


def test_each_modality_has_its_own_limits() -> None:
    settings = DecodeSettings(max_bytes=10, max_pixels=20, max_text_bytes=30)
    assert settings.limits_of("image") == settings.limits() == DecodeLimits(10, 20)
    assert settings.limits_of("text") == TextLimits(30)


def test_what_is_not_used_is_not_written_and_what_is_used_can_be_read_again() -> None:
    plain = SourceSettings(reader="digits")
    assert not {"table", "text_folder", "outside_labels"} & plain.model_dump().keys()
    assert "max_text_bytes" not in DecodeSettings().model_dump(mode="json")
    used = SourceSettings.model_validate({"reader": "table", "root": "x", "table": {"text": "said"}, "outside_labels": ["oos"]})
    assert SourceSettings.model_validate(used.model_dump(mode="json")) == used
    assert DecodeSettings.model_validate(DecodeSettings(max_text_bytes=5).model_dump()).max_text_bytes == 5


def test_the_limits_of_decoding_are_those_of_the_settings() -> None:
    limits = DecodeSettings(max_bytes=10, max_pixels=20).limits()
    assert (limits.max_bytes, limits.max_pixels) == (10, 20)
