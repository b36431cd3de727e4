"""BVH motion files read strictly: the joints as they hang on each other, and the numbers of every frame."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .errors import UserError

MAX_BYTES = 256 * 1024**2
MAX_JOINTS = 2000
CHANNELS = {f"{axis}{kind}": (i, kind) for kind in ("position", "rotation") for i, axis in enumerate("xyz")}
"""Channel -> (axis, kind), names in lower case."""


@dataclass
class Joint:
    """One node of the hierarchy: where it hangs on its parent, and which numbers of a frame move it."""

    name: str
    parent: int
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    channels: list[str] = field(default_factory=list)


def parse_bvh(path: Path) -> tuple[list[Joint], float, np.ndarray]:
    """Hierarchy, seconds a frame, and the numbers [N, C] of the frames, angles in degrees.

    Raises:
        UserError: file, line and fault.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path}: larger than {MAX_BYTES // 1024**2} MB; cut the take into pieces")
        lines = path.read_bytes().decode("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    joints, at = _hierarchy(path, lines)
    width = sum(len(joint.channels) for joint in joints)
    at = _next(path, lines, at, "Frames: N")
    count = _number(path, at, _after(path, lines, at, "frames:"))
    at = _next(path, lines, at + 1, "Frame Time: SECONDS")
    frame_sec = _number(path, at, _after(path, lines, at, "frame time:"))
    if not 1e-4 <= frame_sec <= 10:
        raise UserError(f"{path}:{at + 1}: frame time is {frame_sec:g}, expected 0.0001 to 10 seconds")
    if count < 1 or count != int(count):
        raise UserError(f"{path}:{at}: number of frames is {count:g}, expected a whole number of at least 1")
    rows: list[list[float]] = []
    for number, line in enumerate(lines[at + 1 :], start=at + 2):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != width:
            raise UserError(
                f"{path}:{number}: {len(fields)} numbers in this frame, the joints have {width} channels"
            )
        try:
            rows.append([float(text) for text in fields])
        except ValueError:
            raise UserError(f"{path}:{number}: a value of this frame is not a number") from None
        if not np.isfinite(rows[-1]).all() or np.abs(rows[-1]).max(initial=0.0) > 1e9:
            raise UserError(f"{path}:{number}: a value of this frame is not finite or beyond 1e9")
    if len(rows) != count:
        raise UserError(f"{path}:{len(lines)}: {len(rows)} frames follow, {count:g} were announced")
    return joints, frame_sec, np.array(rows, float).reshape(len(rows), width)


def _hierarchy(path: Path, lines: list[str]) -> tuple[list[Joint], int]:
    """Joints, and the index of the line after MOTION."""
    at = _next(path, lines, 0, "HIERARCHY")
    if lines[at].strip().lstrip("\ufeff").upper() != "HIERARCHY":
        raise UserError(
            f"{path}:{at + 1}: a BVH file begins with HIERARCHY, this one with {lines[at][:30]!r}"
        )
    joints: list[Joint] = []
    open_joints: list[int] = []
    awaiting_brace = False
    while True:
        at = _next(path, lines, at + 1, "the hierarchy to go on, then MOTION")
        fields = lines[at].split()
        word = fields[0].upper()
        fault = f"{path}:{at + 1}: "
        if awaiting_brace and word != "{":
            raise UserError(f"{fault}expected '{{' after a joint's name, got {lines[at].strip()[:40]!r}")
        if word == "{" and awaiting_brace:
            awaiting_brace = False
        elif word in ("ROOT", "JOINT", "END"):
            if (word == "ROOT") != (not open_joints) or (word == "ROOT" and joints):
                raise UserError(f"{fault}{word} is out of place: one ROOT holds all other joints")
            if len(joints) >= MAX_JOINTS:
                raise UserError(f"{fault}more than {MAX_JOINTS} joints")
            name = " ".join(fields[1:])
            if not name:
                raise UserError(f"{fault}{word} without a name")
            # Ends are no joints by name.
            joints.append(Joint(name if word != "END" else "", open_joints[-1] if open_joints else -1))
            open_joints.append(len(joints) - 1)
            awaiting_brace = True
        elif word == "OFFSET" and open_joints:
            numbers = [_number(path, at, text) for text in fields[1:]]
            if len(numbers) != 3:
                raise UserError(f"{fault}OFFSET has {len(numbers)} numbers, expected 3")
            joints[open_joints[-1]].offset = (numbers[0], numbers[1], numbers[2])
        elif word == "CHANNELS" and open_joints:
            names = [text.lower() for text in fields[2:]]
            if len(fields) < 2 or fields[1] != str(len(names)):
                raise UserError(f"{fault}CHANNELS says {' '.join(fields[1:2])}, {len(names)} names follow")
            unknown = [name for name in names if name not in CHANNELS]
            if unknown or len(set(names)) != len(names):
                raise UserError(
                    f"{fault}channels {names}: expected Xposition .. Zrotation, each at most once"
                )
            joints[open_joints[-1]].channels = names
        elif word == "}" and open_joints:
            open_joints.pop()
        elif word == "MOTION" and joints and not open_joints:
            return joints, at + 1
        else:
            raise UserError(f"{fault}unexpected {lines[at].strip()[:40]!r}")


def _next(path: Path, lines: list[str], at: int, expected: str) -> int:
    """Index of the next line that is not blank."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    if at >= len(lines):
        raise UserError(f"{path}:{len(lines)}: the file ends here; expected {expected}")
    return at


def _after(path: Path, lines: list[str], at: int, label: str) -> str:
    text = lines[at].strip()
    if not text.lower().startswith(label):
        raise UserError(f"{path}:{at + 1}: expected '{label}' and a number, got {text[:40]!r}")
    return text[len(label) :].strip()


def _number(path: Path, at: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{path}:{at + 1}: {text[:40]!r} is not a number") from None
    if not np.isfinite(value) or abs(value) > 1e9:
        raise UserError(f"{path}:{at + 1}: {text[:40]!r} is not finite or beyond 1e9")
    return value
