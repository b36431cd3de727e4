"""The exact optical flow between the frames of a scene, and where it can be trusted."""

from dataclasses import dataclass

import cv2
import numpy as np

from .affine import invert
from .background import PREFIX
from .drawing import Part
from .rig import PICTURE

ALIKE_PX = 0.1
"""Parts whose motions differ by less than this, in pixels, may share an edge pixel: nothing is uncovered."""

_ON_CENTRE_PX = 1e-3
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class Flow:
    """Flow both ways; pixels (dx, dy).

    Attributes:
        forward: float32 [T-1, 2, S, S] on frame t's grid: frame t+1 sampled at x + forward[t](x) gives frame t.
        forward_valid: bool [T-1, 1, S, S].
        backward: float32 [T-1, 2, S, S] on frame t+1's grid: frame t sampled at x + backward[t](x) gives frame
            t+1.
        backward_valid: bool [T-1, 1, S, S].
    """

    forward: np.ndarray
    forward_valid: np.ndarray
    backward: np.ndarray
    backward_valid: np.ndarray


def exact_flow(parts: tuple[Part, ...], part_map: np.ndarray) -> Flow:
    """Flow of the visible surface and where it can be trusted.

    A pixel of part p moves by A'(inverse A (x)) - x, A and A' being its maps in this frame and in the other. It
    is valid where, in the other frame, all four pixels of its bilinear footprint are in the frame and show the
    same part (or one that moves alike), and where its own four neighbours do so now: an edge pixel mixes the
    colours of two surfaces, and when these move apart no single vector moves the mixture. What is covered or
    uncovered is thereby invalid, and so is what leaves or enters the frame.

    A part that changes its shape (mouth, lids, bending hair) has no valid pixels between the two frames: its
    outline moves as the shapes say, but nothing says where a point of its even colour goes. Nothing behind
    the parts, where they are transparent, stands still.

    Args:
        parts: in the order of the part map.
        part_map: uint8 [T, S, S].
    """
    frames, size, _ = part_map.shape
    ahead, behind = _motion_tables(parts, size)
    steady = np.stack([np.ones(frames - 1, bool), *(~part.changing() for part in parts)], axis=1)
    ground = np.array([True, *(part.name.startswith(PREFIX) for part in parts)])
    shape = (frames - 1, 2, size, size)
    flow = Flow(np.zeros(shape, np.float32), np.zeros((frames - 1, 1, size, size), bool),
                np.zeros(shape, np.float32), np.zeros((frames - 1, 1, size, size), bool))  # fmt: skip
    for t in range(frames - 1):
        now, then = part_map[t], part_map[t + 1]
        _one_way(flow.forward[t], flow.forward_valid[t, 0], now, then, ahead[t], behind[t], steady[t], ground)
        _one_way(
            flow.backward[t], flow.backward_valid[t, 0], then, now, behind[t], ahead[t], steady[t], ground
        )
    return flow


def _one_way(
    flow: np.ndarray,
    valid: np.ndarray,
    here: np.ndarray,
    there: np.ndarray,
    go: np.ndarray,
    come: np.ndarray,
    steady: np.ndarray,
    ground: np.ndarray,
) -> None:
    """Fill in flow [2, S, S], which is 0 everywhere, and valid [S, S].

    Args:
        here, there: part maps of this frame and of the other.
        go, come: displacement maps [6, P+1] of every label to the other frame, and back.
        steady: bool [P+1], the label keeps its shape.
        ground: bool [P+1], the label is background.
    """
    size = len(here)
    moving = np.take(go.any(axis=0), here)
    np.logical_and(here == there, steady[here], out=valid)
    # Where nothing moves near a pixel, all is said. Everything below is about the other pixels alone.
    at = np.flatnonzero(cv2.dilate(moving.view(np.uint8), _CROSS))
    if not len(at):
        return
    here, there = here.ravel(), there.ravel()
    label = here[at]
    row, column = np.divmod(at, size)
    x, y = column.astype(np.float32), row.astype(np.float32)
    dx, dy = _displacement(go, label, x, y)
    flat = flow.reshape(2, -1)
    flat[0, at], flat[1, at] = dx, dy
    good = steady[label]
    for step, exists in ((-1, column > 0), (1, column < size - 1), (-size, row > 0), (size, row < size - 1)):
        beside = at + step * exists
        other = np.flatnonzero(here[beside] != label)
        apart = np.hypot(flat[0, beside[other]] - dx[other], flat[1, beside[other]] - dy[other])
        good[other[apart >= ALIKE_PX]] = False
    target_x, target_y = _snapped(x + dx), _snapped(y + dy)
    floor_x, floor_y = np.floor(target_x), np.floor(target_y)
    wide, tall = target_x > floor_x, target_y > floor_y
    good &= (floor_x >= 0) & (floor_y >= 0) & (target_x <= size - 1) & (target_y <= size - 1)
    left = np.clip(floor_x, 0, size - 1).astype(np.int64)
    top = np.clip(floor_y, 0, size - 1).astype(np.int64)
    right, bottom = np.minimum(left + wide, size - 1), np.minimum(top + tall, size - 1)
    for cx, cy in ((left, top), (right, top), (left, bottom), (right, bottom)):
        seen = there[cy * size + cx]
        other = np.flatnonzero((seen != label) & good)
        seen = seen[other]
        back_x, back_y = _displacement(come, seen, cx[other].astype(np.float32), cy[other].astype(np.float32))
        drift = np.hypot(dx[other] + back_x, dy[other] + back_y)
        # Background does not move along with anything: what covers it, however slowly, hides it.
        alike = (drift < ALIKE_PX) & steady[seen] & (~ground[label[other]] | ground[seen])
        good[other[~alike]] = False
    valid.ravel()[at] = good


def _motion_tables(parts: tuple[Part, ...], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Displacement maps float32 [T-1, 6, P+1] of nothing (still) and the parts: t to t+1, and t+1 back to t."""
    maps = np.stack([part.to_picture for part in parts], axis=1) * (size / PICTURE)
    maps[..., 2] -= 0.5
    frames, count = maps.shape[:2]
    inverse = invert(maps.reshape(-1, 2, 3)).reshape(maps.shape)
    tables = []
    for outer, inner in ((maps[1:], inverse[:-1]), (maps[:-1], inverse[1:])):
        linear = outer[..., :2] @ inner[..., :2]
        moved = outer[..., :2] @ inner[..., 2:] + outer[..., 2:]
        table = np.concatenate([linear, moved], axis=-1) - np.eye(2, 3)
        table[np.abs(table) < 1e-9] = 0.0
        whole = np.zeros((frames - 1, 6, count + 1), np.float32)
        whole[:, :, 1:] = table.reshape(frames - 1, count, 6).swapaxes(1, 2)
        tables.append(whole)
    return tables[0], tables[1]


def _displacement(
    table: np.ndarray, label: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """[N] displacements of pixels under their labels' maps, from a table [6, P+1]."""
    rows = table.take(label, axis=1)
    return rows[0] * x + rows[1] * y + rows[2], rows[3] * x + rows[4] * y + rows[5]


def _snapped(target: np.ndarray) -> np.ndarray:
    """A target on a pixel's centre reads that pixel alone; its neighbour has no weight."""
    nearest = np.rint(target)
    return np.where(np.abs(target - nearest) < _ON_CENTRE_PX, nearest, target)
