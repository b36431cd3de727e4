"""Shards that :mod:`preprocessing.exporters.shards` wrote -> the clip store they came from."""

import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from temporal_gan.data.manifest import ClipLabels, ClipRow, StoreInfo
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.data.truth import read_truth
from temporal_gan.errors import UserError
from temporal_gan.video_io import natural_key

from ..exporters.shards import ARRAYS
from ..new_folder import new_folder
from .whole_clip import read_whole

Parts = dict[str, bytes]
_MOST_BYTES = 2**31
"""Of all members of a clip, and of the arrays in one of them: they are read into memory."""


def import_shards(path: Path, out: Path) -> StoreInfo:
    """Write the store that was exported.

    Args:
        path: one shard, or a folder of ``.tar`` files, read in natural order.
        out: folder of the new store; it has the same content hash as the one exported.
    Returns:
        the store's description.
    Raises:
        UserError: a shard, or a member of one, is missing, damaged or not of this project; it is named.
    """
    shards = sorted(path.glob("*.tar"), key=lambda f: natural_key(f.name)) if path.is_dir() else [path]
    if not shards:
        raise UserError(f"{path}: no .tar files in this folder")
    with ExitStack() as stack:
        folder = stack.enter_context(new_folder(out))
        room = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder.parent)))
        first: StoreInfo | None = None
        writer: StoreWriter | None = None
        for where, parts in (sample for shard in shards for sample in _samples(shard)):
            info, row = _about(where, parts)
            if first is None or writer is None:
                first, size = info, None if info.mixed_sizes else (info.width, info.height)
                writer = stack.enter_context(
                    StoreWriter(folder, info.skeleton, info.expressions, info.fps, size, info.channels)
                )
            if info != first:
                raise UserError(f"{where}: is of another store than the clips before it; import each alone")
            _add(writer, where, row, parts, room)
        if first is None or writer is None:
            raise UserError(f"{path}: no clips in it")
        missing = first.clips - writer.close().clips
        if missing:
            raise UserError(f"{path}: {missing} of {first.clips} clips are missing; are all shards there?")
        return writer.close()


def _samples(shard: Path) -> Iterator[tuple[str, Parts]]:
    """Members of one number together. A member is known by its name only; nothing is unpacked into folders."""
    parts: Parts = {}
    number = ""
    try:
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                name, dot, suffix = member.name.partition(".")
                if content is None or not dot:
                    raise UserError(f"{shard}: member {member.name!r:.60} is no part of a clip")
                if parts and name != number:
                    yield f"{shard}: clip {number}", parts
                    parts = {}
                number = name
                # A sparse file of gigabytes is a few bytes in the archive.
                if member.issparse() or member.size + sum(map(len, parts.values())) > _MOST_BYTES:
                    raise UserError(
                        f"{shard}: member {member.name!r:.60} is sparse, or its clip larger than {_MOST_BYTES} bytes"
                    )
                parts[f".{suffix}"] = content.read()
    except FileNotFoundError:
        raise UserError(f"{shard}: no such file or folder of shards") from None
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UserError(f"{shard}: is truncated or no tar file ({error})") from None
    if parts:
        yield f"{shard}: clip {number}", parts


def _about(where: str, parts: Parts) -> tuple[StoreInfo, ClipRow]:
    try:
        data: Any = json.loads(parts[".json"])
        row = {**data["clip"], "flags": tuple(data["clip"]["flags"])}
        expected = {f.name: type(f.default) for f in fields(ClipRow)}
        for name, value in row.items():
            kind = str if name in ("id", "character", "split") else expected[name]
            if not isinstance(value, int if kind is int else (kind, int) if kind is float else kind):
                raise TypeError(f"{name} is {value!r:.40}")
        return StoreInfo.from_dict(data["store"], where), ClipRow(**row).validate()
    except UserError as error:
        text = str(error)
        raise UserError(text if text.startswith(where) else f"{where}: {text}") from None
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{where}: its .json is not as our export writes it ({error})") from None


def _check_arrays(content: bytes) -> None:
    """Raises ValueError where arrays would unpack to more than memory is for."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > _MOST_BYTES:
        raise ValueError(f"{unpacked} bytes of arrays, at most {_MOST_BYTES}")


def _add(writer: StoreWriter, where: str, row: ClipRow, parts: Parts, room: Path) -> None:
    try:
        _check_arrays(parts[".npz"])
        with np.load(io.BytesIO(parts[".npz"]), allow_pickle=False) as data:
            arrays = {name: data[name] for name in ARRAYS}
            origin = tuple(str(o) for o in np.atleast_1d(data["origin"]))
        kinds = [array.dtype.kind for array in arrays.values()]
        if not set(kinds) <= set("fi"):
            raise ValueError("arrays of other types than numbers")
        video = room / f"clip{row.video}"
        video.write_bytes(parts[row.video])
        truth = None
        if ".truth.npz" in parts:
            _check_arrays(parts[".truth.npz"])
            (room / "truth.npz").write_bytes(parts[".truth.npz"])
            truth = read_truth(room / "truth.npz", (row.frames, row.height, row.width))
        frames = read_whole(video, room).frames_u8
        labels = ClipLabels(**arrays, origin=origin)
        writer.add_clip(row, frames, labels, truth, video if row.video == ".mp4" else None)
    except UserError as error:
        raise UserError(f"{where}: {str(error).replace(str(room), '')}") from None
    except KeyError as error:
        raise UserError(f"{where}: has no {error}") from None
    except (ValueError, TypeError, OverflowError, MemoryError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{where}: its .npz is not as our export writes it ({error})") from None
