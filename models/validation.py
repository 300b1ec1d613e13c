"""How good is a classifier on the pictures that choose its checkpoint?"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

BATCH = 256


def logits_of(model: nn.Module, pixels: torch.Tensor, device: str = "cpu") -> torch.Tensor:
    """Logits float32[n, labels] of float32[n, 3, s, s], in eval mode and without gradients; the model is left in eval mode."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model(pixel_values=batch.to(device)).logits.float().cpu() for batch in torch.split(pixels, BATCH)])


def validation_metrics(logits: torch.Tensor, label_ids: np.ndarray) -> dict[str, float]:
    """eval_loss (mean cross-entropy, nats, lower is better), accuracy, and precision, recall, f1 weighted by label frequency (a label
    never predicted counts 0), in [0, 1], higher is better; from float32[n, labels] and int64[n]. METHODS 1."""
    from sklearn.metrics import precision_recall_fscore_support

    predicted = logits.argmax(1).numpy()
    precision, recall, f1, _ = precision_recall_fscore_support(label_ids, predicted, average="weighted", zero_division=0)
    return {
        "eval_loss": F.cross_entropy(logits, torch.from_numpy(label_ids)).item(),
        "accuracy": float((predicted == label_ids).mean()),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
    }
