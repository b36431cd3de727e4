"""The weights file: all that generation needs, without code in it, and refused by name where it does not fit."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_networks import CHAIN14, random_batch, reference_frames, tiny_domain, tiny_generator, told

from temporal_gan.errors import CheckpointError
from temporal_gan.inference.weights_file import (
    ANIMATOR_FILE,
    SAMPLER_FILE,
    load_generator,
    load_sampler,
    save_animator,
    save_sampler,
)
from temporal_gan.models.dcgan import DCGANConfig, DCGANGenerator

DCGAN = DCGANConfig(nz=8, ngf=4, ndf=4, conditional=True)


def animator_file(folder: Path) -> Path:
    path = folder / ANIMATOR_FILE
    save_animator(path, tiny_generator(), {})
    return path


def rewrite(path: Path, change: Any = None, **about: Any) -> None:
    """Write the file again with its tensors passed through ``change`` and keys of its description replaced."""
    with safe_open(path, "pt") as file:
        description = json.loads(file.metadata()["temporal_gan"])
    tensors = load_file(path)
    save_file(
        change(tensors) if change else tensors, path, {"temporal_gan": json.dumps({**description, **about})}
    )


@torch.no_grad()
def test_a_generator_comes_back_within_half_precision(tmp_path: Path) -> None:
    domain = tiny_domain(skeleton=CHAIN14, channels=4)
    generator, references = tiny_generator(domain, references=2), reference_frames(domain)
    save_animator(tmp_path / ANIMATOR_FILE, generator, references)
    loaded, loaded_references = load_generator(tmp_path)  # a run folder
    assert (loaded.config, loaded.domain) == (generator.config, domain)
    assert not loaded.training
    for name, value in generator.state_dict().items():
        got = loaded.state_dict()[name]
        assert got.dtype == torch.float32
        # float16 keeps 11 bits; below 6e-5 it has fewer.
        torch.testing.assert_close(got, value, rtol=2**-11, atol=1e-7)
    assert loaded_references.keys() == references.keys()
    for character, arrays in references.items():
        assert loaded_references[character].keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(loaded_references[character][name], array)
            assert loaded_references[character][name].dtype == array.dtype
    batch, noise = random_batch(domain, 1, 2, references=2), torch.randn(1, 4)
    made, expected = loaded(told(loaded, batch), noise)[0], generator(told(generator, batch), noise)[0]
    # Weights off by 2^-12 each: pictures agree to a step or two of 8 bits.
    torch.testing.assert_close(made, expected, rtol=0, atol=0.02)


@torch.no_grad()
def test_the_weights_in_the_file_are_the_ones_used(tmp_path: Path) -> None:
    path = animator_file(tmp_path)
    generator, _ = load_generator(path)
    batch, noise = random_batch(generator.domain, 1, 2), torch.randn(1, 4)
    before = generator(told(generator, batch), noise)[0]
    rewrite(path, lambda tensors: {n: t * 0 for n, t in tensors.items()})
    zeroed, _ = load_generator(path)
    assert float(before.std()) > 0.01
    assert not zeroed(told(zeroed, batch), noise)[0].any()


@torch.no_grad()
def test_a_sampler_comes_back_with_its_classes(tmp_path: Path) -> None:
    generator = DCGANGenerator(DCGAN, 2).eval()
    save_sampler(tmp_path / SAMPLER_FILE, generator, DCGAN, ("cat", "dog"))
    loaded, config, classes = load_sampler(tmp_path)
    assert (config, classes) == (DCGAN, ("cat", "dog"))
    assert not loaded.training
    noise, label = torch.randn(2, 8), torch.tensor([0, 1])
    torch.testing.assert_close(loaded(noise, label), generator(noise, label), rtol=0, atol=0.02)


def test_each_kind_points_to_its_own_command(tmp_path: Path) -> None:
    save_sampler(tmp_path / SAMPLER_FILE, DCGANGenerator(DCGAN, 1), DCGAN, ("all",))
    with pytest.raises(CheckpointError, match="holds a DCGAN.*temporal-gan sample"):
        load_generator(tmp_path / SAMPLER_FILE)
    with pytest.raises(CheckpointError, match="holds a clip generator.*temporal-gan generate"):
        load_sampler(animator_file(tmp_path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.safetensors: no such weights file"):
        load_generator(tmp_path / "gone.safetensors")
    with pytest.raises(
        CheckpointError, match=r"animator\.safetensors: no such weights file; a run writes it"
    ):
        load_generator(tmp_path)


class Trap:
    """Creates a folder when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_by_another_name_is_refused_and_never_run(tmp_path: Path, zipped: bool) -> None:
    path, sprung = tmp_path / ANIMATOR_FILE, tmp_path / "sprung"
    if zipped:
        torch.save({"w": Trap(sprung)}, path)
    else:
        path.write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(
        CheckpointError, match=r"animator\.safetensors: not a readable safetensors file.*pickles"
    ):
        load_generator(path)
    assert not sprung.exists()


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = animator_file(tmp_path)
    data = path.read_bytes()
    for length in (0, 4, 8, 200, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match=r"animator\.safetensors: not a readable"):
            load_generator(path)
    path.write_bytes(b"\xff" * 8 + data[8:])
    with pytest.raises(CheckpointError, match="not a readable"):
        load_generator(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"temporal_gan": "[]"}, {"temporal_gan": "3"}])
def test_another_programs_file_is_refused(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / ANIMATOR_FILE
    save_file({"w": torch.ones(2)}, path, metadata)
    with pytest.raises(
        CheckpointError, match=r"animator\.safetensors: a safetensors file of another program"
    ):
        load_generator(path)


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"format": 99}, "weights format 99, this version reads"),
        (
            {"model": {"kind": "temporal", "size": 48}},
            "its model configuration does not fit this version.*size",
        ),
        ({"model": {"kind": "temporal", "novelty": 1}}, "does not fit this version.*novelty"),
        ({"model": {"kind": "temporal", "size": 64}}, "weights do not fit its own configuration"),
        ({"domain": {"channels": 3}}, "description of the training data is incomplete: 'skeleton'"),
        ({"domain": []}, "description of the training data is incomplete"),
    ],
)
def test_a_description_that_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, about: dict[str, Any], words: str
) -> None:
    path = animator_file(tmp_path)
    rewrite(path, **about)
    with pytest.raises(CheckpointError, match=words) as caught:
        load_generator(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    path = animator_file(tmp_path)
    rewrite(path, lambda tensors: {n: t for n, t in tensors.items() if n != "to_frame.weight"})
    with pytest.raises(CheckpointError, match=r"weights do not fit.*to_frame\.weight"):
        load_generator(path)


def test_a_failed_export_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = animator_file(tmp_path)
    before = path.read_bytes()

    def fsync(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(CheckpointError, match="No space left"):
        save_animator(path, tiny_generator(seed=1), {})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
