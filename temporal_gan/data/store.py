"""The clip store: a folder that people can open with ordinary tools, and that says when it is broken.

Files are found through the tables only: no folder is ever listed, and a million clips cost no more to open than ten.
"""

import json
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import StoreError
from ..video_io import read_frames
from .manifest import ClipLabels, ClipRow, StoreInfo
from .tables import CLIPS_SCHEMA, FRAMES_SCHEMA, ClipTable, labels_of, open_table
from .truth import read_truth

UNFINISHED = "unfinished.txt"
"""Holds the key of a store that is being written; gone when it is done."""


class Store:
    """A store opened for reading.

    Attributes:
        path: its folder.
        info: ``store.json``.
        clips: every :class:`ClipRow`, in order.
    """

    def __init__(self, path: Path, info: StoreInfo, clips: ClipTable, frames: pq.ParquetFile) -> None:
        self.path, self.info, self.clips = path, info, clips
        self._frames = frames
        groups = [frames.metadata.row_group(g).num_rows for g in range(frames.num_row_groups)]
        self._group_starts = np.concatenate([[0], np.cumsum(groups)]).tolist()
        self.frame_starts = np.concatenate([[0], np.cumsum(clips.column("frames"))]).astype(np.int64)
        self._group: tuple[int, pa.Table] | None = None

    def __reduce__(self) -> tuple[Callable[[Path], "Store"], tuple[Path]]:
        # Open files cannot be sent to a worker process; the folder's name can.
        return Store.open, (self.path,)

    @staticmethod
    def open(path: Path | str) -> "Store":
        """Open a store, checking its schema and that its tables belong together; no video is touched.

        Raises:
            StoreError: missing, half written, of another schema version, or inconsistent.
        """
        path = Path(path)
        file = path / "store.json"
        if not file.is_file():
            if (path / UNFINISHED).is_file():
                raise StoreError(
                    f"{path}: is not finished; repeat the command that was writing it, or remove it"
                )
            if (path / "frames.parquet").is_file():
                raise StoreError(f"{path}: half written (no store.json); remove it and run the command again")
            raise StoreError(f"{path}: is no clip store (no store.json in it)")
        try:
            info = StoreInfo.from_dict(json.loads(file.read_text(encoding="utf-8")), str(file))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"{file}: is not readable JSON ({error})") from None
        clips = ClipTable(open_table(path / "clips.parquet", CLIPS_SCHEMA).read())
        frames = open_table(path / "frames.parquet", FRAMES_SCHEMA)
        got, want = (len(clips), frames.metadata.num_rows), (info.clips, info.frames)
        if got != want or int(clips.column("frames").sum()) != info.frames:
            raise StoreError(
                f"{path}: the tables hold {got} clips and frames, store.json says {want}; make it again"
            )
        return Store(path, info, clips, frames)

    def split(self, name: str) -> list[ClipRow]:
        """The clips of one split, in order. May be empty."""
        return self.clips.split(name)

    def row(self, clip_id: str) -> ClipRow:
        """One clip's row. Raises StoreError where there is none of this id."""
        return self.clips[self.clips.position(clip_id)]

    def labels(self, clip_id: str) -> ClipLabels:
        """One clip's labels. Reading clip after clip in order touches each row group once.

        Raises:
            StoreError: unknown id, the table does not fit the store, or a label breaks the legend (the frame is
            named).
        """
        position = self.clips.position(clip_id)
        start, count = int(self.frame_starts[position]), self.clips[position].frames
        group = bisect_right(self._group_starts, start) - 1
        if self._group is None or self._group[0] != group:
            self._group = (group, self._frames.read_row_group(group))
        rows = self._group[1].slice(start - self._group_starts[group], count)
        if rows.column("clip_id").to_pylist() != [clip_id] * count:
            raise StoreError(
                f"{self.path / 'frames.parquet'}: rows of clip {clip_id} are not where they belong"
            )
        file = self.path / "frames.parquet"
        joints, expressions = len(self.info.skeleton.joints), len(self.info.expressions)
        try:
            labels = labels_of(rows, joints, expressions)
        except StoreError as error:
            raise StoreError(f"{file}: clip {clip_id}: {error}") from None
        try:
            return labels.validate(clip_id, joints, expressions)
        except StoreError as error:
            raise StoreError(f"{file}: {error}") from None

    def frames(self, clip_id: str) -> np.ndarray:
        """Decode one clip: uint8 [T, H, W, C], RGBA premultiplied.

        Raises:
            StoreError: the video is missing, truncated, or not what the table says.
        """
        row = self.row(clip_id)
        video = read_frames(self.video_file(row)).frames_u8
        want = (row.frames, row.height, row.width, self.info.channels)
        if video.shape != want:
            raise StoreError(f"{self.video_file(row)}: decodes to {video.shape}, expected {want}")
        return video

    def video_file(self, row: ClipRow) -> Path:
        """Where a clip's video lies."""
        return self.path / "video" / f"{row.id}{row.video}"

    def truth(self, clip_id: str) -> dict[str, np.ndarray] | None:
        """Exact arrays of one clip as :meth:`.store_writer.StoreWriter.add_clip` took them, or None where it has none.

        Raises:
            StoreError: the file is missing or damaged.
        """
        row = self.row(clip_id)
        if not row.truth_sha256:
            return None
        return read_truth(self.truth_file(row), (row.frames, row.height, row.width))

    def truth_file(self, row: ClipRow) -> Path:
        """Where a clip's exact arrays lie, if it has any."""
        return self.path / "truth" / f"{row.id}.npz"
