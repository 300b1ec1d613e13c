"""In which precision, on which device, does this machine score?"""

from __future__ import annotations

import torch

DTYPES = ("auto", "float32", "bfloat16", "float16")


def resolve_device() -> str:
    """`cuda` where a CUDA device is to be had, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def resolve_dtype(name: str) -> str:
    """`auto` -> float16 on CUDA, bfloat16 where the CPU multiplies it in hardware (AMX or AVX-512), else float32; others stay.

    The answer, not `auto`, belongs in the settings hash: two machines may resolve differently. ValueError on another name.
    """
    if name not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, found {name!r}.")
    if name != "auto":
        return name
    if resolve_device() == "cuda":
        return "float16"
    capabilities = torch.cpu.get_capabilities()
    return "bfloat16" if capabilities.get("amx_bf16") or capabilities.get("avx512_bf16") else "float32"


def torch_dtype(name: str) -> torch.dtype:
    """The torch type of a resolved name."""
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]
