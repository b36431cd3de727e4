"""A network in one safetensors file: float16 weights, and a description as JSON in the metadata. No code in it."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from .checkpoint import write_atomically
from .config import parse_config
from .errors import CheckpointError, UserError

FORMAT = 1

Schema = TypeVar("Schema", bound=BaseModel)


def save_tensors(path: Path, module: nn.Module, about: dict[str, Any], others: dict[str, Tensor]) -> None:
    """Write a network's weights in float16, other tensors as they are, and what they are.

    Raises:
        CheckpointError: the disk is full; an older file stays.
    """
    tensors = {
        name: (t.half() if t.is_floating_point() else t).detach().cpu().contiguous()
        for name, t in module.state_dict().items()
    }
    metadata = {"temporal_gan": json.dumps({"format": FORMAT, **about}, sort_keys=True)}
    write_atomically(path, lambda temporary: temporary.write_bytes(save(tensors | others, metadata)))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """All tensors of a file, as they are stored, and its description.

    Raises:
        CheckpointError: missing, damaged, of another program or another format.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such weights file")
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


def model_config(path: Path, about: dict[str, Any], schema: type[Schema]) -> Schema:
    """The architecture a file describes. Raises CheckpointError where it does not fit this version."""
    try:
        return parse_config(about["model"], schema, str(path))
    except (UserError, KeyError) as error:
        raise CheckpointError(f"{path}: its model configuration does not fit this version: {error}") from None


def fill_module(path: Path, module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Load float32 weights and set the network to be used, not trained. Raises CheckpointError if they do not fit."""
    floats = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    try:
        module.load_state_dict(floats)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: weights do not fit its own configuration: {error}".replace("\n", " ")
        ) from None
    module.eval().requires_grad_(False)
