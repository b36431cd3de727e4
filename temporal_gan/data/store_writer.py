"""Writing a clip store: once, by one writer, clip by clip.

``store.json`` comes last, so a folder without it is a store half written. A writer that says by a key what it is
writing may go on in such a folder.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa

from ..errors import StoreError
from ..skeletons import Skeleton
from ..video_io import read_frames, write_frames
from .manifest import SCHEMA_VERSION, ClipLabels, ClipRow, StoreInfo, sha256_of
from .store import UNFINISHED
from .tables import CLIPS_SCHEMA, FRAMES_SCHEMA, TableWriter, frame_rows
from .truth import write_truth

_GROUP_ROWS = 4096


class StoreWriter:
    """Writes a store clip by clip; use it in a ``with`` block.

    Args:
        path: a folder that is new or empty.
        skeleton: the joints of every clip.
        expressions: names of the E expression channels.
        fps: frames per second of clips that do not say their own.
        size: (width, height) every clip must have, or None where clips differ in size.
        channels: 3 RGB or 4 RGBA.
        key: of everything that will be written, such as a hash of the settings. With it, the folder may also hold
            what an interrupted writer of the same key has left: its clips' files stay, for :meth:`add_files`.
    Raises:
        StoreError: the folder holds something already.
    """

    def __init__(
        self,
        path: Path | str,
        skeleton: Skeleton,
        expressions: Sequence[str],
        fps: float,
        size: tuple[int, int] | None,
        channels: int,
        key: str = "",
    ) -> None:
        self.path = Path(path)
        if channels not in (3, 4) or not fps > 0:
            raise StoreError(f"{path}: channels {channels} must be 3 or 4, and fps {fps} above 0")
        self._mark = self.path / UNFINISHED
        if self.path.exists() and not self.path.is_dir():
            raise StoreError(f"{path}: is a file, and a store is a folder; name another place")
        if self.path.exists() and any(self.path.iterdir()):
            begun = self._mark.is_file() or (self.path / "frames.parquet").exists()
            half = begun and not (self.path / "store.json").exists()
            if not half or not key or not self._mark.is_file() or self._mark.read_text() != key:
                other = " with other settings" if half and key else ""
                what = f"is a store half written by an interrupted run{other}" if half else "is not empty"
                raise StoreError(f"{path}: {what}; remove it or name another folder")
            _remove_pieces(self.path)
        self.path.mkdir(parents=True, exist_ok=True)
        if key:
            self._mark.write_text(key)
        (self.path / "video").mkdir(exist_ok=True)
        self._skeleton, self._expressions = skeleton, tuple(expressions)
        self._size = None if size is None else (int(size[0]), int(size[1]))
        self._fps, self._channels = float(fps), channels
        self._characters: dict[str, int] = {}
        self._ids: set[str] = set()
        self._largest = (0, 0)
        self._info: StoreInfo | None = None
        self._clips = TableWriter(self.path / "clips.parquet", CLIPS_SCHEMA, _GROUP_ROWS)
        self._frames = TableWriter(self.path / "frames.parquet", FRAMES_SCHEMA, _GROUP_ROWS)

    def add_clip(
        self,
        row: ClipRow,
        frames_u8: np.ndarray,
        labels: ClipLabels,
        truth: dict[str, np.ndarray] | None = None,
        video_file: Path | None = None,
    ) -> None:
        """Check one clip and write its files.

        Args:
            row: the fields that the writer fills in (frames, size, video, hashes) are ignored.
            frames_u8: uint8 [T, H, W, C], C as the store's, RGBA premultiplied. Kept lossless.
            labels: see :class:`ClipLabels`.
            truth: exact arrays of the clip; ``flow`` [T-1, 2, H, W] and ``flow_valid`` bool [T-1, 1, H, W]
                are checked, any other name is kept as it is.
            video_file: an .mp4 holding just these opaque frames, to be copied instead of a lossless video
                that would be larger and no better.
        Raises:
            StoreError: names the clip and, where it applies, the frame.
        """
        self._check_row(row, labels)
        self._check_frames(row.id, frames_u8)
        frames, height, width, _ = frames_u8.shape
        if len(labels.time) != frames:
            raise StoreError(f"clip {row.id}: {len(labels.time)} frames of labels for {frames} of video")
        if video_file is None:
            write_clip_files(self.path, row.id, frames_u8, row.fps or self._fps, truth)
        else:
            self._copy_video(row.id, frames_u8, video_file)
            if truth is not None:
                _write_truth_file(self.path, row.id, truth, (frames, height, width))
        suffix = ".mkv" if video_file is None else ".mp4"
        self._add_row(row, labels, suffix, (width, height), truth is not None)

    def add_files(self, row: ClipRow, labels: ClipLabels, truth: bool) -> None:
        """Enter a clip whose files :func:`write_clip_files` has put into the folder, here or in another process.

        Args:
            row: as in :meth:`add_clip`; the store must have been given a size.
            labels: of every frame of the video.
            truth: whether exact arrays were written.
        Raises:
            StoreError: names the clip, and the file that is missing.
        """
        assert self._size is not None
        self._check_row(row, labels)
        self._add_row(row, labels, ".mkv", self._size, truth)

    def _check_row(self, row: ClipRow, labels: ClipLabels) -> None:
        row.validate()
        if row.id.lower() in self._ids:
            raise StoreError(f"clip {row.id}: there is a clip of this name already (case does not count)")
        labels.validate(row.id, len(self._skeleton.joints), len(self._expressions))

    def _add_row(
        self, row: ClipRow, labels: ClipLabels, suffix: str, size: tuple[int, int], truth: bool
    ) -> None:
        width, height = size
        video = self.path / "video" / f"{row.id}{suffix}"
        exact = self.path / "truth" / f"{row.id}.npz"
        for file in (video, exact) if truth else (video,):
            if not file.is_file():
                raise StoreError(
                    f"clip {row.id}: {file} is missing; repeat the command that writes the store"
                )
        self._ids.add(row.id.lower())
        self._characters.setdefault(row.character, len(self._characters))
        self._largest = (max(self._largest[0], width), max(self._largest[1], height))
        whole = replace(
            row,
            fps=row.fps or self._fps,
            frames=len(labels.time),
            width=width,
            height=height,
            video=suffix,
            video_sha256=sha256_of(video),
            video_bytes=video.stat().st_size,
            truth_sha256=sha256_of(exact) if truth else "",
        )
        self._clips.add(pa.RecordBatch.from_pylist([whole.to_dict()], CLIPS_SCHEMA))
        self._frames.add(frame_rows(row.id, labels))

    def _check_frames(self, clip: str, frames_u8: np.ndarray) -> None:
        shape = frames_u8.shape
        if frames_u8.dtype != np.uint8 or len(shape) != 4 or 0 in shape or shape[-1] != self._channels:
            got = f"{frames_u8.dtype} {shape}"
            raise StoreError(f"clip {clip}: frames are {got}, expected uint8 [T, H, W, {self._channels}]")
        if self._size is not None and shape[2:0:-1] != self._size:
            raise StoreError(f"clip {clip}: {shape[2]}x{shape[1]} pixels, but the store is {self._size}")
        if self._channels == 4:
            above = (frames_u8[..., :3] > frames_u8[..., 3:]).any(axis=(1, 2, 3))
            if above.any():
                frame = int(above.argmax())
                raise StoreError(f"clip {clip}, frame {frame}: colour is not premultiplied by alpha")

    def _copy_video(self, clip: str, frames_u8: np.ndarray, video_file: Path) -> None:
        same = np.array_equal(read_frames(video_file).frames_u8, frames_u8)
        if video_file.suffix.lower() != ".mp4" or not same:
            raise StoreError(f"clip {clip}: {video_file} is not an .mp4 of just these frames")
        shutil.copyfile(video_file, self.path / "video" / f"{clip}.mp4")

    def close(self) -> StoreInfo:
        """Write the tables' ends, then ``store.json``; once. Raises StoreError where no clip was added."""
        if self._info is not None:
            return self._info
        self._clips.close()
        self._frames.close()
        if not self._ids:
            raise StoreError(f"{self.path}: no clip was added, so there is no store")
        info = StoreInfo(
            schema=SCHEMA_VERSION,
            skeleton=self._skeleton,
            expressions=self._expressions,
            characters=tuple(self._characters),
            fps=self._fps,
            width=self._largest[0],
            height=self._largest[1],
            mixed_sizes=self._size is None,
            channels=self._channels,
            clips=len(self._ids),
            frames=self._frames.rows,
            clips_sha256=sha256_of(self.path / "clips.parquet"),
            frames_sha256=sha256_of(self.path / "frames.parquet"),
        ).with_hash()
        temporary = self.path / ".store.json.part"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(info.to_dict(), file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.path / "store.json")
        self._mark.unlink(missing_ok=True)
        self._info = info
        return info

    def __enter__(self) -> "StoreWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._clips.close()
            self._frames.close()


def write_clip_files(
    folder: Path, clip: str, frames_u8: np.ndarray, fps: float, truth: dict[str, np.ndarray] | None
) -> None:
    """Write the lossless video of one clip of a store, after its exact arrays: where the video is, all is.

    Args:
        folder: of a store that is being written.
        clip: its id.
        frames_u8: uint8 [T, H, W, C], RGBA premultiplied.
        fps: frames per second.
        truth: as in :meth:`StoreWriter.add_clip`.
    Raises:
        StoreError: the truth does not fit the frames.
    """
    if truth is not None:
        _write_truth_file(folder, clip, truth, frames_u8.shape[:3])
    write_frames(folder / "video" / f"{clip}.mkv", frames_u8, fps)


def _write_truth_file(
    folder: Path, clip: str, truth: dict[str, np.ndarray], size: tuple[int, int, int]
) -> None:
    (folder / "truth").mkdir(exist_ok=True)
    write_truth(folder / "truth" / f"{clip}.npz", clip, truth, size)


def _remove_pieces(folder: Path) -> None:
    """Remove what was half written when a writer was killed; such files and folders have a leading dot."""
    for piece in [
        *(folder / "video").glob(".*"),
        *(folder / "truth").glob(".*"),
        folder / ".store.json.part",
    ]:
        if piece.is_dir():
            shutil.rmtree(piece, ignore_errors=True)
        else:
            piece.unlink(missing_ok=True)
