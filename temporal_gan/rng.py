"""Randomness as a pure function of (seed, step, stream), never of rank or process state.

A run can then resume bit-exactly with no generator state stored, and one process draws the same numbers as many:
draw for the global batch, then slice.
"""

import hashlib

import numpy as np
import torch
from torch import Tensor


def mix_seed(seed: int, *keys: int | str) -> int:
    """A 63-bit seed from a seed and any number of keys, by SHA-256 (the same on every platform and Python)."""
    text = "/".join([str(int(seed)), *(str(k) for k in keys)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(seed: int, *keys: int | str) -> np.random.Generator:
    """A numpy generator for this (seed, keys)."""
    return np.random.default_rng(mix_seed(seed, *keys))


def torch_generator(seed: int, *keys: int | str) -> torch.Generator:
    """A CPU torch generator for this (seed, keys)."""
    return torch.Generator().manual_seed(mix_seed(seed, *keys))


def normal(shape: tuple[int, ...], seed: int, *keys: int | str) -> Tensor:
    """Standard normal float32 tensor of this shape on the CPU, a function of its arguments alone."""
    return torch.randn(shape, generator=torch_generator(seed, *keys))


def uniform(shape: tuple[int, ...], seed: int, *keys: int | str) -> Tensor:
    """Uniform float32 tensor in [0, 1) of this shape on the CPU, a function of its arguments alone."""
    return torch.rand(shape, generator=torch_generator(seed, *keys))
