"""What a run has finished so far, kept outside the store so that a repeated run finds it.

Every piece is named by a hash of what went into it, so a piece is whole and right or it is not there: what is being
written lies under another name, what no longer fits is simply not found, and neither is what has become shorter since
it was finished.
"""

import hashlib
import json
import os
import shutil
import tempfile
import traceback
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from temporal_gan.errors import StoreError, UserError

from .clip import Clip, Expression, Face, Pose

VERSION = 4
"""Raised when a stage computes something else from the same settings."""

CACHE_TAG = "CACHEDIR.TAG"
"""Marks a folder that can be made again: backups pass it over, and so does a run that looks for clips.
https://bford.info/cachedir"""
_TAG_TEXT = (
    "Signature: 8a477f597d28d172789f06886806bc55\n# Finished pieces of preprocessing; safe to delete.\n"
)
LOCK_FILE = "lock"
SIZES_FILE = "sizes.json"
"""In every piece: its files' names and bytes. A machine that loses its power leaves files empty or short; to wait for
the disk after every piece would take 11 ms each time."""


def key_of(*parts: object) -> str:
    """Hash of what a piece is made from: plain types, in JSON."""
    text = json.dumps([VERSION, *parts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class WorkFolder:
    """Finished pieces: scans of sources, labels of clips after a stage, and whole clips."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Raises UserError where something lies that a run has not made: nobody's files are mixed with pieces."""
        own = (self.path / CACHE_TAG).is_file() or not self.path.is_dir()
        if not own and any(entry.name != LOCK_FILE for entry in self.path.iterdir()):
            raise UserError(
                f"{self.path}: holds something that this command did not make; name another --work or remove it"
            )

    def prepare(self) -> None:
        """Mark the folder and remove what was half written. Only while nobody works in it."""
        (self.path / CACHE_TAG).write_text(_TAG_TEXT, encoding="utf-8")
        trash = self.path / "trash"
        shutil.rmtree(trash, ignore_errors=True)
        if (self.path / "part").is_dir():
            # Renamed first: a process left over from a killed run cannot put in place what is being removed.
            os.replace(self.path / "part", trash)
        shutil.rmtree(trash, ignore_errors=True)

    def place(self, kind: str, key: str) -> Path:
        """Where a piece is once it is finished. A hundred thousand pieces are spread over folders."""
        return self.path / kind / key[:2] / key

    def find(self, kind: str, key: str) -> Path | None:
        """Where a piece is; None where it is not finished, or no longer as long as it was."""
        place = self.place(kind, key)
        try:
            sizes = json.loads((place / SIZES_FILE).read_text(encoding="utf-8"))
            whole = all((place / name).stat().st_size == size for name, size in sizes.items())
        except (OSError, ValueError, AttributeError):
            return None
        return place if whole else None

    def note_fault(self, name: str, error: Exception) -> str:
        """Keep the traceback of a fault of ours in one piece, which is no reason to lose a night's work on the others.

        Args:
            name: of the piece, for the file's.
            error: just caught.
        Returns:
            one line for people.
        """
        file = self.path / "faults" / f"{name}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        words = " ".join(str(error).split())
        where = f"{self.path.name}/faults/{file.name}"
        return f"a fault of this program ({type(error).__name__}: {words}); please report {where}"

    @contextmanager
    def making(self, kind: str, key: str) -> Iterator[Path]:
        """A folder to fill, which takes its place when the block ends well; a damaged piece makes way for it."""
        (self.path / "part").mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=self.path / "part"))
        damaged = room.with_name(f"{room.name}.old")
        try:
            yield room
            files = [file for file in room.rglob("*") if file.is_file()]
            sizes = {file.relative_to(room).as_posix(): file.stat().st_size for file in files}
            (room / SIZES_FILE).write_text(json.dumps(sizes, sort_keys=True), encoding="utf-8")
            place = self.place(kind, key)
            place.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                os.replace(place, damaged)
            try:
                os.replace(room, place)
            except OSError:
                # Somebody else finished the same piece first.
                if not place.is_dir():
                    raise
        finally:
            shutil.rmtree(room, ignore_errors=True)
            shutil.rmtree(damaged, ignore_errors=True)


_PARTS = {"pose": Pose, "face": Face, "expression": Expression}


def save_labels(folder: Path, clip: Clip) -> None:
    """Write everything a clip knows but its source, its pixels and its flow, as ``labels.npz``."""
    arrays: dict[str, np.ndarray] = {"hold": clip.hold, "source_frame": clip.source_frame}
    about: dict[str, Any] = {
        name: getattr(clip, name) for name in ("id", "start", "end", "fps", "flags", "facts")
    }
    for name in _PARTS:
        part = getattr(clip, name)
        if part is None:
            continue
        about[name] = {}
        for field in fields(part):
            value = getattr(part, field.name)
            if isinstance(value, np.ndarray):
                arrays[f"{name}.{field.name}"] = value
            else:
                about[name][field.name] = value
    np.savez(folder / "labels.npz", allow_pickle=False, about=np.array(json.dumps(about)), **arrays)


def load_labels(folder: Path, clip: Clip) -> Clip:
    """The clip with what :func:`save_labels` has kept of it; its pixels stay. Raises StoreError: it is damaged."""
    try:
        return _load_labels(folder, clip)
    except (OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split())
        raise StoreError(
            f"{folder}: a finished piece is damaged ({reason}); remove this folder and repeat"
        ) from None


def _load_labels(folder: Path, clip: Clip) -> Clip:
    with np.load(folder / "labels.npz", allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    about = json.loads(str(arrays.pop("about")))
    parts: dict[str, Any] = {}
    for name, kind in _PARTS.items():
        if name not in about:
            parts[name] = None
            continue
        values = {k: _tuples(v) for k, v in about[name].items()}
        own = {k.removeprefix(f"{name}."): v for k, v in arrays.items() if k.startswith(f"{name}.")}
        assert is_dataclass(kind)
        parts[name] = kind(**values, **own)
    return replace(
        clip,
        hold=arrays["hold"],
        source_frame=arrays["source_frame"],
        start=about["start"],
        end=about["end"],
        fps=about["fps"],
        flags=tuple(about["flags"]),
        facts=tuple((name, value) for name, value in about["facts"]),
        **parts,
    )


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
