"""Labelled drawings of one character (temporal_gan.drawings) as a clip store."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np

from ..drawings import Drawings, did_you_mean
from ..errors import UserError
from ..expressions import EXPRESSIONS
from ..video_io import FOLDER_FPS
from .manifest import ClipLabels, ClipRow, StoreInfo, sha256_of
from .store_writer import StoreWriter


def write_drawing_store(
    drawings: Drawings, out: Path | str, hold_out: Sequence[str] = (), licence: str = ""
) -> StoreInfo:
    """Write a store with one clip of one frame per drawing.

    Args:
        drawings: of one character, named as their skeleton.
        out: folder of the new store.
        hold_out: file names of the drawings for the test split; all others train.
        licence: of the drawings; "" = unknown.
    Returns:
        the store's description. Expressions are the built-in list, not labelled. Drawings may differ in size.
    Raises:
        UserError: a held-out name that is no drawing, or that leaves none.
    """
    folder = drawings.files[0].parent
    names = [f.name for f in drawings.files]
    for name in hold_out:
        if name not in names:
            raise UserError(f"--hold-out: no drawing {name!r} in {folder}{did_you_mean(name, names)}")
    if set(names) <= set(hold_out):
        raise UserError(f"--hold-out: all {len(names)} drawings are held out, so none is left to train on")
    alpha = any(p.shape[-1] == 4 for p in drawings.pixels)
    sizes = {p.shape[1::-1] for p in drawings.pixels}
    size = sizes.pop() if len(sizes) == 1 else None
    joints, blank = len(drawings.skeleton.joints), np.zeros((1, len(EXPRESSIONS)), np.float32)
    character = drawings.skeleton.name
    with StoreWriter(out, drawings.skeleton, EXPRESSIONS, FOLDER_FPS, size, 4 if alpha else 3) as writer:
        for number, (file, clip_id) in enumerate(zip(drawings.files, clip_ids(drawings.files), strict=True)):
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


def lay_in_squares(drawings: Drawings, side: int) -> Drawings:
    """The same drawings with alpha, unscaled, each in the middle of a transparent square.

    Args:
        drawings: RGBA, none larger than the square.
        side: pixels of it.
    """
    squares, keypoints = [], drawings.keypoints.copy()
    for number, pixels in enumerate(drawings.pixels):
        height, width, _ = pixels.shape
        left, top = (side - width) // 2, (side - height) // 2
        square = np.zeros((side, side, 4), np.uint8)
        square[top : top + height, left : left + width] = pixels
        squares.append(square)
        keypoints[number] = (keypoints[number] * (width, height) + (left, top)) / side
    return replace(drawings, pixels=tuple(squares), keypoints=keypoints)


def clip_ids(files: Sequence[PurePath]) -> Iterator[str]:
    """File stems as plain ids; a stem that nothing is left of, or that another became, gets a number."""
    taken: set[str] = set()
    for file in files:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", file.stem).strip("_.-")[:100] or "drawing"
        name, number = stem, 2
        while name.lower() in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name.lower())
        yield name
