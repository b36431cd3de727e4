"""Expression classes, face controls, and expression tracks from what a user types.

An expression vector holds intensities in [0, 1]: the classes first, then the controls. The classes are a soft
mixture: ``neutral`` is what the others leave (1 - their sum). The controls (ARKit names) say what the face does,
whatever the reason: a happy face has ``mouthSmile`` = 1, and a blink on top raises ``eyeBlink*``.
"""

import csv
from pathlib import Path

import numpy as np

from .errors import UserError

CLASSES = ("neutral", "happy", "sad", "angry", "surprised", "scared", "disgusted", "embarrassed")
CONTROLS = ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthSmile", "browInnerUp", "browDown")
EXPRESSIONS = CLASSES + CONTROLS

CLASS_CONTROLS: dict[str, dict[str, float]] = {
    "neutral": {},
    "happy": {"mouthSmile": 1.0, "jawOpen": 0.35, "eyeBlinkLeft": 0.25, "eyeBlinkRight": 0.25},
    "sad": {"browInnerUp": 1.0, "eyeBlinkLeft": 0.35, "eyeBlinkRight": 0.35},
    "angry": {"browDown": 1.0, "jawOpen": 0.15, "eyeBlinkLeft": 0.15, "eyeBlinkRight": 0.15},
    "surprised": {"jawOpen": 0.8, "browInnerUp": 0.8},
    "scared": {"jawOpen": 0.4, "browInnerUp": 1.0},
    "disgusted": {"browDown": 0.6, "eyeBlinkLeft": 0.45, "eyeBlinkRight": 0.45},
    "embarrassed": {"mouthSmile": 0.3, "browInnerUp": 0.5, "eyeBlinkLeft": 0.3, "eyeBlinkRight": 0.3},
}
"""What each class at full intensity does to the controls; the puppet's face follows the same table."""


def expression_vector(intensities: dict[str, float], names: tuple[str, ...] = EXPRESSIONS) -> np.ndarray:
    """Class intensities (and, overriding, controls) -> float32 [E] in the order of ``names``.

    Args:
        intensities: class or control name -> [0, 1]. Classes other than neutral may sum to at most 1.
        names: the store's or the animator's own list.
    Raises:
        UserError: an unknown name, or an intensity outside [0, 1].
    """
    for name, value in intensities.items():
        if name not in names:
            raise UserError(f"expression {name!r} is not one of: {', '.join(names)}")
        if not 0.0 <= value <= 1.0:
            raise UserError(f"expression {name}: intensity {value} is outside [0, 1]")
    classes = {n: v for n, v in intensities.items() if n in CLASSES and n != "neutral"}
    total = sum(classes.values())
    if total > 1.0 + 1e-6:
        raise UserError(f"expression intensities {classes} sum to {total:.2f}; they may sum to at most 1")
    values = dict.fromkeys(names, 0.0)
    for name, value in classes.items():
        values[name] = value
        for control, gain in CLASS_CONTROLS[name].items():
            if control in values:
                values[control] = min(1.0, values[control] + gain * value)
    if "neutral" in values:
        values["neutral"] = max(0.0, 1.0 - total)
    values.update({n: v for n, v in intensities.items() if n not in CLASSES})
    return np.array([values[n] for n in names], np.float32)


def expression_track(spec: str, frames: int, fps: float, names: tuple[str, ...] = EXPRESSIONS) -> np.ndarray:
    """Expression specification -> float32 [T, E].

    Args:
        spec: ``happy``, ``happy:0.8``, ``happy>sad`` (changes over the clip, any number of steps), or the path of a
            CSV file whose header is ``time`` (seconds) and expression names, interpolated linearly.
        frames: T, at least 1.
        fps: frames per second, for a CSV's time column.
        names: the store's or the animator's own list.
    Raises:
        UserError: the specification, or a line of the CSV, is wrong.
    """
    if spec.endswith(".csv"):
        times, keys = _read_csv(Path(spec), names)
        wanted = np.arange(frames) / fps
    else:
        steps = [_parse_step(step, spec, names) for step in spec.split(">")]
        keys = np.stack(steps)
        times = np.linspace(0.0, 1.0, len(steps))
        position = np.linspace(0.0, 1.0, frames) if frames > 1 else np.zeros(1)
        # Eased between steps, as a face changes: it leaves and arrives at rest.
        scaled = position * max(len(steps) - 1, 1)
        whole = np.minimum(np.floor(scaled), max(len(steps) - 2, 0))
        part = scaled - whole
        wanted = (whole + part * part * (3 - 2 * part)) / max(len(steps) - 1, 1)
    columns = [np.interp(wanted, times, keys[:, e]) for e in range(len(names))]
    return np.stack(columns, axis=1).astype(np.float32) if columns else np.zeros((frames, 0), np.float32)


def _parse_step(step: str, spec: str, names: tuple[str, ...]) -> np.ndarray:
    name, _, amount = step.strip().partition(":")
    try:
        value = float(amount) if amount else 1.0
    except ValueError:
        raise UserError(
            f"--expression {spec!r}: {amount!r} is not a number; write for example happy:0.8"
        ) from None
    try:
        return expression_vector({name: value}, names)
    except UserError as error:
        raise UserError(f"--expression {spec!r}: {error}") from None


def _read_csv(path: Path, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    if not path.is_file():
        raise UserError(f"--expression {path}: no such file")
    times: list[float] = []
    rows: list[np.ndarray] = []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    reader = csv.DictReader(text.splitlines())
    header = reader.fieldnames or []
    if "time" not in header:
        raise UserError(
            f"{path}:1: the header must name a column 'time' (seconds) and expressions; got {header}"
        )
    for row in reader:
        try:
            values = {k: float(v) for k, v in row.items() if k and v not in (None, "")}
            time = values.pop("time")
            rows.append(expression_vector(values, names))
        except KeyError:
            raise UserError(f"{path}:{reader.line_num}: this row has no time") from None
        except ValueError as error:
            raise UserError(f"{path}:{reader.line_num}: {error}") from None
        if not np.isfinite(time) or (times and time <= times[-1]):
            raise UserError(f"{path}:{reader.line_num}: time {time} must be finite and grow from row to row")
        times.append(time)
    if not times:
        raise UserError(f"{path}: no rows below the header")
    return np.array(times), np.stack(rows)
