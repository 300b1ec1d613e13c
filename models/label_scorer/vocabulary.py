"""Where does the tokenizer of a label scorer trained here come from? Byte-level BPE, learned from the prompts it will read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

BEGIN, END, PADDING = "<|begin|>", "<|end|>", "<|padding|>"


def train_tokenizer(strings: Iterable[str], vocabulary: int, max_tokens: int) -> Any:
    """A fast tokenizer of transformers with at most `vocabulary` tokens: three special ones, the 256 bytes, then merges by frequency.

    Any text read with `split_special_tokens`, as prompts are, comes back exactly; else the name of a special token in a text is that token.
    Every text begins with `<|begin|>`, as Llama's do. The same strings in the same order give the same tokenizer.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[BEGIN, END, PADDING],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(strings, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers has no types here
        tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END, pad_token=PADDING, model_max_length=max_tokens
    )
