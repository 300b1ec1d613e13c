"""Do tokens belong to the right words, whatever the tokenizer does with spaces, and does what is beyond the limit leave a flag?"""

from __future__ import annotations

import numpy as np
import pytest

from models.backbone_record import TextBackbone
from models.text_backbone import resolve_text_backbone
from models.texts import prepare, word_at, word_sums
from models.words import word_spans
from tests.text_folders import KINDS, SENTENCES, roberta_tokenizer, save_text

HOSTILE = (
    "...",
    "card",
    "  leading and  double   spaces \n",
    "thumbs 👍🏽 up 👨‍👩‍👧 now",
    "שלום my עולם",
    "e\u0301te\u0301 zero\u200bwidth \u200b end",
    "pаypal don't (really?)",
    "漢字 かな",
    "\x00nul \x07bell",
)


@pytest.fixture(scope="module")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TextBackbone]:
    """bert, roberta, and a roberta whose tokenizer leaves the space before a word in the token's span."""
    found = {kind: resolve_text_backbone(str(save_text(tmp_path_factory.mktemp(kind), kind))) for kind in KINDS}
    folder = save_text(tmp_path_factory.mktemp("spaced"), "roberta")
    roberta_tokenizer(trim_offsets=False).save(str(folder / "tokenizer.json"))
    return found | {"spaced": resolve_text_backbone(str(folder))}


def test_tokens_of_byte_level_bpe_belong_to_the_word_behind_their_space(backbones: dict[str, TextBackbone]) -> None:
    for kind in ("roberta", "spaced"):
        texts = prepare(["my card, please"], backbones[kind])
        pieces = [roberta_tokenizer().id_to_token(token) for token in texts.ids[0]]
        assert pieces[0] == "<s>" and pieces[-1] == "</s>"
        of_word = ["".join(piece for piece, word in zip(pieces, texts.word_of[0], strict=True) if word == index) for index in range(3)]
        assert of_word == ["my", "Ġcard,", "Ġplease"]
        assert texts.word_of[0, 0] == texts.word_of[0, -1] == -1
        assert texts.words(0) == ("my", "card,", "please")


def test_wordpieces_split_at_punctuation_are_summed_into_the_word_they_stand_in(backbones: dict[str, TextBackbone]) -> None:
    # 3 + 1 letters "don", "'", "t"; "card" is one piece, "!" another: [CLS] d ##o ##n ' t card ! [SEP]
    texts = prepare(["don't card!"], backbones["bert"])
    assert texts.word_of[0].tolist() == [-1, 0, 0, 0, 0, 0, 1, 1, -1]
    assert texts.tokens_per_word[0].tolist() == [5, 2]


@pytest.mark.parametrize("kind", ["bert", "roberta", "spaced"])
def test_any_text_keeps_its_words_exactly_and_every_token_lies_in_its_word(kind: str, backbones: dict[str, TextBackbone]) -> None:
    all_texts = (*HOSTILE, *SENTENCES)
    texts = prepare(all_texts, backbones[kind])
    for row, text in enumerate(all_texts):
        assert texts.words(row) == tuple(text.split())  # str.split() without a separator splits at runs of white space
        assert texts.included[row].sum() == len(text.split())
        inside = texts.word_of[row][texts.attended[row]]
        assert inside.max() < len(text.split())
        assert (np.diff(inside[inside >= 0]) >= 0).all()
        assert (texts.word_of[row][~texts.attended[row]] == -1).all()
        assert (texts.ids[row][~texts.attended[row]] == texts.pad_id).all()
    assert not texts.truncated.any()
    assert texts.lengths.tolist() == texts.attended.sum(axis=1).tolist()


def test_a_word_whose_characters_the_tokenizer_drops_is_still_a_unit_without_tokens(backbones: dict[str, TextBackbone]) -> None:
    # BERT's normaliser removes format characters: the second of the three words has no piece
    texts = prepare(["card \u200b lost", "card \u200b"], backbones["bert"])
    assert texts.words(0) == ("card", "\u200b", "lost")
    assert texts.tokens_per_word.tolist() == [[1, 0, 1], [1, 0, 0]]
    assert texts.included.tolist() == [[True, True, True], [True, True, False]]


def test_white_space_tokens_go_with_the_word_that_follows_and_behind_the_last_word_with_none(backbones: dict[str, TextBackbone]) -> None:
    texts = prepare(["my   card  "], backbones["spaced"])
    words = texts.word_of[0].tolist()
    pieces = [roberta_tokenizer().id_to_token(token) for token in texts.ids[0]]
    blank = [index for index, piece in enumerate(pieces) if set(piece) == {"Ġ"}]
    assert len(blank) >= 2
    last_of_card = max(index for index, word in enumerate(words) if word == 1)
    assert [words[index] for index in blank] == [1 if index < last_of_card else -1 for index in blank]
    assert words.count(-1) >= 3  # both specials, and the white space at the end


def test_the_rule_for_spans_by_hand() -> None:
    text = " my  card "  # words at 1-3 and 5-9
    starts = [start for start, _ in word_spans(text)]
    expected = {(0, 3): 0, (1, 2): 0, (3, 9): 1, (3, 5): 1, (6, 8): 1, (4, 4): 1, (9, 10): -1, (10, 10): -1, (0, 1): 0, (2, 2): 0}
    assert {span: word_at(text, starts, span) for span in expected} == expected


@pytest.mark.parametrize(("kind", "text"), [("bert", "my [MASK] [SEP] card"), ("roberta", "my <mask> </s> <pad> card")])
def test_names_of_specials_in_a_text_are_text(kind: str, text: str, backbones: dict[str, TextBackbone]) -> None:
    texts = prepare([text], backbones[kind])
    assert texts.mask_id not in texts.ids[0]
    assert (texts.word_of[0] == -1).sum() == 2  # one special at each end
    assert texts.tokens_per_word[0].min() >= 1


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_words_are_cut_at_the_limit_and_flagged(kind: str, backbones: dict[str, TextBackbone]) -> None:
    texts = prepare(["lost card " * 5_000, "card"], backbones[kind])
    limit = backbones[kind].n_tokens
    assert texts.lengths.tolist()[0] == limit and texts.truncated.tolist() == [True, False]
    assert texts.ids[0, limit - 1] == texts.ids[1, texts.lengths[1] - 1]  # the sep token ends it all the same
    assert texts.included[0].sum() == texts.word_of[0].max() + 1 <= limit - 2
    assert set(texts.words(0)) == {"lost", "card"}
    shorter = prepare(["lost card " * 5_000], backbones[kind], 10)
    assert shorter.ids.shape == (1, 10)
    assert shorter.words(0) == texts.words(0)[: len(shorter.words(0))]


def test_a_word_cut_in_its_middle_is_inside_and_one_longer_than_the_limit_too(backbones: dict[str, TextBackbone]) -> None:
    # [CLS] + 4 of the 9 letters + [SEP]
    texts = prepare(["abcdefghi jk", "ab cdefghi", "x" * 5000], backbones["bert"], 6)
    assert texts.words(0) == ("abcdefghi",)
    assert texts.words(1) == ("ab", "cdefghi")
    assert texts.tokens_per_word[1].tolist() == [2, 2]
    assert texts.words(2) == ("x" * 5000,)
    assert texts.truncated.tolist() == [True, True, False]  # a word of over 100 characters is one [UNK]


@pytest.mark.parametrize("kind", ["roberta", "spaced"])
@pytest.mark.parametrize("text", ["card" + " " * 20 + "lost card", " " * 20 + "card lost", "card" + " " * 30, "my card\t\t \nlost alarm"])
def test_a_word_is_inside_when_a_character_of_it_was_read_and_a_text_is_cut_when_one_was_not(
    kind: str, text: str, backbones: dict[str, TextBackbone]
) -> None:
    n_cut = 0
    for limit in range(3, 40):
        texts = prepare([text, "card"], backbones[kind], limit)
        pieces = (roberta_tokenizer().id_to_token(token) for token in texts.ids[0][texts.attended[0]][1:-1])
        read = "".join(pieces).translate({ord("Ġ"): " ", ord("ĉ"): "\t", ord("Ċ"): "\n"})  # byte-level BPE's spelling of white space
        assert text.startswith(read)
        lost = text[len(read) :].strip()
        n_inside = max(1, len(read.split()))  # white space alone was read: the first word stands for the text
        assert texts.truncated[0] == bool(lost), limit
        assert texts.words(0) == tuple(text.split())[:n_inside] if lost else tuple(text.split())
        assert texts.word_of.max() < texts.included[0].sum()  # white space before a word that is not inside is nobody's
        n_cut += bool(lost)
    assert 0 < n_cut < 37


def test_a_text_of_one_word_and_no_text_at_all_have_the_right_shapes(backbones: dict[str, TextBackbone]) -> None:
    one = prepare(["..."], backbones["bert"])
    assert (one.ids.shape, one.included.tolist()) == ((1, 5), [[True]])
    none = prepare([], backbones["bert"])
    assert (len(none), none.ids.shape, none.included.shape, none.spans.shape) == (0, (0, 0), (0, 0), (0, 0, 2))
    assert len(one[[]]) == 0


@pytest.mark.parametrize(("text", "advice"), [("", "empty_text"), (" \n", "empty_text"), ("bad \ud800 half", "invalid_utf8")])
def test_what_is_no_text_is_refused_with_the_code_it_is_rejected_under(text: str, advice: str, backbones: dict[str, TextBackbone]) -> None:
    for kind in KINDS:
        with pytest.raises(ValueError, match=advice):
            prepare(["card", text], backbones[kind])


@pytest.mark.parametrize("limit", [0, 2, 67])
def test_a_limit_without_room_for_a_word_or_beyond_the_models_is_refused(limit: int, backbones: dict[str, TextBackbone]) -> None:
    with pytest.raises(ValueError, match=r"3\.\.66"):
        prepare(["card"], backbones["bert"], limit)


def test_rows_are_taken_by_index_mask_and_slice_and_keep_their_width(backbones: dict[str, TextBackbone]) -> None:
    texts = prepare(SENTENCES, backbones["roberta"])
    chosen = texts[[5, 0]]
    assert chosen.source == (SENTENCES[5], SENTENCES[0])
    assert np.array_equal(chosen.ids, texts.ids[[5, 0]]) and np.array_equal(chosen.included, texts.included[[5, 0]])
    assert chosen.words(1) == texts.words(0)
    assert texts[np.arange(7) == 3].source == texts[3:4].source == (SENTENCES[3],)
    assert (chosen.backbone, chosen.mask_id) == (texts.backbone, texts.mask_id)


def test_word_sums_are_the_naive_loop(backbones: dict[str, TextBackbone]) -> None:
    texts = prepare(SENTENCES, backbones["bert"])
    values = np.random.default_rng(0).standard_normal(texts.ids.shape)
    expected = np.zeros(texts.included.shape)
    for row, column in np.ndindex(*values.shape):
        if texts.word_of[row, column] >= 0:
            expected[row, texts.word_of[row, column]] += values[row, column]
    np.testing.assert_allclose(word_sums(values, texts.word_of, texts.included.shape[1]), expected, atol=1e-12)
