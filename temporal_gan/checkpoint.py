"""Checkpoints: one file with everything, written so that a kill or a full disk never costs the last good one."""

import contextlib
import os
import pickle
import re
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from .errors import CheckpointError

_NAME = re.compile(r"step_(\d{8})\.pt")
# What a damaged file makes the reader stumble over; its unpickler pops from an empty stack, for one.
_DAMAGE = (
    RuntimeError, EOFError, OSError, zipfile.BadZipFile, struct.error, ValueError, LookupError, TypeError,
    AttributeError, ArithmeticError, AssertionError, MemoryError,
)  # fmt: skip


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the checkpoint of this step lies."""
    return folder / f"step_{step:08d}.pt"


def list_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """(step, path) of every checkpoint, oldest first; unfinished temporary files do not count."""
    if not folder.is_dir():
        return []
    found = [(int(m[1]), p) for p in folder.iterdir() if (m := _NAME.fullmatch(p.name))]
    return sorted(found)


def save_checkpoint(folder: Path, step: int, content: dict[str, Any], keep: int) -> Path:
    """Write atomically (temporary file, fsync, rename), then delete all but the newest ``keep``.

    Args:
        content: nested dicts and lists of tensors and plain types only.
    Raises:
        CheckpointError: the disk is full or the folder not writable; earlier checkpoints are untouched.
    """
    path = checkpoint_path(folder, step)
    write_atomically(path, lambda temporary: torch.save(content, temporary))
    for _, old in list_checkpoints(folder)[:-keep]:
        old.unlink(missing_ok=True)
    return path


def write_atomically(path: Path, write: Any) -> None:
    """Call ``write(temporary_path)``, flush it to disk and rename it to ``path``.

    Raises:
        CheckpointError: it could not be written; ``path`` is as it was before.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    # torch and safetensors report a full disk as RuntimeError or their own type, not always as OSError.
    except (OSError, RuntimeError) as error:
        _remove(temporary)
        raise CheckpointError(
            f"{path}: could not be written ({_first_line(error)}); files saved before are intact: "
            "free some space and repeat the command to go on"
        ) from None
    except BaseException:
        _remove(temporary)
        raise


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU without executing anything in it.

    Raises:
        CheckpointError: missing, damaged, or not a plain checkpoint.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    try:
        with warnings.catch_warnings():
            # Of a pickle protocol it does not know; the error that follows says enough.
            warnings.simplefilter("ignore", UserWarning)
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise CheckpointError(
            f"{path}: refused: it is no checkpoint of this program, or holds objects other than tensors and plain "
            "values, which could execute code; nothing in it was run"
        ) from None
    except _DAMAGE as error:
        raise CheckpointError(
            f"{path}: damaged ({_first_line(error)}); delete this file to resume from the one before it"
        ) from None
    if not isinstance(content, dict) or "step" not in content:
        raise CheckpointError(f"{path}: not a checkpoint of this program (no 'step' in it)")
    return content


def clear_temporaries(folder: Path) -> None:
    """Remove what an interrupted save left behind."""
    for leftover in folder.glob("*.tmp") if folder.is_dir() else ():
        leftover.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # what kept it from being written must be reported, not this
        path.unlink()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
