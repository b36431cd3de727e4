"""Randomness is a function of its keys alone: not of what was drawn before, nor of the process."""

import hashlib

import numpy as np
import torch

from temporal_gan.rng import mix_seed, normal, numpy_generator, torch_generator


def test_mix_seed_is_pinned() -> None:
    """A run resumed on another machine must draw the same: the first 63 bits of SHA-256, whatever PYTHONHASHSEED."""
    assert mix_seed(0) == 0x5FECEB66FFC86F38 >> 1
    expected = int.from_bytes(hashlib.sha256(b"7/noise/3").digest()[:8], "big") >> 1
    assert mix_seed(7, "noise", 3) == expected


def test_every_key_matters_and_all_seeds_are_valid() -> None:
    seeds = {
        mix_seed(s, stream, step) for s in (0, 1, -1) for stream in ("noise", "init") for step in range(50)
    }
    assert len(seeds) == 300
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert mix_seed(1, 23) != mix_seed(12, 3)
    assert mix_seed(0, "a", "b") != mix_seed(0, "b", "a")


def test_draws_do_not_depend_on_what_was_drawn_before() -> None:
    first = normal((3, 4), 5, "noise", 2)
    torch.rand(17)
    np.random.default_rng(0).random(3)
    normal((1000,), 5, "noise", 3)
    assert torch.equal(normal((3, 4), 5, "noise", 2), first)
    assert not torch.equal(normal((3, 4), 5, "noise", 3), first)
    assert not torch.equal(normal((3, 4), 6, "noise", 2), first)


def test_drawing_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    normal((10,), 0, "a")
    torch_generator(0, "b")
    assert torch.equal(torch.get_rng_state(), before)


def test_generators_start_where_their_keys_say() -> None:
    assert torch.equal(torch.randn(5, generator=torch_generator(3, "x")), normal((5,), 3, "x"))
    assert numpy_generator(3, "x").integers(1 << 40) == numpy_generator(3, "x").integers(1 << 40)
    assert numpy_generator(3, "x").integers(1 << 40) != numpy_generator(3, "y").integers(1 << 40)


def test_normal_is_standard_normal_float32() -> None:
    values = normal((10000,), 0, "check")
    assert values.dtype == torch.float32
    # Five standard errors: 5 / sqrt(10000) of the mean, 5 / sqrt(20000) of the deviation.
    assert abs(float(values.mean())) < 0.05
    assert abs(float(values.std()) - 1) < 0.036
