"""Can the language model behind the priors be reached, does it read the tried texts with their labels, and does it answer?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lake.errors import MissingInputError
from lake.identity import rng
from models.errors import ArtifactError, RejectedInput
from models.folder import weight_files
from models.label_scorer.artifact import LabelModel
from models.label_scorer.prompt import Prompts
from models.label_scorer.scorer import load_label_scorer
from models.label_scorer.settings import Template
from models.label_scorer.training_settings import LabelScorerTraining
from models.text_training_data import TextTrainingSet
from pipelines.check.findings import Checked
from pipelines.check.text_source import Texts
from pipelines.config import Config
from pipelines.exits import CONFIG, DATA, MISSING
from pipelines.texts_only import text_recipe
from silver.priors.extract import answered
from silver.priors.jobs import prior_jobs
from silver.priors.scorers import named_model, readable, room_bytes
from silver.priors.settings import PriorSettings
from silver.priors.words import words_of

ASKED_BYTES = 2_000_000_000  # of weights: a larger model is not loaded for a trial, it would take minutes and its size in memory
FEW_MASKS = 3


def check_label_scorer(config: Config, texts: Texts, checked: Checked) -> None:
    """Row label scorer, where a recipe needs one."""
    templates = sorted({job.template for job in prior_jobs(map(text_recipe, config.adapters.recipes))})
    if not templates:
        return
    if config.priors.training is not None:
        _to_be_trained(config.priors.training, texts, checked)
        return
    try:
        model = named_model(config.priors.scorer, texts.labels, config.priors)
        told, fix = _read(config.priors, model, templates, texts)
        told += _asked(config.priors, model, templates[0], texts)
        checked.add("label scorer", f"{model.name}: {told}", fix)
    except MissingInputError as error:
        checked.add("label scorer", "missing", str(error), MISSING)
    except ArtifactError as error:
        checked.add("label scorer", "cannot be used", str(error), DATA)


def _to_be_trained(training: LabelScorerTraining, texts: Texts, checked: Checked) -> None:
    """Bad where no training text of the source fits, for then the run ends (it may still end where none of a recipe's shots does); the
    ten that are tried may just be long ones."""
    n = len(texts.tried)
    examples = TextTrainingSet(
        tuple(text.text for text in texts.tried),
        np.array([text.label_id for text in texts.tried], dtype=np.int64),
        tuple(text.example_id for text in texts.tried),
    )
    fitting, room = len(readable(training, examples, texts.labels)[0]), room_bytes(training, texts.labels)
    told = f"trained by the run; {fitting} of {n} tried texts surely fit its priors.scorer.train.max_tokens with the prompt"
    advice = "raise it: longer texts are not learnt from, and those that do not fit get no prior"
    none_fits = texts.fewest_bytes is not None and texts.fewest_bytes > room
    if none_fits:
        told += f"; no training text does: the shortest has {texts.fewest_bytes:,} bytes, there is room for {room:,}"
    elif not fitting and texts.fewest_bytes is not None:
        told += f"; training texts of {texts.fewest_bytes:,} to {room:,} bytes do"
    checked.add("label scorer", told, "" if fitting == n and not none_fits else advice, CONFIG if none_fits else 0)


def _read(settings: PriorSettings, model: LabelModel, templates: Sequence[Template], texts: Texts) -> tuple[str, str]:
    """How long the prompts of the tried texts are, and what to do about those that would be rejected."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model.folder, local_files_only=True, trust_remote_code=False)
    longest, codes = 0, list[str]()
    for template in templates:
        prompts = Prompts(tokenizer, settings.scoring.prompt, template, texts.labels)
        answer = max(map(len, prompts.label_ids()))
        for text in texts.tried:
            try:
                (ids,) = prompts.token_ids([settings.scoring.prompt.word_separator.join(words_of(text.text))])
            except RejectedInput as refusal:
                codes.append(refusal.code)
                continue
            longest = max(longest, len(ids) + answer)
            codes += ["too_large"] if len(ids) + answer > model.max_tokens else []
    told = f"prompts of up to {longest:,} tokens, {model.max_tokens:,} are read"
    return told, f"{len(codes)} prompts would be rejected ({', '.join(sorted(set(codes)))}): such a text gets no prior" if codes else ""


def _asked(settings: PriorSettings, model: LabelModel, template: Template, texts: Texts) -> str:
    """What the model says of the first tried text; a large one is not asked."""
    size = sum(path.stat().st_size for path in weight_files(model.folder))
    if size > ASKED_BYTES:
        return f"; not asked, its weights take {size / 1e9:.1f} GB"
    first = texts.tried[0]
    scorer = load_label_scorer(model, texts.labels, settings.scoring, template)
    try:
        found = answered(
            scorer, words_of(first.text), first.label, rng(settings.seed, first.example_id, "masks"), template, settings, FEW_MASKS
        )
    except RejectedInput as refusal:
        return f"; of the first tried text it says nothing ({refusal.code})"
    return f"; p of the first tried text's label is {found.whole_p:.3g}"
