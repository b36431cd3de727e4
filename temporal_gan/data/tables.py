"""The two parquet tables of a store: their columns, and the way from rows to objects and back."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import StoreError
from .manifest import SCHEMA_VERSION, ClipLabels, ClipRow

_ARROW_TYPES = {str(str): pa.string(), str(float): pa.float64(), str(int): pa.int64()}
CLIPS_SCHEMA = pa.schema(
    [
        (f.name, pa.list_(pa.string()) if f.name == "flags" else _ARROW_TYPES[str(f.type)])
        for f in fields(ClipRow)
    ]
)

FRAMES_SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("frame", pa.int32()),
        ("time", pa.float64()),
        ("hold", pa.int64()),
        ("keypoints", pa.list_(pa.float32())),  # x0 y0 x1 y1 ..., in [0, 1] of width and height
        ("confidence", pa.list_(pa.float32())),
        ("layer", pa.list_(pa.int16())),
        ("expression", pa.list_(pa.float32())),
        ("expression_confidence", pa.list_(pa.float32())),
        ("origin", pa.string()),
    ]
)
_LOOSE = 64
_LISTS = tuple(f.name for f in FRAMES_SCHEMA if pa.types.is_list(f.type))


class ClipTable(Sequence[ClipRow]):
    """The clips of a store in order, kept as an arrow table: rows are made when they are asked for."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._index: dict[str, int] | None = None

    def __len__(self) -> int:
        return self._table.num_rows

    def __getitem__(self, index: int) -> ClipRow:  # type: ignore[override]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return _rows(self._table.slice(index % len(self), 1))[0]

    def __iter__(self) -> Iterator[ClipRow]:
        for batch in self._table.to_batches(max_chunksize=1024):
            yield from _rows(batch)

    def split(self, name: str) -> list[ClipRow]:
        """The clips of one split, in order."""
        return _rows(self._table.filter(pc.equal(self._table.column("split"), name)))

    def column(self, name: str) -> np.ndarray:
        """One field of every clip, as an array."""
        return self._table.column(name).to_numpy()

    def position(self, clip_id: str) -> int:
        """Where a clip stands. Raises StoreError where there is none of this id."""
        if self._index is None:
            self._index = {name: i for i, name in enumerate(self._table.column("id").to_pylist())}
        if clip_id not in self._index:
            some = ", ".join(self._table.column("id")[:3].to_pylist())
            raise StoreError(f"no clip {clip_id!r} among {len(self)} (the first: {some})")
        return self._index[clip_id]


def _rows(table: pa.Table) -> list[ClipRow]:
    return [ClipRow(**v | {"flags": tuple(v["flags"] or ())}).validate() for v in table.to_pylist()]


class TableWriter:
    """Writes a parquet file in row groups of at least ``group`` rows; what is added at once stays in one
    group.

    Attributes:
        rows: added so far.
    """

    def __init__(self, file: Path, schema: pa.Schema, group: int) -> None:
        self._writer = pq.ParquetWriter(file, schema)
        self._group = group
        self._waiting: list[pa.RecordBatch] = []
        self._written = 0
        self.rows = 0

    def add(self, rows: pa.RecordBatch) -> None:
        """Append rows."""
        self._waiting.append(rows)
        self.rows += len(rows)
        if self.rows - self._written >= self._group:
            self._flush()
        elif len(self._waiting) >= _LOOSE:
            # Many batches of a row or two take many times the memory of one that holds the same rows.
            self._waiting = pa.Table.from_batches(self._waiting).combine_chunks().to_batches()

    def close(self) -> None:
        """Write what waits, and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting).combine_chunks()
            self._writer.write_table(table, row_group_size=len(table))
        self._waiting, self._written = [], self.rows


def frame_rows(clip: str, labels: ClipLabels) -> pa.RecordBatch:
    """Rows of ``frames.parquet`` for one clip."""
    frames = len(labels.time)
    columns = {
        "clip_id": [clip] * frames,
        "frame": np.arange(frames, dtype=np.int32),
        "time": labels.time.astype(np.float64),
        "hold": labels.hold.astype(np.int64),
        "origin": list(labels.origins()),
    }
    for name in _LISTS:
        kind = FRAMES_SCHEMA.field(name).type
        values = pa.array(getattr(labels, name).reshape(-1)).cast(kind.value_type)
        # Offsets, not a size: a store without expressions has lists of length 0.
        width = len(values) // frames
        columns[name] = pa.ListArray.from_arrays(
            pa.array(np.arange(frames + 1, dtype=np.int32) * width), values
        )
    return pa.RecordBatch.from_arrays(
        [
            pa.array(columns[f.name], f.type) if f.name not in _LISTS else columns[f.name]
            for f in FRAMES_SCHEMA
        ],
        schema=FRAMES_SCHEMA,
    )


def labels_of(rows: pa.Table, joints: int, expressions: int) -> ClipLabels:
    """Inverse of :func:`frame_rows`. Raises StoreError where a list has not the length it should have."""
    count = len(rows)
    shapes: dict[str, tuple[int, ...]] = {
        "keypoints": (count, joints, 2),
        "confidence": (count, joints),
        "layer": (count, joints),
        "expression": (count, expressions),
        "expression_confidence": (count, expressions),
    }
    lists = {}
    for name, shape in shapes.items():
        flat = rows.column(name).combine_chunks().flatten().to_numpy(zero_copy_only=False)
        if flat.size != np.prod(shape):
            raise StoreError(f"{name} has {flat.size} numbers, expected {shape}")
        lists[name] = flat.astype(np.int64 if name == "layer" else np.float32).reshape(shape)
    return ClipLabels(
        **lists,
        time=rows.column("time").to_numpy().astype(np.float64),
        hold=rows.column("hold").to_numpy().astype(np.int64),
        origin=tuple(rows.column("origin").to_pylist()),
    )


def open_table(file: Path, schema: pa.Schema) -> pq.ParquetFile:
    """Open a parquet file of these columns. Raises StoreError: missing, damaged, or of other columns."""
    if not file.is_file():
        raise StoreError(f"{file}: is missing; make the store again")
    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise StoreError(f"{file}: is truncated or damaged ({error}); make the store again") from None
    if not table.schema_arrow.equals(schema):
        got = set(table.schema_arrow.names) ^ set(schema.names)
        raise StoreError(
            f"{file}: columns differ from schema version {SCHEMA_VERSION}: {sorted(got) or 'types'}"
        )
    return table
