"""The weights file: all that generation needs in one safetensors file, with no code in it.

Averaged generator weights in float16, and each character's reference frames (uint8 pictures with their poses); in the
metadata, as JSON: format version, model configuration, and the domain
(skeleton, expressions, characters, channels) or the class names.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch

from ..errors import CheckpointError
from ..models.conditioning import Domain
from ..models.dcgan import DCGANConfig, DCGANGenerator
from ..models.generator import Generator, GeneratorConfig
from ..tensor_file import fill_module, load_tensors, model_config, save_tensors

ANIMATOR_FILE = "animator.safetensors"
BEST_ANIMATOR_FILE = "animator_best.safetensors"
"""The weights with the best figure on held-out clips, where a run names one (``train.best_by``)."""
SAMPLER_FILE = "sampler.safetensors"
SHIPPED = "base"
"""Name of the animator that comes with the package."""
ANIMATORS = Path(__file__).parents[1] / "animators"

References = dict[str, dict[str, np.ndarray]]
"""Character -> video uint8 [P, C, S, S], keypoints float32 [P, J, 2], confidence float32 [P, J], layer int64 [P, J]."""


def save_animator(path: Path, generator: Generator, references: References) -> None:
    """Write a clip generator and the reference frames it works from.

    Raises:
        CheckpointError: the disk is full; an older file stays.
    """
    frames = {
        f"reference.{generator.domain.characters.index(character)}.{name}": torch.from_numpy(
            np.ascontiguousarray(a)
        )
        for character, arrays in references.items()
        for name, a in arrays.items()
    }
    about = {"model": generator.config.model_dump(), "domain": generator.domain.to_dict()}
    save_tensors(path, generator, about, frames)


def save_sampler(
    path: Path, generator: DCGANGenerator, config: DCGANConfig, classes: tuple[str, ...]
) -> None:
    """Write a DCGAN generator with its class names. Raises as :func:`save_animator`."""
    save_tensors(path, generator, {"model": config.model_dump(), "classes": list(classes)}, {})


def find_animator(source: Path | str) -> Path:
    """``base`` for the animator that comes with the package; else a file, or a run folder that holds one.

    Raises:
        CheckpointError: there is none.
    """
    if str(source) == SHIPPED:
        path = ANIMATORS / f"{SHIPPED}.safetensors"
        if not path.is_file():
            raise CheckpointError(f"{path}: this installation has no shipped animator; name a file or a run")
        return path
    return _resolve(Path(source), ANIMATOR_FILE)


def animator_sha256(source: Path | str) -> str:
    """Hex digest of the file, for what was made with it. Raises as :func:`find_animator`."""
    with find_animator(source).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def load_generator(source: Path | str) -> tuple[Generator, References]:
    """Read a clip generator, in float32 on the CPU, in eval mode; and its references.

    Args:
        source: as in :func:`find_animator`.
    Raises:
        CheckpointError: missing, damaged, of another format, or not a clip generator.
    """
    path = find_animator(source)
    tensors, about = load_tensors(path)
    if "domain" not in about:
        raise CheckpointError(
            f"{path}: holds a DCGAN, not a clip generator; use `temporal-gan sample` with it"
        )
    try:
        domain = Domain.from_dict(about["domain"])
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    generator = Generator(model_config(path, about, GeneratorConfig), domain)
    references: References = {}
    for key in [k for k in tensors if k.startswith("reference.")]:
        _, number, name = key.split(".")
        character = domain.characters[int(number)]
        references.setdefault(character, {})[name] = tensors.pop(key).numpy()
    fill_module(path, generator, tensors)
    return generator, references


def load_sampler(source: Path | str) -> tuple[DCGANGenerator, DCGANConfig, tuple[str, ...]]:
    """Read a DCGAN from a file or a run folder. Raises as :func:`load_generator`."""
    path = _resolve(Path(source), SAMPLER_FILE)
    tensors, about = load_tensors(path)
    if "classes" not in about:
        raise CheckpointError(
            f"{path}: holds a clip generator, not a DCGAN; use `temporal-gan generate` with it"
        )
    config, classes = model_config(path, about, DCGANConfig), tuple(about["classes"])
    generator = DCGANGenerator(config, len(classes))
    fill_module(path, generator, tensors)
    return generator, config, classes


def _resolve(source: Path, name: str) -> Path:
    path = source / name if source.is_dir() else source
    if not path.is_file():
        hint = "; a run writes it with each checkpoint" if source.is_dir() else ""
        raise CheckpointError(f"{path}: no such weights file{hint}")
    return path
