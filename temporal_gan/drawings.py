"""A folder of drawings of one character with hand-set keypoints, in the format of CharacterGAN (Hinz et al. 2022).

Three CSV files without headers lie beside the drawings: ``keypoints.csv`` has rows ``label,x,y,file`` (pixels, the
middle of the first pixel is 0), ``keypoints_skeleton.csv`` rows ``joint,neighbour,...``, and ``keypoints_layers.csv``
rows ``joint,layer`` (0 nearest). An animation is a text file that lists drawings in order, a line each.
"""

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from .errors import StoreError, UserError
from .pose_files import PoseSequence
from .skeletons import CANONICAL25, Skeleton
from .video_io import FOLDER_FPS, STILL_SUFFIXES, natural_key, read_picture

FRAMES_BETWEEN = 8
"""Frames from one listed drawing to the next: a third of a second at 24 frames per second."""


@dataclass(frozen=True)
class Drawings:
    """What such a folder holds.

    Attributes:
        files: N drawings, in natural order.
        skeleton: joints in the order of the skeleton file, with their layers.
        pixels: N arrays uint8 [H, W, C], C = 3, or 4 premultiplied where a drawing has alpha.
        keypoints: float32 [N, J, 2] in [0, 1] of each drawing's width and height.
        confidence: float32 [N, J], 1 where the file gives a keypoint, else 0.
    """

    files: tuple[Path, ...]
    skeleton: Skeleton
    pixels: tuple[np.ndarray, ...]
    keypoints: np.ndarray
    confidence: np.ndarray


def read_charactergan(folder: Path | str) -> Drawings:
    """Read the drawings and their keypoints.

    Raises:
        UserError: a file is missing, or a line of one is wrong; file and line are named.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    found = [f for f in folder.iterdir() if f.suffix.lower() in STILL_SUFFIXES and not f.name.startswith(".")]
    files = tuple(sorted(found, key=lambda f: natural_key(f.name)))
    if not files:
        raise UserError(f"{folder}: no drawings in this folder (looked for {' '.join(STILL_SUFFIXES)})")
    skeleton = read_skeleton(folder)
    pixels = tuple(read_picture(f) for f in files)
    sizes = {f.name: p.shape[1::-1] for f, p in zip(files, pixels, strict=True)}
    keypoints, confidence = read_keypoints(folder / "keypoints.csv", skeleton, sizes)
    return Drawings(files, skeleton, pixels, keypoints, confidence)


def read_animation(list_file: Path | str, side: int | None = None) -> PoseSequence:
    """The poses of the listed drawings, in order, joined smoothly.

    Between drawings each joint follows a monotone cubic (PCHIP: no overshoot, so limbs do not swing past a drawn
    pose); a joint that a listed drawing lacks is missing on the way to and from it.

    Args:
        list_file: beside the drawings; a file name a line.
        side: pixels of the square in whose middle the drawings lie unscaled; None: each one's longer side.
    Raises:
        UserError: an unknown drawing (its line is named), an empty list, or a faulty folder.
    """
    list_file = Path(list_file)
    if not list_file.is_file():
        raise UserError(f"{list_file}: no such file")
    drawings = read_charactergan(list_file.parent)
    names = [f.name for f in drawings.files]
    order = []
    for number, line in enumerate(list_file.read_text(encoding="utf-8").splitlines(), 1):
        name = line.strip()
        if name and name not in names:
            raise UserError(f"{list_file}:{number}: no drawing {name!r} beside it{did_you_mean(name, names)}")
        order += [names.index(name)] if name else []
    if not order:
        raise UserError(f"{list_file}: lists no drawing")
    extent = np.array([drawings.pixels[n].shape[1::-1] for n in order], np.float32)[:, None]
    square = extent.max(-1, keepdims=True) if side is None else side
    # In the square that networks are trained on, a drawing lies centred, to the whole pixel.
    keys = (drawings.keypoints[order] * extent + (square - extent) // 2) / square
    known = drawings.confidence[order] > 0
    times = np.arange(len(order) * FRAMES_BETWEEN - FRAMES_BETWEEN + 1) / FRAMES_BETWEEN
    before, after = np.floor(times).astype(int), np.ceil(times).astype(int)
    confidence = (known[before] & known[after]).astype(np.float32)
    keypoints = np.zeros((len(times), *keys.shape[1:]), np.float32)
    # A quarter of a second to import, which every command would wait for.
    from scipy.interpolate import PchipInterpolator

    for joint in range(keys.shape[1]):
        there = np.flatnonzero(known[:, joint])
        if len(there) > 1:
            keypoints[:, joint] = PchipInterpolator(there, keys[there, joint], extrapolate=True)(times)
        elif len(there):
            keypoints[:, joint] = keys[there[0], joint]
    layer = np.tile(np.array(drawings.skeleton.layers, np.int64), (len(times), 1))
    return PoseSequence(np.clip(keypoints, 0, 1), confidence, layer, FOLDER_FPS, drawings.skeleton)


def _rows(file: Path) -> Iterator[tuple[str, list[str]]]:
    """``file:line`` and the cells of every row that is not blank."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.reader(opened)
            for cells in reader:
                if any(c.strip() for c in cells):
                    yield f"{file}:{reader.line_num}", [c.strip() for c in cells]
    except FileNotFoundError:
        raise UserError(f"{file}: no such file; a CharacterGAN folder has it beside the drawings") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file}: is no CSV text ({error})") from None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Ending of an error message: the name most like a wrong one, or nothing."""
    near = get_close_matches(name, list(names), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _number(where: str, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{where}: {name} {text!r} is not a number")
    return value


def read_skeleton(folder: Path) -> Skeleton:
    """The joints that ``keypoints_skeleton.csv`` and ``keypoints_layers.csv`` of a folder declare.

    Raises:
        UserError: a file is missing, or a line of one is wrong; file and line are named.
    """
    rows = list(_rows(folder / "keypoints_skeleton.csv"))
    index: dict[str, int] = {}
    for where, cells in rows:
        if cells[0] in index or not cells[0]:
            raise UserError(f"{where}: joint {cells[0]!r} is empty or has a row already")
        index[cells[0]] = len(index)
    if not index:
        raise UserError(f"{folder / 'keypoints_skeleton.csv'}: no joints in this file")
    neighbours: list[list[int]] = [[] for _ in index]
    for where, (joint, *others) in rows:
        for other in filter(None, others):
            if other not in index or other == joint:
                raise UserError(
                    f"{where}: neighbour {other!r} of {joint!r} is not another joint of this file"
                )
            neighbours[index[joint]].append(index[other])
            neighbours[index[other]].append(index[joint])
    layers = dict.fromkeys(index, -1)
    for where, cells in _rows(folder / "keypoints_layers.csv"):
        if len(cells) < 2 or cells[0] not in index or layers[cells[0]] >= 0:
            got = ",".join(cells)
            raise UserError(
                f"{where}: expected joint,layer with each joint of the skeleton once, got {got!r}"
            )
        value = _number(where, "layer", cells[1])
        if value < 0 or value != int(value):
            raise UserError(f"{where}: layer {cells[1]!r} is not 0, 1, 2 ...")
        layers[cells[0]] = int(value)
    missing = [joint for joint, layer in layers.items() if layer < 0]
    if missing:
        raise UserError(f"{folder / 'keypoints_layers.csv'}: no row for {', '.join(missing)}")
    return Skeleton(
        name=folder.resolve().name,
        joints=tuple(index),
        edges=_edges(neighbours),
        flip_pairs=flip_pairs(tuple(index)),
        layers=tuple(layers.values()),
    )


def _edges(neighbours: list[list[int]]) -> tuple[tuple[int, int], ...]:
    """Each limb once, pointing away from the joint with most neighbours (the trunk), breadth first."""
    edges: dict[frozenset[int], tuple[int, int]] = {}
    reached: set[int] = set()
    for root in sorted(range(len(neighbours)), key=lambda j: (-len(set(neighbours[j])), j)):
        if root in reached:
            continue
        queue = [root]
        reached.add(root)
        for joint in queue:
            for other in neighbours[joint]:
                edges.setdefault(frozenset((joint, other)), (joint, other))
                if other not in reached:
                    reached.add(other)
                    queue.append(other)
    return tuple(edges.values())


def flip_pairs(joints: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Joints named alike but for left and right: Left-Hand / right_hand, hand_l / hand_r, L.hand / R.hand."""
    lower = {name.lower(): number for number, name in enumerate(joints)}
    pairs = []
    for name, number in lower.items():
        words = re.split(r"([^a-z0-9]+)", name)
        other = name.replace("left", "right")
        if other == name:
            other = "".join("r" if word == "l" else word for word in words)
        if other != name and other in lower:
            pairs.append((number, lower[other]))
    return tuple(pairs)


def read_keypoints(
    file: Path,
    skeleton: Skeleton,
    sizes: dict[str, tuple[int, int]],
    picture: str | None = None,
    plain: Callable[[str], str] = str,
    skip_others: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints of pictures from a CSV file of rows ``label,x,y,file``.

    Args:
        file: the CSV.
        skeleton: which labels there are, and their order.
        sizes: width and height of every picture by its file name; the N pictures are in this order.
        picture: whose joint a row without a fourth cell gives; None: such a row is wrong.
        plain: how labels are spelled in the skeleton.
        skip_others: pass over rows of files that are not among the pictures, which else are mistakes.
    Returns:
        float32 [N, J, 2] in [0, 1] of width and height, and confidence float32 [N, J], 1 where there is a row.
    Raises:
        UserError: file and line are named.
    """
    joints = {name: j for j, name in enumerate(skeleton.joints)}
    drawings = {name: n for n, name in enumerate(sizes)}
    points = np.zeros((len(sizes), len(joints), 2), np.float32)
    confidence = np.zeros((len(sizes), len(joints)), np.float32)
    lines: dict[tuple[str, str], str] = {}
    expected = "label,x,y,file" if picture is None else "label,x,y"
    for where, cells in _rows(file):
        name = cells[3] if len(cells) > 3 and cells[3] else picture
        if len(cells) < 3 or name is None:
            raise UserError(f"{where}: expected {expected}, got {','.join(cells)!r}")
        if skip_others and name not in drawings:
            continue
        label = plain(cells[0])
        if label not in joints:
            known = skeleton.name if skeleton == CANONICAL25 else "keypoints_skeleton.csv"
            hint = did_you_mean(label, joints)
            raise UserError(f"{where}: label {cells[0]!r} is not in {known}{hint}")
        if name not in drawings:
            raise UserError(f"{where}: no drawing {name!r} in {file.parent}{did_you_mean(name, drawings)}")
        if (label, name) in lines:
            raise UserError(f"{where}: {label!r} of {name!r} was given before, at {lines[label, name]}")
        lines[label, name] = where
        size = sizes[name]
        at = [_number(where, axis, text) for axis, text in zip("xy", cells[1:3], strict=True)]
        if not all(-0.5 <= value <= side for value, side in zip(at, size, strict=True)):
            raise UserError(
                f"{where}: {label!r} at ({cells[1]}, {cells[2]}) is outside {name!r}, {size[0]}x{size[1]}"
            )
        # A click on the far edge line gives x = width, half a pixel beyond the last one.
        points[drawings[name], joints[label]] = [
            min((v + 0.5) / s, 1.0) for v, s in zip(at, size, strict=True)
        ]
        confidence[drawings[name], joints[label]] = 1
    if not lines and not skip_others:
        raise StoreError(f"{file}: no keypoints in this file")
    return points, confidence
