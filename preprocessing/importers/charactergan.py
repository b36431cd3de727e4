"""A folder of drawings with hand-set keypoints, in the format of CharacterGAN (Hinz et al. 2022) -> clip
store.

Three CSV files without headers lie beside the drawings: ``keypoints.csv`` has rows ``label,x,y,file``
(pixels, the middle of the first pixel is 0), ``keypoints_skeleton.csv`` rows ``joint,neighbour,...``, and
``keypoints_layers.csv`` rows ``joint,layer`` (0 nearest).
"""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from temporal_gan.data.manifest import ClipLabels, ClipRow, StoreInfo, sha256_of
from temporal_gan.data.store import StoreWriter
from temporal_gan.errors import StoreError, UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import Skeleton
from temporal_gan.video_io import FOLDER_FPS, STILL_SUFFIXES, natural_key, read_picture


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
    skeleton = _read_skeleton(folder)
    pixels = tuple(read_picture(f) for f in files)
    sizes = {f.name: p.shape[1::-1] for f, p in zip(files, pixels, strict=True)}
    keypoints, confidence = _read_keypoints(folder / "keypoints.csv", skeleton, sizes)
    return Drawings(files, skeleton, pixels, keypoints, confidence)


def import_charactergan(
    folder: Path | str, out: Path | str, hold_out: Sequence[str] = (), licence: str = ""
) -> StoreInfo:
    """Write a store with one clip of one frame per drawing.

    Args:
        folder: the drawings; its name becomes the character's.
        out: folder of the new store.
        hold_out: file names of the drawings for the test split; all others train.
        licence: of the drawings; "" = unknown.
    Returns:
        the store's description. Expressions are the built-in list, not labelled. Drawings may differ in size.
    Raises:
        UserError: see :func:`read_charactergan`; also a held-out name that is no drawing, or that leaves
        none.
    """
    drawings = read_charactergan(folder)
    names = [f.name for f in drawings.files]
    for name in hold_out:
        if name not in names:
            raise UserError(f"--hold-out: no drawing {name!r} in {folder}{_did_you_mean(name, names)}")
    if set(names) <= set(hold_out):
        raise UserError(f"--hold-out: all {len(names)} drawings are held out, so none is left to train on")
    alpha = any(p.shape[-1] == 4 for p in drawings.pixels)
    sizes = {p.shape[1::-1] for p in drawings.pixels}
    size = sizes.pop() if len(sizes) == 1 else None
    joints, blank = len(drawings.skeleton.joints), np.zeros((1, len(EXPRESSIONS)), np.float32)
    character = Path(folder).resolve().name
    with StoreWriter(out, drawings.skeleton, EXPRESSIONS, FOLDER_FPS, size, 4 if alpha else 3) as writer:
        for number, (file, clip_id) in enumerate(zip(drawings.files, _clip_ids(drawings.files), strict=True)):
            row = ClipRow(
                id=clip_id,
                character=character,
                split="test" if file.name in hold_out else "train",
                source=file.name,
                licence=licence,
                sha256=sha256_of(file),
            )
            labels = ClipLabels(
                keypoints=drawings.keypoints[number][None],
                confidence=drawings.confidence[number][None],
                layer=np.array(drawings.skeleton.layers, np.int64).reshape(1, joints),
                expression=blank,
                expression_confidence=blank,
                time=np.zeros(1),
                hold=np.zeros(1, np.int64),
                origin="imported",
            )
            frame = drawings.pixels[number]
            if alpha and frame.shape[-1] == 3:
                frame = np.concatenate([frame, np.full_like(frame[..., :1], 255)], axis=-1)
            writer.add_clip(row, frame[None], labels)
        return writer.close()


def _clip_ids(files: Sequence[Path]) -> Iterator[str]:
    """File stems as plain ids; a stem that nothing is left of, or that another became, gets a number."""
    taken: set[str] = set()
    for file in files:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", file.stem).strip("_.-")[:100] or "drawing"
        name, number = stem, 2
        while name.lower() in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name.lower())
        yield name


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


def _did_you_mean(name: str, names: Iterable[str]) -> str:
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


def _read_skeleton(folder: Path) -> Skeleton:
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
        flip_pairs=_flip_pairs(index),
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


def _flip_pairs(index: dict[str, int]) -> tuple[tuple[int, int], ...]:
    """Joints named alike but for left and right: Left-Hand / right_hand, hand_l / hand_r, L.hand / R.hand."""
    lower = {name.lower(): number for name, number in index.items()}
    pairs = []
    for name, number in lower.items():
        words = re.split(r"([^a-z0-9]+)", name)
        other = name.replace("left", "right")
        if other == name:
            other = "".join("r" if word == "l" else word for word in words)
        if other != name and other in lower:
            pairs.append((number, lower[other]))
    return tuple(pairs)


def _read_keypoints(
    file: Path, skeleton: Skeleton, sizes: dict[str, tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    joints = {name: j for j, name in enumerate(skeleton.joints)}
    drawings = {name: n for n, name in enumerate(sizes)}
    points = np.zeros((len(sizes), len(joints), 2), np.float32)
    confidence = np.zeros((len(sizes), len(joints)), np.float32)
    lines: dict[tuple[str, str], str] = {}
    for where, cells in _rows(file):
        if len(cells) < 4:
            raise UserError(f"{where}: expected label,x,y,file, got {','.join(cells)!r}")
        label, name = cells[0], cells[3]
        if label not in joints:
            hint = _did_you_mean(label, joints)
            raise UserError(f"{where}: label {label!r} is not in keypoints_skeleton.csv{hint}")
        if name not in drawings:
            raise UserError(f"{where}: no drawing {name!r} in {file.parent}{_did_you_mean(name, drawings)}")
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
    if not lines:
        raise StoreError(f"{file}: no keypoints in this file")
    return points, confidence
