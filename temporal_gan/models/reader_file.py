"""Reader weights: the two copies that come with the package, and files of one's own."""

import hashlib
from pathlib import Path

from ..errors import UserError
from ..tensor_file import fill_module, load_tensors, model_config, save_tensors
from .reader import Reader, ReaderConfig

READER_FILE = "reader.safetensors"
SHIPPED = ("metrics", "loss")
"""Names of the copies: one judges, the other may be trained against."""


def save_reader(path: Path, reader: Reader, training: dict[str, object]) -> None:
    """Write a reader in float16.

    Args:
        path: of the file.
        reader: whatever its state.
        training: how it was trained, plain types, kept in the file.
    Raises:
        CheckpointError: the disk is full; an older file stays.
    """
    save_tensors(
        path, reader, {"kind": "reader", "model": reader.config.model_dump(), "training": training}, {}
    )


def find_reader(name: str | Path) -> Path:
    """``metrics`` or ``loss`` for a copy that comes with the package; else a file, or a run folder that holds one.

    Raises:
        UserError: there is none.
    """
    if str(name) in SHIPPED:
        return Path(__file__).parents[1] / "readers" / f"{name}.safetensors"
    path = Path(name)
    path = path / READER_FILE if path.is_dir() else path
    if not path.is_file():
        raise UserError(
            f"reader {str(name)!r}: neither a file, nor a run with {READER_FILE}, nor one of: {', '.join(SHIPPED)}"
        )
    return path


def load_reader(name: str | Path) -> Reader:
    """A reader on the CPU, in float32, ready to read and not to be trained.

    Args:
        name: as in :func:`find_reader`.
    Raises:
        UserError: there is none.
        CheckpointError: damaged, or not a reader.
    """
    path = find_reader(name)
    tensors, about = load_tensors(path)
    if about.get("kind") != "reader":
        raise UserError(f"{path}: holds no reader; `temporal-gan reader train` makes one")
    reader = Reader(model_config(path, about, ReaderConfig))
    fill_module(path, reader, tensors)
    return reader


def reader_sha256(name: str | Path) -> str:
    """Hex digest of the file, for the result that was computed with it. Raises as :func:`find_reader`."""
    with find_reader(name).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
