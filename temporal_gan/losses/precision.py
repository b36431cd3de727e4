"""The precision of a loss."""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """bfloat16 and float16 as float32, whose sums hold; float32 and float64 as they are."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
