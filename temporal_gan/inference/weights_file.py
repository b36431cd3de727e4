"""The weights file: all that generation needs in one safetensors file, with no code in it.

Averaged generator weights in float16, and each character's reference frames (uint8 pictures with their poses); in the
metadata, as JSON: format version, model configuration, and the domain
(skeleton, expressions, characters, channels) or the class names.
"""

import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from ..checkpoint import write_atomically
from ..config import parse_config
from ..errors import CheckpointError, UserError
from ..models.conditioning import Domain
from ..models.dcgan import DCGANConfig, DCGANGenerator
from ..models.generator import Generator, GeneratorConfig

ANIMATOR_FILE = "animator.safetensors"
SAMPLER_FILE = "sampler.safetensors"
FORMAT = 1

Config = TypeVar("Config", GeneratorConfig, DCGANConfig)


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
    _save(path, generator, about, frames)


def save_sampler(
    path: Path, generator: DCGANGenerator, config: DCGANConfig, classes: tuple[str, ...]
) -> None:
    """Write a DCGAN generator with its class names. Raises as :func:`save_animator`."""
    _save(path, generator, {"model": config.model_dump(), "classes": list(classes)}, {})


def load_generator(source: Path | str) -> tuple[Generator, References]:
    """Read a clip generator from a file or a run folder, in float32 on the CPU, in eval mode; and its references.

    Raises:
        CheckpointError: missing, damaged, of another format, or not a clip generator.
    """
    path = _resolve(Path(source), ANIMATOR_FILE)
    tensors, about = _load(path)
    if "domain" not in about:
        raise CheckpointError(
            f"{path}: holds a DCGAN, not a clip generator; use `temporal-gan sample` with it"
        )
    try:
        domain = Domain.from_dict(about["domain"])
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    generator = Generator(_model_config(path, about, GeneratorConfig), domain)
    references: References = {}
    for key in [k for k in tensors if k.startswith("reference.")]:
        _, number, name = key.split(".")
        character = domain.characters[int(number)]
        references.setdefault(character, {})[name] = tensors.pop(key).numpy()
    _fill(path, generator, tensors)
    return generator, references


def load_sampler(source: Path | str) -> tuple[DCGANGenerator, DCGANConfig, tuple[str, ...]]:
    """Read a DCGAN from a file or a run folder. Raises as :func:`load_generator`."""
    path = _resolve(Path(source), SAMPLER_FILE)
    tensors, about = _load(path)
    if "classes" not in about:
        raise CheckpointError(
            f"{path}: holds a clip generator, not a DCGAN; use `temporal-gan generate` with it"
        )
    config, classes = _model_config(path, about, DCGANConfig), tuple(about["classes"])
    generator = DCGANGenerator(config, len(classes))
    _fill(path, generator, tensors)
    return generator, config, classes


def _save(path: Path, module: nn.Module, about: dict[str, Any], frames: dict[str, torch.Tensor]) -> None:
    tensors = {
        name: (t.half() if t.is_floating_point() else t).detach().cpu().contiguous()
        for name, t in module.state_dict().items()
    }
    tensors |= frames
    metadata = {"temporal_gan": json.dumps({"format": FORMAT, **about}, sort_keys=True)}
    write_atomically(path, lambda temporary: temporary.write_bytes(save(tensors, metadata)))


def _resolve(source: Path, name: str) -> Path:
    path = source / name if source.is_dir() else source
    if not path.is_file():
        hint = "; a run writes it with each checkpoint" if source.is_dir() else ""
        raise CheckpointError(f"{path}: no such weights file{hint}")
    return path


def _load(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("temporal_gan", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"{path}: not a readable safetensors file ({error}); pickles are never loaded"
        ) from None
    if not isinstance(about, dict) or not about:
        raise CheckpointError(
            f"{path}: a safetensors file of another program (no temporal_gan metadata in it)"
        )
    if about.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: weights format {about.get('format')}, this version reads {FORMAT}; export the run again"
        )
    return tensors, about


def _model_config(path: Path, about: dict[str, Any], schema: type[Config]) -> Config:
    try:
        return parse_config(about["model"], schema, str(path))
    except (UserError, KeyError) as error:
        raise CheckpointError(f"{path}: its model configuration does not fit this version: {error}") from None


def _fill(path: Path, module: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    floats = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    try:
        module.load_state_dict(floats)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: weights do not fit its own configuration: {error}".replace("\n", " ")
        ) from None
    module.eval().requires_grad_(False)
