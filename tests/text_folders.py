"""Small random text backbones on disk for the tests, in the real architectures, with tokenizers of both kinds."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel
from tokenizers.processors import BertProcessing, RobertaProcessing
from tokenizers.trainers import BpeTrainer

SENTENCES = (
    "my card was lost yesterday",
    "what is the balance of my account?",
    "i lost my card, please block it",
    "set an alarm for seven",
    "which alarm is set for tomorrow morning",
    "the transfer to my account failed twice",
    "café naïve 👍🏽 שלום",
)
KINDS = ("bert", "roberta")
FAMILIES = ("bert", "bert_mean", "roberta", "roberta_mean")
SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 66}
BERT_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA_SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def bert_tokenizer() -> Tokenizer:
    """WordPiece over letters and some whole words, uncased."""
    pieces = [*string.ascii_lowercase, *string.digits, *string.punctuation, "card", "lost", "alarm", "account", "##ing", "##ed"]
    vocabulary = {
        token: index for index, token in enumerate((*BERT_SPECIALS, *pieces, *(f"##{letter}" for letter in string.ascii_lowercase)))
    }
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(list(BERT_SPECIALS))
    return tokenizer


def roberta_tokenizer(trim_offsets: bool = True) -> Tokenizer:
    """Byte-level BPE as roberta-base has it: no space before the first word."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=trim_offsets, add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=330, special_tokens=list(ROBERTA_SPECIALS), initial_alphabet=sorted(ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def architecture(kind: str) -> tuple[Any, Any, Any]:
    """(configuration, bare model, classifier) classes."""
    if kind == "bert":
        from transformers.models.bert import modeling_bert as bert

        return bert.BertConfig, bert.BertModel, bert.BertForSequenceClassification
    from transformers.models.roberta import modeling_roberta as roberta

    return roberta.RobertaConfig, roberta.RobertaModel, roberta.RobertaForSequenceClassification


def randomise(model: torch.nn.Module, seed: int = 7) -> None:
    """Every tensor random, gains of layer norms around 1, so that none can be forgotten unseen."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(1.0 if "LayerNorm.weight" in name else 0.0, 0.25, generator=generator)


def save_text(folder: Path, kind: str, labels: tuple[str, ...] = (), mean: bool = False, **settings: Any) -> Path:
    """A folder in Hugging Face layout: a classifier where `labels` are given, else bare; `mean`: a sentence encoder's folder."""
    config_class, bare, classifier = architecture(kind)
    tokenizer = bert_tokenizer() if kind == "bert" else roberta_tokenizer()
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: row for row, label in enumerate(labels)}} if labels else {}
    ids = {"pad_token_id": 0} if kind == "bert" else {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    model = (classifier if labels else bare)(
        config_class(**{"vocab_size": tokenizer.get_vocab_size(), **SHAPE, **ids, **names, **settings})
    )
    randomise(model)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    if mean:
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}))
    return folder


def save_family(folder: Path, family: str, labels: tuple[str, ...] = (), **settings: Any) -> Path:
    """The folder that resolves to this family of models.text_families."""
    return save_text(folder, family.removesuffix("_mean"), labels, mean=family.endswith("_mean"), **settings)


def edit_weights(folder: Path, changes: dict[str, torch.Tensor | None]) -> None:
    """Set tensors of model.safetensors, or remove those that are None."""
    path = folder / "model.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()} | changes
    path.unlink()
    save_file({name: tensor.contiguous() for name, tensor in tensors.items() if tensor is not None}, path)
