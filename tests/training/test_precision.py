"""In which precision a run computes, and when half of it is fast."""

import pytest
import torch
from single_steps import settings

from temporal_gan.training.precision import autocast, fast_on_this_cpu, work_dtype


@pytest.mark.parametrize(
    ("found", "fast"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"avx512_bf16": False, "amx_bf16": False, "avx512_f": True}, False),
        ({"architecture": "arm"}, False),
        ({}, False),
    ],
)
def test_bfloat16_is_fast_where_the_processor_computes_in_it(
    found: dict[str, object], fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    assert fast_on_this_cpu() is fast


def test_a_torch_that_cannot_tell_is_taken_as_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert fast_on_this_cpu() is False


@pytest.mark.parametrize(
    ("precision", "product"),
    [
        ("auto", torch.float32),
        ("float32", torch.float32),
        ("bfloat16", torch.bfloat16),
        ("float64", torch.float64),
    ],
)
def test_only_a_forward_pass_is_ever_in_bfloat16(precision: str, product: torch.dtype) -> None:
    cfg = settings(train__precision=precision)
    ones = torch.ones(2, 2, dtype=work_dtype(cfg))
    with autocast(cfg, torch.device("cpu")):
        assert (ones @ ones).dtype == product
    with autocast(cfg, torch.device("cpu"), enabled=False):
        assert (ones @ ones).dtype == work_dtype(cfg)
    assert work_dtype(cfg) == (torch.float64 if precision == "float64" else torch.float32)
