"""What does a method cost whose explanations are poked: forwards per example, when nothing is asked twice?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Poking:
    """One example of `units` units, explained at `inputs` inputs (itself and its pokes), with `repeats` pokes of each unit of each.

    `masks` are drawn, the first intact; `visible` is the sum over the others of the units that they show, about keep_probability x units x
    (masks - 1). `steps` of integrated gradients. `enumerated`: every coalition is asked instead of drawn masks.
    """

    units: int
    inputs: int = 21
    repeats: int = 3
    masks: int = 60
    visible: int = 0
    steps: int = 16
    enumerated: bool = False

    @property
    def everything(self) -> int:
        """Inputs and their pokes of one unit: what a method needs that looks at each as a whole."""
        return self.inputs * (1 + self.units * self.repeats)


# name -> (forwards that this method adds to the intact ones, in words).
IN_WORDS = {
    "intact": "I (1 + r N)",
    "occlusion": "I N: hiding the poked unit is the input's own answer, and its number needs no other",
    "lime": "I (n - 1 + r V)",
    "kernel_shap": "I (n + r V); up to 2^N coalitions: I (2^N - 1 + r N (2^(N-1) - 1))",
    "marginals": "I (N (N - 1) + 1); up to 2^N coalitions: none that kernel_shap has not asked",
    "ig": "s I (1 + r N), each with its gradient",
    "attention": "I (1 + r N)",
    "attention_rollout": "I (1 + r N)",
    "grad_cam": "I (1 + r N), each with its gradient",
}


def forwards(method: str, at: Poking) -> int:
    """Forwards of `method` alone beside the intact ones (`intact`), which all methods share. Raises ValueError for another name.

    I inputs, N units, r repeats, n masks, V = `visible`, s steps. An exact count where no mask is drawn twice.
    """
    inputs, units, repeats = at.inputs, at.units, at.repeats
    exact = inputs * (2**units - 1 + repeats * units * (2 ** (units - 1) - 1)) if at.enumerated else 0
    found = {
        "intact": at.everything,
        "occlusion": inputs * units,
        "lime": inputs * (at.masks - 1 + repeats * at.visible),
        "kernel_shap": exact or inputs * (at.masks + repeats * at.visible),
        "marginals": inputs * (2**units - 1 if at.enumerated else units * (units - 1) + 1),
        "ig": at.steps * at.everything,
        "attention": at.everything,
        "attention_rollout": at.everything,
        "grad_cam": at.everything,
    }
    if method not in found:
        raise ValueError(f"method must be one of {', '.join(found)}, got {method!r}")
    return found[method]


def naive(method: str, at: Poking) -> int:
    """The same by a loop that explains every input and every poke anew: occlusion, lime or kernel_shap. Raises ValueError for another."""
    each = {"occlusion": at.units + 1, "lime": at.masks, "kernel_shap": 2**at.units if at.enumerated else at.masks + 1}
    if method not in each:
        raise ValueError(f"method must be one of {', '.join(each)}, got {method!r}")
    return at.everything * each[method]
