"""In which precision a run computes."""

from contextlib import AbstractContextManager, nullcontext

import torch

from ..experiment import ExperimentConfig


def work_dtype(config: ExperimentConfig) -> torch.dtype:
    """Of weights, batches and losses; bfloat16 only ever serves single forward passes."""
    return torch.float64 if config.train.precision == "float64" else torch.float32


def autocast(
    config: ExperimentConfig, device: torch.device, enabled: bool = True
) -> AbstractContextManager[None]:
    """bfloat16 for one forward pass; never around a whole step, where weights cached before an update stay in use."""
    wanted = config.train.precision
    on = enabled and (wanted == "bfloat16" or (wanted == "auto" and device.type == "cuda"))
    return torch.autocast(device.type, torch.bfloat16) if on else nullcontext()


def fast_on_this_cpu() -> bool:
    """Whether the processor computes in bfloat16 itself (AVX-512 or AMX), where it halves a step's time; another one
    imitates it, slower than float32."""
    found: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
