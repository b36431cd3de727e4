"""A store's clips decoded once, at one square size, as memory-mapped arrays that training reads windows from.

A cache is a folder named after the store's content hash, the size and the flow it holds. It is built beside
its final name and renamed when whole; an index with every file's size and its own checksum says whether it
still is. Anything else found under that name is thrown away and built again.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
from filelock import FileLock
from rich.progress import track

from ..errors import StoreError
from .letterbox import Letterbox
from .manifest import ClipRow
from .store import Store

CACHE_VERSION = 1
FlowSource = Callable[[ClipRow], tuple[np.ndarray, np.ndarray]]
"""Clip -> flow float [T-1, 2, h, w] in pixels of that size, valid bool [T-1, 1, h, w]; h:w as the clip's."""


class ClipCache:
    """A whole cache, opened. Arrays hold all frames of all clips, clip after clip in the store's order.

    Attributes:
        path: its folder.
        size: pixels of the square's side.
        has_flow: flow and its validity are there.
    """

    def __init__(self, path: Path) -> None:
        index = _read_index(path)
        if index is None:
            raise StoreError(f"{path}: is no whole cache; remove it, and it is built again")
        self.path = path
        self.size = int(index["size"])
        self.has_flow = bool(index["flow"])

    def __reduce__(self) -> tuple[type["ClipCache"], tuple[Path]]:
        # A worker process maps the files itself; pickled memory maps would be copied whole.
        return ClipCache, (self.path,)

    @cached_property
    def starts(self) -> np.ndarray:
        """int64 [N+1]: clip n's frames are starts[n] : starts[n + 1]."""
        return np.load(self.path / "starts.npy")

    def frames(self, name: str, clip: int, start: int, count: int) -> np.ndarray:
        """A copy of frames start : start + count of one array of one clip.

        Args:
            name: video uint8 [., C, S, S], keypoints, confidence, layer, expression, expression_confidence,
                time, hold.
            clip: the clip's position in the store.
            start: first frame within the clip.
            count: number of frames.
        """
        first = int(self.starts[clip]) + start
        return np.array(self._array(name)[first : first + count])

    def flow(self, clip: int, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Flow float16 [count-1, 2, S, S] and validity bool [count-1, 1, S, S] of ``count`` frames."""
        first = int(self.starts[clip]) - clip + start  # every clip before has one flow less than frames
        return (
            np.array(self._array("flow")[first : first + count - 1]),
            np.array(self._array("flow_valid")[first : first + count - 1]).astype(bool),
        )

    def any_expression(self) -> bool:
        """Whether any frame of any clip is labelled with an expression."""
        known = self._array("expression_confidence")
        return any(bool(np.any(known[i : i + 65536])) for i in range(0, len(known), 65536))

    def _array(self, name: str) -> np.ndarray:
        if name not in self.__dict__.setdefault("_open", {}):
            self.__dict__["_open"][name] = np.load(self.path / f"{name}.npy", mmap_mode="r")
        return self.__dict__["_open"][name]


def open_cache(
    store: Store,
    size: int,
    flow: str = "",
    flow_source: FlowSource | None = None,
    folder: Path | None = None,
    quiet: bool = False,
) -> ClipCache:
    """Open the store's cache at this size, building it first where there is no whole one.

    Several processes may call this at once: one builds, the others wait for it.

    Args:
        store: what to decode.
        size: pixels of the square's side.
        flow: a short name of where flow comes from, part of the cache's name; "" = keep no flow.
        flow_source: clip -> flow and validity; None = the store's exact truth.
        folder: where caches lie; None = ``cache`` in the store.
        quiet: no progress bar.
    Raises:
        StoreError: the folder cannot be written, the disk is too small, a video is damaged, or a clip has no
        flow.
    """
    if size < 1 or not (flow == "" or flow.isidentifier()):
        raise StoreError(f"cache: size {size} must be positive and flow {flow!r} a plain name")
    room = folder or store.path / "cache"
    path = room / f"{store.info.content_hash[:16]}_{size}{'_' + flow if flow else ''}"
    if _read_index(path) is not None:
        return ClipCache(path)
    lock = FileLock(room / f"{path.name}.lock")
    try:
        room.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise StoreError(
            f"{room}: a cache cannot be written there ({error.strerror}); name another folder"
        ) from None
    try:
        if _read_index(path) is None:
            _build(store, path, size, bool(flow), flow_source, quiet)
    finally:
        lock.release()
    return ClipCache(path)


def _shapes(store: Store, size: int, flow: bool) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    info = store.info
    f, j, e = info.frames, len(info.skeleton.joints), len(info.expressions)
    kinds = {
        "video": ((f, info.channels, size, size), np.uint8),
        "keypoints": ((f, j, 2), np.float32),
        "confidence": ((f, j), np.float32),
        "layer": ((f, j), np.int16),
        "expression": ((f, e), np.float32),
        "expression_confidence": ((f, e), np.float32),
        "time": ((f,), np.float32),
        "hold": ((f,), np.int64),
        "starts": ((info.clips + 1,), np.int64),
    }
    if flow:
        kinds["flow"] = ((f - info.clips, 2, size, size), np.float16)
        kinds["flow_valid"] = ((f - info.clips, 1, size, size), np.uint8)
    return {name: (shape, np.dtype(kind)) for name, (shape, kind) in kinds.items()}


def _build(
    store: Store, path: Path, size: int, flow: bool, flow_source: FlowSource | None, quiet: bool
) -> None:
    shapes = _shapes(store, size, flow)
    work = path.with_name(path.name + ".part")
    for old in (work, path):
        if old.exists():
            shutil.rmtree(old)
    work.mkdir()
    need = sum(int(np.prod(shape)) * kind.itemsize for shape, kind in shapes.values())
    free = shutil.disk_usage(work).free
    if need > free:
        raise StoreError(
            f"{path}: the cache needs {need / 1e9:.1f} GB, the disk has {free / 1e9:.1f} GB free"
        )
    arrays = {
        name: np.lib.format.open_memmap(work / f"{name}.npy", "w+", kind, shape)
        for name, (shape, kind) in shapes.items()
        if 0 not in shape
    }
    for name, (shape, kind) in shapes.items():
        if 0 in shape:  # an empty file cannot be mapped
            np.save(work / f"{name}.npy", np.zeros(shape, kind))
    arrays["starts"][:] = store.frame_starts
    label = f"decoding {store.info.clips} clips at {size}x{size}"
    for number, row in enumerate(track(store.clips, label, total=store.info.clips, disable=quiet)):
        at = slice(int(store.frame_starts[number]), int(store.frame_starts[number + 1]))
        box = Letterbox(row.width, row.height, size)
        labels = store.labels(row.id)
        arrays["video"][at] = box.frames(store.frames(row.id))
        arrays["keypoints"][at] = box.points(labels.keypoints)
        for name in ("confidence", "layer", "expression", "expression_confidence", "time", "hold"):
            if name in arrays:
                arrays[name][at] = getattr(labels, name)
        if flow and row.frames > 1:
            at = slice(at.start - number, at.stop - number - 1)
            arrays["flow"][at], arrays["flow_valid"][at] = box.flow(*_clip_flow(store, row, flow_source))
    for array in arrays.values():
        array.flush()
    del arrays
    _write_index(work, {"version": CACHE_VERSION, "size": size, "flow": flow})
    os.replace(work, path)


def _clip_flow(store: Store, row: ClipRow, source: FlowSource | None) -> tuple[np.ndarray, np.ndarray]:
    if source is not None:
        flow, valid = source(row)
    else:
        truth = store.truth(row.id)
        if truth is None or "flow" not in truth:
            raise StoreError(
                f"clip {row.id}: the store holds no exact flow for it; make the store with flow, or "
                "train without terms that need it"
            )
        flow, valid = truth["flow"], truth["flow_valid"]
    if len(flow) != row.frames - 1 or flow.shape[1] != 2 or valid.shape != (len(flow), 1, *flow.shape[2:]):
        raise StoreError(
            f"clip {row.id}: flow {flow.shape} and validity {valid.shape} do not fit {row.frames} frames"
        )
    if not np.isfinite(flow).all():
        raise StoreError(f"clip {row.id}: flow is not a finite number")
    return flow, valid


def _write_index(folder: Path, index: dict[str, object]) -> None:
    files = {f.name: f.stat().st_size for f in sorted(folder.glob("*.npy"))}
    body = json.dumps(index | {"files": files}, sort_keys=True)
    text = json.dumps({"body": body, "sha256": hashlib.sha256(body.encode()).hexdigest()})
    with (folder / "index.json").open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _read_index(folder: Path) -> dict | None:
    """The index of a whole cache, or None."""
    try:
        data = json.loads((folder / "index.json").read_text())
        if hashlib.sha256(data["body"].encode()).hexdigest() != data["sha256"]:
            return None
        index = json.loads(data["body"])
        whole = all((folder / name).stat().st_size == size for name, size in index["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return index if whole and index["version"] == CACHE_VERSION else None
