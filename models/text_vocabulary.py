"""Where does a small text model's tokenizer come from? Byte-level BPE learnt from its texts, framed as RoBERTa frames its input."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import RobertaProcessing
from tokenizers.trainers import BpeTrainer

# In the order of their ids; RoBERTa's own begin the same way.
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
CLS, PAD, SEP, UNK, MASK = range(len(SPECIALS))
SMALLEST = len(SPECIALS) + 256  # every byte is a token, so that any text in any script has tokens


def learn_vocabulary(texts: Iterable[str], size: int) -> Tokenizer:
    """A byte-level BPE of at most `size` tokens, the same for the same texts in the same order.

    Unlike RoBERTa's own it puts a space before the first word, so that a word is the same tokens wherever it stands: few texts do not
    teach two spellings of each. ValueError for a size below all bytes and specials.
    """
    if size < SMALLEST:
        raise ValueError(
            f"a byte-level vocabulary must hold at least {SMALLEST} tokens (256 bytes and {len(SPECIALS)} specials), found {size}."
        )
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=True)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.post_processor = RobertaProcessing((SPECIALS[SEP], SEP), (SPECIALS[CLS], CLS), trim_offsets=True, add_prefix_space=True)
    trainer = BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=list(SPECIALS),
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def save_vocabulary(tokenizer: Tokenizer, n_tokens: int, folder: Path) -> None:
    """tokenizer.json and tokenizer_config.json, as transformers reads them."""
    settings = {
        "tokenizer_class": "RobertaTokenizer",
        "add_prefix_space": True,
        "trim_offsets": True,
        "model_max_length": n_tokens,
        "bos_token": SPECIALS[CLS],
        "eos_token": SPECIALS[SEP],
        "cls_token": SPECIALS[CLS],
        "sep_token": SPECIALS[SEP],
        "pad_token": SPECIALS[PAD],
        "unk_token": SPECIALS[UNK],
        "mask_token": SPECIALS[MASK],
    }
    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
