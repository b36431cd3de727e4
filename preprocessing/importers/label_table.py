"""Labels of one clip as a CSV table that people can read and write by hand, and that loses nothing.

A header names the columns, in any order; what a row does not need is empty or left out. Lines that begin with ``#`` are
comments. ``kind`` says what a row is, nothing means ``joint``:

==================  =====================================================================================
joint               ``frame`` ``name`` ``x`` ``y`` [``confidence``] [``layer``]
expression          ``frame`` ``name`` ``value`` [``confidence``]
left_hand           ``frame`` ``name`` ``x`` ``y`` [``confidence``]; the name is 0 to 20, as MediaPipe counts
right_hand          the same
face                the same; the name is 0, 1, 2 ...
frame               ``frame`` [``time``] [``hold``] [``origin``]; for a frame without any joint it stands alone
skeleton            ``name``: the joints are not canonical25 but those of the following rows
skeleton_joint      ``name`` [``layer``]
edge, flip_pair     ``name`` ``other``
==================  =====================================================================================

``frame`` counts from 0; ``x`` and ``y`` are fractions of width and height; confidence is 1 where not given; a joint of
confidence 0 is missing, one without a row is not labelled; ``time`` is in seconds.
"""

import csv
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from temporal_gan.data.manifest import ORIGINS, OUT_OF_FRAME
from temporal_gan.drawings import did_you_mean
from temporal_gan.errors import UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import CANONICAL25, Skeleton, canonical_name
from temporal_gan.video_io import natural_key

from ..label_track import LabelTrack

COLUMNS = (
    "frame",
    "kind",
    "name",
    "other",
    "x",
    "y",
    "value",
    "confidence",
    "layer",
    "time",
    "hold",
    "origin",
)
KINDS = (
    "joint", "expression", "left_hand", "right_hand", "face", "frame", "skeleton", "skeleton_joint", "edge",
    "flip_pair",
)  # fmt: skip
HANDS = ("left_hand", "right_hand")
_FACE_POINTS = 1000
_MOST_FRAMES = 10**9
_MOST_LAYERS = 2**15


@dataclass(frozen=True)
class _Row:
    where: str
    cells: dict[str, str]

    @property
    def kind(self) -> str:
        return self.cells.get("kind") or "joint"

    def text(self, column: str) -> str:
        value = self.cells.get(column, "")
        if not value:
            raise UserError(f"{self.where}: a row of kind {self.kind} needs {column!r}")
        return value

    def whole(self, column: str, most: int) -> int:
        text = self.text(column)
        if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) >= most:
            raise UserError(f"{self.where}: {column} {text!r:.40} is not a whole number from 0 to {most - 1}")
        return int(text)

    def number(self, column: str, low: float, high: float) -> float:
        text = self.text(column)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise UserError(f"{self.where}: {column} {text!r:.40} is not a number from {low:g} to {high:g}")
        return value

    def confidence(self) -> float:
        return self.number("confidence", 0, 1) if self.cells.get("confidence") else 1.0

    def point(self) -> tuple[float, float, float]:
        sure = self.confidence()
        x, y = (self.number(axis, -OUT_OF_FRAME, 1 + OUT_OF_FRAME) for axis in "xy")
        if sure and not (0 <= x <= 1 and 0 <= y <= 1):
            raise UserError(
                f"{self.where}: ({x:g}, {y:g}) is outside the picture, fractions from 0 to 1 of its width and height; "
                "give what is out of the picture confidence 0"
            )
        return x, y, sure


def read_label_table(path: Path) -> dict[str, LabelTrack]:
    """Read one table (key "") or a folder of them (keys: relative paths without ``.csv``).

    Raises:
        UserError: file and line.
    """
    if not path.is_dir():
        return {"": _read(path)}
    files = sorted(path.rglob("*.csv"), key=lambda file: natural_key(str(file)))
    if not files:
        raise UserError(f"{path}: no .csv files in this folder")
    return {file.relative_to(path).with_suffix("").as_posix(): _read(file) for file in files}


def _read(file: Path) -> LabelTrack:
    rows: dict[str, list[_Row]] = {kind: [] for kind in KINDS}
    for row in _rows(file):
        if row.kind not in rows:
            raise UserError(f"{row.where}: kind {row.kind!r:.40} is not one of: {', '.join(KINDS)}")
        rows[row.kind].append(row)
    skeleton = _skeleton(rows)
    by_frame = [row for kind in KINDS[:6] for row in rows[kind]]
    numbers = sorted({row.whole("frame", _MOST_FRAMES) for row in by_frame})
    if not numbers:
        raise UserError(f"{file}: no rows of labels below the header")
    place = {number: index for index, number in enumerate(numbers)}
    count = len(numbers)

    plain = canonical_name if skeleton == CANONICAL25 else str
    joints = {name: index for index, name in enumerate(skeleton.joints)}
    points = np.zeros((count, len(joints), 3))
    layer = np.tile(np.array(skeleton.layers, np.int64), (count, 1))
    spoken = {row.whole("frame", _MOST_FRAMES) for kind in KINDS[:5] for row in rows[kind]}
    alone = np.array([number not in spoken for number in numbers])
    told = np.tile(alone[:, None], (1, len(joints)))
    for (frame, joint), row in _once(rows["joint"], joints, f"skeleton {skeleton.name}", plain).items():
        told[place[frame], joint] = True
        points[place[frame], joint] = row.point()
        if row.cells.get("layer"):
            layer[place[frame], joint] = row.whole("layer", _MOST_LAYERS)
    names = {name: index for index, name in enumerate(EXPRESSIONS)}
    expression = np.zeros((2, count, len(EXPRESSIONS)), np.float32)
    for (frame, channel), row in _once(rows["expression"], names, "the expressions", str).items():
        expression[:, place[frame], channel] = row.number("value", 0, 1), row.confidence()
    hand_names = {str(number): number for number in range(21)}
    hands = np.zeros((count, 2, 21, 3), np.float32)
    hands_told = np.tile(alone[:, None, None], (1, 2, 21))
    for side, kind in enumerate(HANDS):
        for (frame, point), row in _once(rows[kind], hand_names, "0 to 20", str).items():
            hands[place[frame], side, point] = row.point()
            hands_told[place[frame], side, point] = True
    face_names = {str(number): number for number in range(_FACE_POINTS)}
    face_rows = _once(rows["face"], face_names, f"0 to {_FACE_POINTS - 1}", str)
    face = np.zeros((count, max((point for _, point in face_rows), default=-1) + 1, 3), np.float32)
    for (frame, point), row in face_rows.items():
        face[place[frame], point] = row.point()
    frames = {
        frame: row for (frame, _), row in _once(rows["frame"], {"": 0}, "nothing", lambda _: "").items()
    }
    times = _of_every_frame(file, frames, numbers, "time")
    holds = _of_every_frame(file, frames, numbers, "hold")
    return LabelTrack(
        frame=np.array(numbers, np.int64),
        keypoints=points[..., :2].astype(np.float32),
        confidence=points[..., 2].astype(np.float32),
        skeleton=skeleton,
        layer=layer if any(row.cells.get("layer") for row in rows["joint"]) else None,
        expression=expression[0] if rows["expression"] else None,
        expression_confidence=expression[1] if rows["expression"] else None,
        hands=hands if rows["left_hand"] or rows["right_hand"] else None,
        face_points=face if face_rows else None,
        origin=tuple(_origin(frames.get(number)) for number in numbers),
        time=None if times is None else _growing([row.number("time", 0, 1e9) for row in times], times),
        hold=None if holds is None else np.array([row.whole("hold", 2**53) for row in holds], np.int64),
        missing=told & (points[..., 2] == 0),
        hands_missing=hands_told & (hands[..., 2] == 0),
    )


def _rows(file: Path) -> Iterator[_Row]:
    header: list[str] = []
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.reader(opened)
            for cells in reader:
                cells = [cell.strip() for cell in cells]
                where = f"{file}:{reader.line_num}"
                if not any(cells) or cells[0].startswith("#"):
                    continue
                if not header:
                    header = _header(where, cells)
                elif len(cells) > len(header):
                    raise UserError(f"{where}: {len(cells)} cells, but the header has {len(header)}")
                else:
                    yield _Row(where, dict(zip(header, cells, strict=False)))
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file}: is no CSV in UTF-8 ({error})") from None


def _header(where: str, cells: list[str]) -> list[str]:
    for cell in cells:
        if cell not in COLUMNS or cells.count(cell) > 1:
            what = "twice" if cell in COLUMNS else f"not one of: {', '.join(COLUMNS)}"
            raise UserError(
                f"{where}: column {cell!r:.40} of the header is {what}{did_you_mean(cell, COLUMNS)}"
            )
    for needed in ("frame", "name"):
        if needed not in cells:
            raise UserError(
                f"{where}: the header has no column {needed!r}; it begins for example frame,name,x,y"
            )
    return cells


def _skeleton(rows: dict[str, list[_Row]]) -> Skeleton:
    if not rows["skeleton"]:
        for kind in ("skeleton_joint", "edge", "flip_pair"):
            if rows[kind]:
                raise UserError(f"{rows[kind][0].where}: a row of kind {kind}, but none of kind skeleton")
        return CANONICAL25
    if len(rows["skeleton"]) > 1:
        raise UserError(f"{rows['skeleton'][1].where}: a second skeleton")
    layers: dict[str, int] = {}
    for row in rows["skeleton_joint"]:
        name = row.text("name")
        if name in layers:
            raise UserError(f"{row.where}: joint {name!r} has a row already")
        layers[name] = row.whole("layer", _MOST_LAYERS) if row.cells.get("layer") else 1
    index = {name: number for number, name in enumerate(layers)}
    pairs: dict[str, list[tuple[int, int]]] = {"edge": [], "flip_pair": []}
    for kind, found in pairs.items():
        for row in rows[kind]:
            ends = row.text("name"), row.text("other")
            for end in ends:
                if end not in index:
                    raise UserError(f"{row.where}: {end!r} has no row of kind skeleton_joint")
            found.append((index[ends[0]], index[ends[1]]))
    name = rows["skeleton"][0].text("name")
    if not layers:
        raise UserError(f"{rows['skeleton'][0].where}: no rows of kind skeleton_joint for {name!r}")
    return Skeleton(
        name, tuple(layers), tuple(pairs["edge"]), tuple(pairs["flip_pair"]), tuple(layers.values())
    )


def _once(
    rows: list[_Row], names: dict[str, int], among: str, plain: Callable[[str], str]
) -> dict[tuple[int, int], _Row]:
    """(frame, index of the name) -> row. Raises UserError: unknown name, or the same one twice in a frame."""
    found: dict[tuple[int, int], _Row] = {}
    for row in rows:
        name = plain(row.cells.get("name", ""))
        if name not in names:
            hint = did_you_mean(name, names)
            raise UserError(
                f"{row.where}: {row.kind} {row.cells.get('name', '')!r:.60} is not in {among}{hint}"
            )
        key = row.whole("frame", _MOST_FRAMES), names[name]
        if key in found:
            raise UserError(f"{row.where}: frame {key[0]} has this {row.kind} already, at {found[key].where}")
        found[key] = row
    return found


def _of_every_frame(
    file: Path, frames: dict[int, _Row], numbers: list[int], column: str
) -> list[_Row] | None:
    if not any(row.cells.get(column) for row in frames.values()):
        return None
    for number in numbers:
        if number not in frames or not frames[number].cells.get(column):
            raise UserError(f"{file}: frame {number} has no {column}, but others have; give all or none")
    return [frames[number] for number in numbers]


def _growing(times: list[float], rows: list[_Row]) -> np.ndarray:
    for before, after, row in zip(times, times[1:], rows[1:], strict=False):
        if after <= before:
            raise UserError(f"{row.where}: time {after:g} does not grow from the frame before, {before:g}")
    return np.array(times, np.float64)


def _origin(row: _Row | None) -> str:
    origin = (row.cells.get("origin") if row else "") or "imported"
    if row and origin not in ORIGINS:
        raise UserError(f"{row.where}: origin {origin!r:.40} is not one of: {', '.join(ORIGINS)}")
    return origin
