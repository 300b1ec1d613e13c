"""What does the label scorer's row work on? Banking77's labels and texts where they are to be had, else as many made here, and a Llama of
random weights with a tokenizer of its own."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch

from models.label_scorer.vocabulary import train_tokenizer

BANKING77 = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "text" / "banking77"
N_LABELS, N_TEXTS = 77, 2000
VOCABULARY = 8192
MAX_TOKENS = 2048
# 54.5 million parameters with 8,192 tokens; grouped queries, as Llama-3 has them
FULL = {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 16, "num_attention_heads": 8, "num_key_value_heads": 4}
TINY = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
# 1 / sqrt(512): logits of a standard deviation near 1, so that a difference of 1e-4 means something
INITIALIZER_RANGE = 0.044

Example = tuple[tuple[str, ...], str]


def banking(folder: Path) -> tuple[str, tuple[str, ...], list[Example]]:
    """(what it is, labels, texts as words with their label): Banking77's training set if `folder` has it, else made."""
    if not (folder / "train.csv").is_file():
        return "made", *_made()
    labels = tuple((folder / "labels.txt").read_text(encoding="utf-8").split())
    with (folder / "train.csv").open(encoding="utf-8", newline="") as file:
        return "Banking77", labels, [(tuple(row["text"].split()), row["label"]) for row in csv.DictReader(file)]


def _made() -> tuple[tuple[str, ...], list[Example]]:
    """77 labels of three words and texts of 4 to 20 words, of which some tell the label."""
    rng = np.random.default_rng(0)
    syllables = [first + second for first in ("ba", "ko", "ti", "mu", "re", "sa", "lo") for second in ("n", "rd", "st", "ck", "ve", "m")]
    words = sorted({"".join(rng.choice(syllables, rng.integers(1, 4))) for _ in range(600)})
    labels = tuple("_".join(rng.choice(words, 3)) for _ in range(N_LABELS))
    made = [(rng.choice(words, rng.integers(4, 21)).tolist(), labels[rng.integers(N_LABELS)]) for _ in range(N_TEXTS)]
    return labels, [((*text[:-1], label.split("_")[0]), label) for text, label in made]


def typical(examples: list[Example], n: int) -> list[Example]:
    """The first `n` texts whose number of words is the median (11 words in Banking77's training set)."""
    middle = int(np.median([len(words) for words, _ in examples]))
    return [example for example in examples if len(example[0]) == middle][:n]


def llama_folder(folder: Path, shape: dict[str, int], labels: tuple[str, ...], examples: list[Example]) -> Path:
    """A Llama with random weights of a fixed seed and a byte-level BPE tokenizer made from the texts, written once."""
    from transformers.models.llama.configuration_llama import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    if (folder / "config.json").is_file():
        return folder
    tokenizer = train_tokenizer([*(" ".join(words) for words, _ in examples), *(f" {label}," for label in labels)], VOCABULARY, MAX_TOKENS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = LlamaConfig(
            **shape,  # type: ignore[arg-type]  # every key is a whole number
            vocab_size=max(len(tokenizer), VOCABULARY),
            max_position_embeddings=MAX_TOKENS,
            initializer_range=INITIALIZER_RANGE,
            tie_word_embeddings=True,
        )
        model = LlamaForCausalLM(config)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)  # config.json last but one: a killed run leaves no folder that is taken for whole
    return folder
