"""Do backbone, tokenizer, attacks, label scorer and adapters work on the tried texts?"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from lake.errors import MissingInputError
from models.backbone_record import TextBackbone
from models.dtype import resolve_dtype
from models.errors import ArtifactError
from models.text_backbone import resolve_text_backbone
from models.text_scoring import TextScoring
from models.words import word_spans
from pipelines.backbones import named_text_backbone
from pipelines.check.adapter_rows import check_adapters
from pipelines.check.backbone import pretrained_folder, text_stand_in
from pipelines.check.findings import Checked
from pipelines.check.label_scorer import check_label_scorer
from pipelines.check.text_source import Texts
from pipelines.check.tried_attacks import tried_shifts
from pipelines.check.tried_texts import TriedTexts
from pipelines.config import Config
from pipelines.config_records import ScoringConfig
from pipelines.exits import DATA, MISSING
from pipelines.texts_only import text_pretraining
from silver.adapters.offers import Zoo


def check_text_models(config: Config, artifacts: Path | None, texts: Texts, checked: Checked) -> None:
    """Rows backbone, tokenizer, attacks, label scorer, one per adapter, adapters. What is trained or merged goes to a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="assay-check-") as scratch:
        backbone, stands_in = _backbone(config, artifacts, texts, Path(scratch), checked)
        if backbone is not None:
            _backbone_row(config, backbone, texts, stands_in, checked)
            _tokenizer(backbone, texts, stands_in, checked)
        check_label_scorer(config, texts, checked)
        if backbone is not None:
            scoring = text_scoring_of(config, config.scoring, backbone)
            _attacks(config, scoring, texts, checked)
            ids = np.array([text.label_id for text in texts.tried], dtype=np.int64)
            tried = TriedTexts(tuple(text.text for text in texts.tried), ids)
            zoo = Zoo(config.dataset, texts.labels, scoring, config.adapters, Path(scratch), config.priors)
            check_adapters(config, zoo, tried, stands_in, checked)


def text_scoring_of(config: Config, own: ScoringConfig, backbone: TextBackbone) -> TextScoring:
    """What the run's scoring stages, or its embeddings, would use."""
    return TextScoring(backbone, resolve_dtype(own.dtype), own.batch_size, cache_bytes=int(config.execution.cache_gb * 2**30))


def _backbone(config: Config, artifacts: Path | None, texts: Texts, scratch: Path, checked: Checked) -> tuple[TextBackbone | None, bool]:
    """The backbone, and whether it only stands in for one that the run will pre-train."""
    own = config.backbone
    try:
        if own.name is not None:
            return named_text_backbone(own.name, own.revision), False
        if own.pretrain is None:
            return None, False
        if (folder := pretrained_folder(config, artifacts)) is not None:
            return resolve_text_backbone(str(folder)), False
        return text_stand_in(text_pretraining(own.pretrain), [text.text for text in texts.drawn], scratch), True
    except MissingInputError as error:
        checked.add("backbone", "missing", str(error), MISSING)
    except ArtifactError as error:
        checked.add("backbone", "cannot be used", str(error), DATA)
    return None, False


def _backbone_row(config: Config, backbone: TextBackbone, texts: Texts, stands_in: bool, checked: Checked) -> None:
    """Are the embeddings of the tried texts finite?"""
    own = text_scoring_of(config, config.embeddings, backbone)
    pooled, units = own.scorer().embed(own.prepare([text.text for text in texts.tried]))
    finite = bool(np.isfinite(pooled).all() and np.isfinite(units).all())
    shape = f"{backbone.n_tokens} tokens, {backbone.n_layers} layers of {backbone.hidden_size}, read by the {backbone.pooling} token"
    name = f"pre-trained by the run; one of its shape was tried: {shape}" if stands_in else f"{backbone.name}: {shape}"
    fix = "" if finite else f"embeddings in {own.dtype} are not finite; such rows are tried again in float32, then rejected"
    checked.add("backbone", f"{name}; scored in {resolve_dtype(config.scoring.dtype)}", fix)


def _tokenizer(backbone: TextBackbone, texts: Texts, stands_in: bool, checked: Checked) -> None:
    """What the model reads of the drawn texts: how long they are, how many are cut, and words that become no token."""
    own = TextScoring(backbone, "float32", 1)
    found, limit = own.prepare([text.text for text in texts.drawn]), own.fitted_buckets[-1]
    lengths, lost = found.lengths, int(((found.tokens_per_word == 0) & found.included).sum())
    n_cut, n = int(found.truncated.sum()), len(found)
    told = f"{n:,} drawn texts: {lengths.min():,} to {lengths.max():,} tokens with specials, {n_cut or 'none'} of them cut at {limit:,}"
    if stands_in:
        told += "; the run learns a vocabulary of its own"
    fixes = ["of a cut text the beginning is read: cut or split them yourself where the end matters"] if n_cut else []
    if lost:
        told += f"; {lost:,} words become no token"
        fixes.append("such a word changes no answer: is this tokenizer for this language?")
    checked.add("tokenizer", told, "; ".join(fixes))


def _attacks(config: Config, scoring: TextScoring, texts: Texts, checked: Checked) -> None:
    """Every cell applied once to the first tried text, with keywords of the drawn texts."""
    drawn = texts.drawn
    own = [text.example_id for text in drawn], [text.label_id for text in drawn], [text.text for text in drawn]
    shifts = tried_shifts(config, scoring, texts.labels, *own)
    first, cells = texts.tried[0], config.cells
    started = time.monotonic()
    edited = [shifts.attacked(first.text, first.label, first.example_id, *cell).edited for cell in cells]
    seconds = time.monotonic() - started
    kinds, changed = len({name for name, _ in cells}) - 1, sum(text != first.text for text in edited)
    checked.add(
        "attacks",
        f"{kinds} in {len(cells) - 1} cells beside clean, {changed} of them change the tried text; {seconds * 1000:.0f} ms for its "
        f"{len(word_spans(first.text))} words",
    )
