"""Motions over time: what a user types, each motion's curves, and the smooth way from one motion to the next.

``walk@speed=1.2,amplitude=0.8,style=0.5``; ``walk>wave>idle`` gives each an equal share of the clip;
``bvh:FILE`` and ``openpose:FOLDER`` are a user's own motions.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator

from ..errors import UserError
from .capture import SOURCES, read_capture
from .channels import BODY_CHANNELS, CHANNELS, LIMB_CHANNELS, Keys, Motion, Pose, mirrored
from .gait import feet, walked
from .repertoire import MOTIONS

BREATHS_PER_SEC = 0.3
FADE_SEC = 0.5
"""How long one motion takes to pass into the next, where its share of the clip allows."""

_RANGES = {"speed": (0.1, 4.0), "amplitude": (0.0, 1.5), "style": (-1.0, 1.0), "phase": (0.0, 1.0)}

_DEFAULTS: dict[str, float | Keys] = {"pin": 1.0, "foot_turn": 0.32, "foot_out": 0.7, "hip_height": -0.4}

_DRAG_SEC = {
    "head_yaw": -0.07, "head_roll": 0.03, "twist": 0.02, "elbow_bend": 0.04, "elbow_out": 0.05, "hand_open": 0.04,
    "stretch": 0.02,
}  # fmt: skip
"""Overlapping action: how much later than the body a channel moves. The head leads a turn."""

_FROM_ZERO = ("jump", "foot_lift", "foot_pitch", "hip_height", "reach_out")
_UNSCALED = (
    "pin",
    "reach",
    "heading",
    "hand_open",
    "hand_point",
    "foot_turn",
    "foot_out",
    "foot_forward",
    "reach_forward",
)
_JUMP_AMPLITUDE = 1.15
_TABLE_SIZE = 512


@dataclass(frozen=True)
class Step:
    """One motion of a specification.

    Attributes:
        name: one of MOTIONS, or ``bvh:FILE`` or ``openpose:FOLDER``.
        speed: a factor on its pace.
        amplitude: a factor on its swing.
        style: -1 soft and lazy, 1 snappy and energetic.
        phase: added to where in the cycle it begins, in cycles.
    """

    name: str
    speed: float = 1.0
    amplitude: float = 1.0
    style: float = 0.0
    phase: float = 0.0


@lru_cache(maxsize=1024)
def parse_motion(spec: str) -> tuple[Step, ...]:
    """The steps of a motion specification.

    Args:
        spec: names joined by ``>``, each with options after ``@``: ``walk@speed=1.2,style=0.5>idle``. Names are
            those of MOTIONS (``sit_down`` is read as ``sit-down``), ``bvh:FILE`` and ``openpose:FOLDER``.
    Raises:
        UserError: an unknown name (the message lists the valid ones), or a wrong option.
    """
    return tuple(_parse_step(text.strip(), spec) for text in spec.split(">"))


def find_motion(name: str) -> Motion:
    """The motion of this name. Raises UserError listing the valid names."""
    if name not in MOTIONS:
        raise UserError(
            f"puppet motion {name!r} is not one of: {', '.join(MOTIONS)}; or bvh:FILE, openpose:FOLDER"
        )
    return MOTIONS[name]


def motion_pose(
    spec: str,
    time: np.ndarray,
    speed: np.ndarray | float = 1.0,
    amplitude: np.ndarray | float = 1.0,
    phase: float = 0.0,
    other_side: bool = False,
    end_sec: float | None = None,
) -> Pose:
    """Pose of a motion over time.

    Args:
        spec: see :func:`parse_motion`.
        time: float [T], seconds, never falling; before 0 the first motion is on.
        speed: a factor on the motion's own pace, or [T] of them (the phase is their integral).
        amplitude: a factor on the swing of every channel about its middle, or [T] of them.
        phase: where in the cycle time 0 lies, in cycles; a single performance begins at most a tenth of it late.
        other_side: turns motions that know two sides to the viewer's left.
        end_sec: length of the clip that steps share; None: up to the last time.
    Returns:
        channel -> float64 [T].
    Raises:
        UserError: see :func:`parse_motion`; a file cannot be read.
    """
    steps = parse_motion(spec)
    time = np.asarray(time, float)
    pace = np.broadcast_to(np.asarray(speed, float), time.shape)
    wide = np.broadcast_to(np.asarray(amplitude, float), time.shape)
    moved = np.diff(time) * 0.5 * (pace[1:] + pace[:-1])
    clock = time[0] * pace[0] + np.concatenate([[0.0], np.cumsum(moved)])
    share = (time[-1] if end_sec is None else end_sec) / len(steps)
    fade = max(min(FADE_SEC, 0.7 * share), 1e-6)
    pose = _step_pose(steps[0], time, clock, wide, phase, other_side, 0.0)
    travel = pose["travel"]
    for i, step in enumerate(steps[1:], start=1):
        begins = i * share - 0.5 * fade
        started = float(np.interp(begins, time, clock))
        there = _step_pose(step, time, clock, wide, phase, other_side, started)
        weight = _ease((time - begins) / fade)
        pose = {name: (1 - weight) * pose[name] + weight * there[name] for name in CHANNELS}
        mixed = np.diff(travel) * (1 - 0.5 * (weight[1:] + weight[:-1]))
        mixed += np.diff(there["travel"]) * 0.5 * (weight[1:] + weight[:-1])
        travel = travel[0] + np.concatenate([[0.0], np.cumsum(mixed)])
    pose["travel"] = travel
    pose["time"] = time
    pose["tail_beat"] = 2 * np.pi * (phase + 0.55 * clock)
    _live(pose, time, phase)
    return pose


def _step_pose(
    step: Step, time: np.ndarray, clock: np.ndarray, amplitude: np.ndarray, phase: float, other_side: bool,
    started: float,
) -> Pose:  # fmt: skip
    """Channels of one step, whose performance (if it is performed once) begins when the clock says ``started``."""
    if step.name.partition(":")[0] in SOURCES:
        return read_capture(step.name).pose(step.speed * (clock - started), step.amplitude * amplitude)
    motion = find_motion(step.name)
    wide = step.amplitude * amplitude * (1 + 0.1 * step.style)
    per_sec = step.speed * (1 + 0.15 * step.style) / motion.period_sec
    if motion.once:
        cycles = 0.1 * (phase + step.phase) + per_sec * (clock - started)
    else:
        cycles = phase + step.phase + per_sec * clock
    pose = _curves(step.name, cycles, wide, step.style)
    if motion.gait is not None:
        ground = walked(motion.gait, cycles, wide, float(per_sec * clock[0]))
        lift = np.sqrt(np.maximum(wide, 0.0)) * (1 + 0.25 * step.style)
        for side, lag in (("right", 0.0), ("left", motion.left_lag)):
            pose |= {f"{side}_{c}": v for c, v in feet(motion.gait, cycles, ground, lag, lift).items()}
        pose["travel"] = ground * np.sin(pose["heading"])
    _carry(pose, step.style)
    return mirrored(pose) if other_side and motion.either_side else pose


def _curves(name: str, cycles: np.ndarray, amplitude: np.ndarray, style: float) -> Pose:
    """Every curve of a motion at once, from tables."""
    motion = MOTIONS[name]
    table = _tables(name)
    own = cycles - table.lags - table.drags * (1 - 0.6 * style)
    at = _TABLE_SIZE * (np.clip(own, 0.0, 1.0) if motion.once else np.mod(own, 1.0))
    left = np.minimum(at.astype(np.int64), _TABLE_SIZE - 1)
    rows = np.arange(len(table.channels))[:, None]
    part = at - left
    values = (1 - part) * table.curves[rows, left] + part * table.curves[rows, left + 1]
    # Snappy: longer near the extremes and faster between them. Soft: smaller.
    away = (values - table.middles) / table.ranges
    if style > 0:
        away = (1 - 0.6 * style) * away + 0.6 * style * np.sin(0.5 * np.pi * np.clip(away, -1.0, 1.0))
    else:
        away = away * (1 + 0.18 * style)
    wide = np.where(table.jumps, np.minimum(amplitude, _JUMP_AMPLITUDE), amplitude)
    values = np.where(table.scales, table.middles + wide * away * table.ranges, values)
    pose = {channel: np.zeros_like(cycles) for channel in CHANNELS}
    pose |= dict(zip(table.channels, values, strict=True))
    pose["looseness"] = np.ones_like(cycles)
    return pose


@dataclass(frozen=True)
class _Tables:
    """The C curves of a motion; every array but the first is [C, 1].

    Attributes:
        channels: their names.
        curves: [C, N + 1] over the cycle.
        lags: in cycles, of left limbs.
        drags: in cycles, of what overlaps.
        middles, ranges: what amplitude scales about, and how far the curve goes from it.
        scales: whether amplitude and style apply.
        jumps: whether amplitude is limited, because the frame ends above a jump.
    """

    channels: tuple[str, ...]
    curves: np.ndarray
    lags: np.ndarray
    drags: np.ndarray
    middles: np.ndarray
    ranges: np.ndarray
    scales: np.ndarray
    jumps: np.ndarray


@lru_cache(maxsize=64)
def _tables(name: str) -> _Tables:
    motion = MOTIONS[name]
    curves = _DEFAULTS | motion.curves
    channels: list[str] = []
    tables: list[np.ndarray] = []
    rows: list[tuple[float, float, float, bool, bool]] = []
    wanted = [(c, c, 0.0) for c in BODY_CHANNELS]
    for side, lag in (("right", 0.0), ("left", motion.left_lag)):
        wanted += [(f"{side}_{c}", c, lag) for c in LIMB_CHANNELS]
    for channel, short, lag in wanted:
        keys = curves.get(channel, curves.get(short))
        if keys is None:
            continue
        table = _table(keys, motion.once)
        fixed = isinstance(keys, float | int)
        rest = table[0] if motion.once else 0.5 * (table.max() + table.min())
        channels.append(channel)
        tables.append(table)
        rows.append((
            0.0 if channel in curves else lag,
            0.0 if fixed else _DRAG_SEC.get(short, 0.0) / motion.period_sec,
            0.0 if short in _FROM_ZERO else float(rest),
            not fixed and short not in _UNSCALED,
            channel == "jump",
        ))  # fmt: skip
    stacked = np.stack(tables)
    lags, drags, middles, scales, jumps = (np.array(column)[:, None] for column in zip(*rows, strict=True))
    ranges = np.maximum(np.abs(stacked - middles).max(axis=1, keepdims=True), 1e-9)
    return _Tables(tuple(channels), stacked, lags, drags, middles, ranges, scales, jumps)


def _table(keys: float | Keys, once: bool) -> np.ndarray:
    at = np.linspace(0.0, 1.0, _TABLE_SIZE + 1)
    if isinstance(keys, float | int):
        return np.full(len(at), float(keys))
    phases, values = np.array(keys).T
    if once:
        return np.asarray(PchipInterpolator(phases, values)(np.clip(at, phases[0], phases[-1])))
    x = np.concatenate([phases - 1, phases, phases + 1])
    return np.asarray(PchipInterpolator(x, np.tile(values, 3))(at))


def _carry(pose: Pose, style: float) -> None:
    """Soft bodies slouch, snappy ones stand tall."""
    pose["bow"] = pose["bow"] - (0.03 if style > 0 else 0.07) * style
    pose["head_pitch"] = pose["head_pitch"] - 0.08 * style
    pose["shrug"] = pose["shrug"] + 0.25 * style
    pose["hip_height"] = pose["hip_height"] + (0.1 if style > 0 else 0.5) * style


def _live(pose: Pose, time: np.ndarray, phase: float) -> None:
    """Nobody is quite still: breath, and a little sway that never repeats."""
    breath = np.sin(2 * np.pi * (BREATHS_PER_SEC * time + phase))
    pose["breath"] = breath
    pose["shrug"] = pose["shrug"] + 0.22 * breath
    pose["head_pitch"] = pose["head_pitch"] - 0.012 * breath
    for channel, size, rate in (("root_x", 0.12, 0.23), ("head_roll", 0.012, 0.31), ("head_yaw", 0.02, 0.17)):
        pose[channel] = pose[channel] + size * np.sin(2 * np.pi * (rate * time + 1.7 * phase))


def _ease(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x * x * x * (10 - 15 * x + 6 * x * x))


def _parse_step(text: str, spec: str) -> Step:
    if not text:
        raise UserError(f"puppet motion {spec!r}: a name is missing; write for example walk>wave")
    name, _, options = (
        text.rpartition("@") if "=" in text.rpartition("@")[2] and "@" in text else (text, "", "")
    )
    values: dict[str, float] = {}
    for option in filter(None, options.split(",")):
        key, _, number = (part.strip() for part in option.partition("="))
        if key not in _RANGES:
            raise UserError(f"puppet motion {spec!r}: option {key!r} is not one of: {', '.join(_RANGES)}")
        try:
            value = float(number)
        except ValueError:
            raise UserError(f"puppet motion {spec!r}: {key} is {number!r}, expected a number") from None
        low, high = _RANGES[key]
        if not low <= value <= high:
            raise UserError(f"puppet motion {spec!r}: {key} is {number}, must be from {low:g} to {high:g}")
        values[key] = value
    if name.partition(":")[0] not in SOURCES:
        name = name.replace("_", "-")
        find_motion(name)
    return Step(name, **values)
