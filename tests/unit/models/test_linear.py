"""Is a packed product the product, and is plain torch used where nothing can be packed?"""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from models.linear import PackedLinear, PlainLinear, can_pack, linear

# bfloat16 keeps 8 bits: products of size 1 to 3 are off by up to 2^-8 of themselves, rounded once after the sum.
TOLERANCE = {torch.float32: 2e-6, torch.bfloat16: 0.02}


def given(dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows, weight, bias and residual, all of them exact in `dtype`."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((24, 48), (40, 48), (40,), (24, 40))
    x, weight, bias, residual = (torch.randn(shape, generator=generator).to(dtype).float() for shape in shapes)
    return x, (weight / 8).to(dtype).float(), bias, residual


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("packed", [True, False])
def test_product_gelu_and_sum_are_those_of_float64(packed: bool, dtype: torch.dtype, bias: bool) -> None:
    x, weight, shift, residual = given(dtype)
    made = linear(weight, shift if bias else None, dtype, "cpu", 24)
    if not packed:
        made = PlainLinear(weight.to(dtype), shift.to(dtype) if bias else None)
    exact = functional.linear(x.double(), weight.double(), shift.double() if bias else None)
    close = {"atol": TOLERANCE[dtype], "rtol": TOLERANCE[dtype]}
    torch.testing.assert_close(made(x.to(dtype)).double(), exact, **close)
    torch.testing.assert_close(made.gelu(x.to(dtype)).double(), functional.gelu(exact), **close)
    torch.testing.assert_close(made.onto(residual.to(dtype, copy=True), x.to(dtype)).double(), residual.double() + exact, **close)


def test_a_packed_product_takes_any_number_of_rows_and_gives_each_the_same_bits_in_a_batch_of_one_size() -> None:
    x, weight, bias, _ = given(torch.float32)
    made = linear(weight, bias, torch.float32, "cpu", 24)
    order = torch.randperm(24, generator=torch.Generator().manual_seed(1))
    assert torch.equal(made(x[order]), made(x)[order])
    torch.testing.assert_close(made(x[:5]), made(x)[:5], atol=2e-6, rtol=0)


def test_memory_counts_weight_and_bias() -> None:
    _, weight, bias, _ = given(torch.float32)
    assert linear(weight, bias, torch.float32, "cpu", 24).nbytes >= 4 * (40 * 48 + 40)
    assert PlainLinear(weight, None).nbytes == 4 * 40 * 48


def test_what_the_library_cannot_pack_is_left_to_torch() -> None:
    assert not can_pack(torch.float16, "cpu")
    assert not can_pack(torch.float32, "cuda")
    _, weight, bias, _ = given(torch.float32)
    assert isinstance(linear(weight, bias, torch.float16, "cpu", 24), PlainLinear)
    expected = PackedLinear if can_pack(torch.float32, "cpu") else PlainLinear
    assert isinstance(linear(weight, bias, torch.float32, "cpu", 24), expected)
