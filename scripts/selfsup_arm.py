"""What does the small DINOv2 learn from CIFAR-10's pictures without a teacher, on a GPU? One arm of what decision 0008 left open.

    python scripts/selfsup_arm.py --pack build/selfsup/cifar10.npz --training build/cifar10-lake/_artifacts/training/cifar10-…
    python scripts/selfsup_arm.py --data build/selfsup/cifar10.npz --objective barlow --seconds 95 --device cuda --out arm.json

The packed file is all that the second line reads; student and start are those of `configs/cifar10.yaml`. The projector reads class token
and mean patch, what the logistic regression reads afterwards.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch
from selfsup_pack import Data, load, pack
from selfsup_views import N_DRAWS, OBJECTIVES, Loss, varied
from sklearn.linear_model import LogisticRegression
from torch import nn

from models.errors import ArtifactError
from models.hashing import seed_of
from models.pretrain_locality import make_local
from models.pretrain_stage import BETAS, INNER, decay_groups, learning_rate_at
from models.pretraining import PretrainSettings, new_model, preprocessing_for
from models.private_state import private_state

STRENGTHS = (1e-3, 1e-2, 1e-1)  # of the logistic regression, as in decision 0008
N_LABELS, HEAD_LABELS = 10, 9  # the student is made with a head for the nine labels that pre-training sees
CLIP, WARM_SHARE = 1.0, 0.1


class Student(nn.Module):
    """The DINOv2 that pre-training begins with; above its features (class token, mean patch) a projector or, for labels, a linear head."""

    def __init__(self, settings: PretrainSettings, objective: str, width: int) -> None:
        super().__init__()
        with private_state(seed_of("pretrain", settings.seed, "torch"), torch.get_num_threads()):
            self.model = new_model(settings, HEAD_LABELS)
            make_local(self.model, settings.distillation.locality if settings.distillation is not None else 0)
        self.model.classifier = nn.Identity()  # the objective has its own
        features = 2 * settings.width
        layers: list[nn.Module] = [nn.Linear(features, N_LABELS)]
        if objective != "supervised":
            hidden = [nn.Linear(features, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
            layers = [*hidden, nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width, bias=False)]
        self.projector = nn.Sequential(*layers)
        preprocessing = preprocessing_for(settings)
        self.mean: torch.Tensor
        self.deviation: torch.Tensor
        self.register_buffer("mean", torch.tensor(preprocessing.mean).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(preprocessing.std).view(1, 3, 1, 1))

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """float[n, 2 * width] of pictures float[n, 3, s, s] in [0, 1], normalised here."""
        tokens = self.model.dinov2((pixels - self.mean) / self.deviation).last_hidden_state
        return torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], dim=1)


@torch.no_grad()
def judged(student: Student, data: Data) -> dict[str, float]:
    """Per judging set the accuracy in [0, 1] of a logistic regression, at its best strength, on standardised features."""
    student.eval()
    sets = {"train": (data.images, data.labels), **data.judges}
    found = {
        name: torch.cat([student.features(part) for part in torch.split(pixels, 500)]).double().cpu().numpy()
        for name, (pixels, _) in sets.items()
    }
    mean, deviation = found["train"].mean(0), found["train"].std(0) + 1e-6
    known = data.labels.cpu().numpy()
    fits = [LogisticRegression(C=c, max_iter=300).fit((found["train"] - mean) / deviation, known) for c in STRENGTHS]
    answers = {name: (sets[name][1].cpu().numpy(), (found[name] - mean) / deviation) for name in data.judges}
    return {name: max(float(fit.score(features, labels)) for fit in fits) for name, (labels, features) in answers.items()}


def optimisers_of(student: nn.Module, rate: float, inner_rate: float, weight_decay: float) -> list[torch.optim.Optimizer]:
    """AdamW, without decay on vectors; Muon for the matrices of the transformer's layers where `inner_rate` is not 0 (0014)."""
    named = list(student.named_parameters())
    inner = [weight for name, weight in named if inner_rate and INNER in name and weight.ndim == 2]
    apart = {id(weight) for weight in inner}
    rest = decay_groups([weight for _, weight in named if id(weight) not in apart], weight_decay)
    found: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, lr=rate, betas=BETAS, fused=True)]
    if inner:
        found.append(torch.optim.Muon(inner, lr=inner_rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))
    for group in (group for optimiser in found for group in optimiser.param_groups):
        group["peak"] = group["lr"]
    return found


def train(asked: argparse.Namespace, report: Callable[[dict[str, Any]], None]) -> None:
    """Train one arm; `report` gets a row before it begins and after each of `asked.evaluations` equal parts of the way.

    The way ends after `asked.epochs`, or `asked.seconds` (without judging) where they pass first; the learning rate's cosine ends with it.
    Raises ArtifactError `nonfinite` when the loss diverges.
    """
    data = load(asked.data, asked.all, asked.device)
    torch.manual_seed(seed_of("selfsup", asked.seed) % 2**31)
    student = Student(data.settings, asked.objective, asked.width).to(asked.device)
    start = float(sum(weight.detach().double().abs().sum() for weight in student.model.parameters()))
    report({"epoch": 0, "steps": 0, "seconds": 0.0, "start": start, "n": len(data.labels)} | judged(student, data))
    if asked.objective == "none":
        return
    optimisers, loss_of = optimisers_of(student, asked.learning_rate, asked.inner, asked.weight_decay), OBJECTIVES[asked.objective]
    generator = torch.Generator(asked.device).manual_seed(seed_of("selfsup", asked.seed, "draws") % 2**31)
    per_epoch, judgements, began = len(data.labels) // asked.batch, 0, time.monotonic()
    if not per_epoch:
        raise ValueError(f"--batch must be at most the {len(data.labels):,} pictures trained on, found {asked.batch}")
    student.train()
    for step in itertools.count():
        if step % per_epoch == 0:
            order = torch.randperm(len(data.labels), generator=generator, device=asked.device)
        batch = order[step % per_epoch * asked.batch :][: asked.batch]
        rate = learning_rate_at(_way(asked, step / per_epoch, began), WARM_SHARE)
        loss = _step(student, optimisers, loss_of, data, batch, generator, rate)
        if _way(asked, (step + 1) / per_epoch, began) < (judgements + 1) / asked.evaluations:
            continue
        if not math.isfinite(loss.item()):
            raise ArtifactError("nonfinite", f"{asked.objective}: the loss must stay finite, found {loss.item()} after {step + 1} steps")
        judgements, now = judgements + 1, time.monotonic()
        row = {"epoch": (step + 1) / per_epoch, "steps": step + 1, "seconds": now - began, "loss": loss.item()}
        report(row | judged(student, data))
        if judgements == asked.evaluations:
            return
        student.train()
        began += time.monotonic() - now


def _way(asked: argparse.Namespace, epochs: float, began: float) -> float:
    """Share of the way behind us, in [0, 1]: of the epochs or of the seconds, whichever is nearer its end."""
    return float(min(1.0, max(epochs / asked.epochs, (time.monotonic() - began) / asked.seconds)))


def _step(
    student: Student,
    optimisers: list[torch.optim.Optimizer],
    loss_of: Loss,
    data: Data,
    batch: torch.Tensor,
    generator: torch.Generator,
    rate: float,
) -> torch.Tensor:
    images = data.images[batch].repeat(2, 1, 1, 1)  # two views of each picture
    draws = torch.rand(len(images), N_DRAWS, generator=generator, device=images.device)
    pixels = varied(images, draws)
    with torch.autocast(images.device.type, torch.bfloat16):
        one, two = (student.projector(part) for part in student.features(pixels).chunk(2))
    loss = loss_of(one, two, data.labels[batch])
    student.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    nn.utils.clip_grad_norm_(student.parameters(), CLIP)
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * rate
        optimiser.step()
    return loss.detach()


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    todo = parser.add_mutually_exclusive_group(required=True)
    todo.add_argument("--pack", type=Path, help="write this file and stop")
    todo.add_argument("--data", type=Path, help="a packed file to train on")
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "cifar10.yaml")
    parser.add_argument("--training", type=Path, help="with --pack: the folder of adapter_train and adapter_val in a finished lake")
    parser.add_argument("--objective", choices=("none", *OBJECTIVES), default="barlow")
    parser.add_argument("--all", action="store_true", help="train on the held-out pictures as well")
    parser.add_argument("--epochs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--evaluations", type=int, default=8)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--width", type=int, default=1024, help="of the projector")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--inner", type=float, default=0.0, help="Muon's learning rate for the layers' matrices; 0: AdamW for all")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="JSON of settings and rows, written anew after every row")
    asked = parser.parse_args(arguments)
    if asked.pack is not None and asked.training is None:
        parser.error("--pack needs --training, the folder of adapter_train and adapter_val in a finished lake")
    return asked


def main(arguments: list[str] | None = None) -> int:
    """0 when the file is packed or the arm has run to its end."""
    asked = parsed(arguments)
    if asked.pack is not None:
        pack(asked.pack, asked.config, asked.training)
        return 0
    torch.set_num_threads(asked.threads)
    about = {key: str(value) if isinstance(value, (Path, float)) else value for key, value in vars(asked).items()}
    about["card"] = torch.cuda.get_device_name() if asked.device.startswith("cuda") else "cpu"
    rows: list[dict[str, Any]] = []

    def report(row: dict[str, Any]) -> None:
        rows.append(row)
        sys.stdout.write(f"{asked.objective} {json.dumps(row)}\n")
        sys.stdout.flush()
        if asked.out is not None:
            asked.out.write_text(json.dumps({"arm": about, "rows": rows}, indent=1) + "\n", encoding="utf-8")

    train(asked, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
