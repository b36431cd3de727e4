"""A folder that is there whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporal_gan.errors import UserError


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path`` that becomes it when the block ends well, and else is gone.

    Args:
        path: must be missing or an empty folder; the folders above it are made.
    Raises:
        UserError: something is there already, or nothing can be written there.
    """
    check_new_folder(path)
    path = path.absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        # Within: what mkdtemp makes is closed to other people.
        (room / path.name).mkdir()
        yield room / path.name
        os.replace(room / path.name, path)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def check_new_folder(path: Path) -> None:
    """Raises UserError where something is already, before anybody works for what could not be put there."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        what = "is not empty" if path.is_dir() else "is a file, expected a new folder"
        raise UserError(f"{path}: {what}; remove it or name another folder")


def bring_to_disk(folder: Path) -> None:
    """Wait until everything in a folder is on the disk: only then may its name say that it is whole, or a machine that
    loses its power leaves empty files under that name.

    Raises:
        OSError: the disk is full or broken.
    """
    for place in [folder, *folder.rglob("*")]:
        if place.is_file():
            with place.open("r+b") as stream:
                os.fsync(stream.fileno())
        elif os.name == "posix":
            number = os.open(place, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)
