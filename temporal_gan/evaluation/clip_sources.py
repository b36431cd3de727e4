"""Where clips are: in a store, in a folder of anybody's files, or alone; how they are named, read and known again."""

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from ..data.store import Store
from ..errors import StoreError, UserError
from ..video_io import STILL_SUFFIXES, VIDEO_SUFFIXES, natural_key, read_frames
from .frame_rates import TimedClip

ClipSource = Path | tuple[Store, str]
"""Where a clip is: a file, a folder of pictures, or a clip of a store."""


def is_store(path: Path) -> bool:
    """Whether a folder is a clip store."""
    return (path / "store.json").is_file()


def find_clips(path: Path, split: str | None = None) -> dict[str, ClipSource]:
    """Name -> where that clip is, in natural order.

    Args:
        path: a store, a folder of clips (videos, animations, folders of pictures), or one clip.
        split: of a store; None: its test split, or all clips where it has none.
    Raises:
        UserError: nothing there, or two clips of one name.
        StoreError: the store has no clips in that split.
    """
    if is_store(path):
        store = Store.open(path)
        rows = store.split(split or "test") or (list(store.clips) if split is None else [])
        if not rows:
            raise StoreError(f"{path}: no clips in split {split!r}")
        return {row.id: (store, row.id) for row in rows}
    if path.is_dir():
        files = sorted((f for f in path.iterdir() if f.name[0] != "."), key=lambda f: natural_key(f.name))
        inside = [f for f in files if f.suffix.lower() in VIDEO_SUFFIXES or f.is_dir()]
        # A picture file may hold an animation; a folder of one clip's frames holds none, so one look is enough.
        if any(_is_animation(f) for f in [f for f in files if f.suffix.lower() == ".webp"][:1]):
            inside = [f for f in files if f in inside or f.suffix.lower() == ".webp"]
        clips: dict[str, ClipSource] = {}
        for file in inside:
            name = _clip_name(file)
            if name in clips:
                raise UserError(f"{file}: there are two clips named {name!r} in this folder; rename one")
            clips[name] = file
        if clips:
            return clips
        if not any(f.suffix.lower() in STILL_SUFFIXES for f in files):
            raise UserError(f"{path}: no clips in this folder (neither videos nor pictures)")
    if not path.exists():
        raise UserError(f"{path}: no such store, folder or clip")
    return {_clip_name(path): path}


def read_clip(clip: ClipSource) -> TimedClip:
    """Decode a clip. Raises StoreError naming a file that cannot be read."""
    if isinstance(clip, tuple):
        store, name = clip
        fps = store.row(name).fps or store.info.fps
        frames = store.frames(name)
        return TimedClip(frames, fps, np.arange(len(frames)) / fps)
    decoded = read_frames(clip)
    pictures = clip.is_dir() or (len(decoded.frames_u8) == 1 and clip.suffix.lower() in STILL_SUFFIXES)
    return TimedClip.of(decoded, clip.suffix, pictures)


def content_key(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files."""
    digest = hashlib.sha256()
    files = sorted(path.iterdir(), key=lambda f: f.name) if path.is_dir() else [path]
    for file in files:
        if path.is_dir():
            digest.update(file.name.encode() + b"\0")
        if file.is_file():
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


@lru_cache(100_000)
def _file_key(path: Path, changed_ns: int, size: int) -> str:
    return content_key(path)


def source_key(source: ClipSource) -> str:
    """Names a clip by its content. Raises OSError where it cannot be read."""
    if isinstance(source, tuple):
        return f"{source[0].info.content_hash}#{source[1]}"
    if source.is_dir():
        return content_key(source)
    about = source.stat()
    return _file_key(source, about.st_mtime_ns, about.st_size)


def _clip_name(path: Path) -> str:
    # A folder named walk.v2 has no suffix.
    return path.name if path.is_dir() else path.stem


def _is_animation(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return getattr(image, "n_frames", 1) > 1
    except (OSError, ValueError, SyntaxError):
        return False
