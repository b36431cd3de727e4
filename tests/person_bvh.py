"""BVH files of a person in a T-pose, with any rotations over time, as a motion-capture program writes them."""

from pathlib import Path

import numpy as np

Skeleton = tuple[tuple[str, str, tuple[float, float, float]], ...]

PERSON: Skeleton = (
    ("Hips", "", (0, 100, 0)),
    ("Spine", "Hips", (0, 20, 0)),
    ("Neck", "Spine", (0, 35, 0)),
    ("Head", "Neck", (0, 10, 0)),
    ("LeftArm", "Spine", (18, 30, 0)),
    ("LeftForeArm", "LeftArm", (28, 0, 0)),
    ("LeftHand", "LeftForeArm", (26, 0, 0)),
    ("RightArm", "Spine", (-18, 30, 0)),
    ("RightForeArm", "RightArm", (-28, 0, 0)),
    ("RightHand", "RightForeArm", (-26, 0, 0)),
    ("LeftUpLeg", "Hips", (9, 0, 0)),
    ("LeftLeg", "LeftUpLeg", (0, -45, 0)),
    ("LeftFoot", "LeftLeg", (0, -45, 0)),
    ("LeftToeBase", "LeftFoot", (0, -8, 14)),
    ("RightUpLeg", "Hips", (-9, 0, 0)),
    ("RightLeg", "RightUpLeg", (0, -45, 0)),
    ("RightFoot", "RightLeg", (0, -45, 0)),
    ("RightToeBase", "RightFoot", (0, -8, 14)),
)
"""Joint, parent, offset in centimetres; it faces +z, its left is +x."""

HANGING = {"LeftArm": (-80.0, 0.0, 0.0), "RightArm": (80.0, 0.0, 0.0)}
"""Arms beside the body, as Z, X, Y rotations in degrees."""


def write_bvh(
    path: Path,
    rotations: dict[str, np.ndarray | tuple[float, float, float]],
    root: np.ndarray | None = None,
    frames: int = 1,
    fps: float = 30.0,
    names: dict[str, str] | None = None,
) -> Path:
    """Write PERSON moved.

    Args:
        path: of the file.
        rotations: joint -> Z, X, Y degrees, [3] or [N, 3]; others stay in the T-pose.
        root: [N, 3] place of the hips; None: 100 above the ground.
        frames: N.
        fps: frames per second.
        names: joint -> another name for it, ``""`` leaves it and what hangs on it out.
    """
    names = names or {}
    gone = {joint for joint in names if names[joint] == ""}
    for joint, parent, _ in PERSON:
        gone |= {joint} if parent in gone else set()
    lines, columns = ["HIERARCHY"], []

    def node(joint: str, depth: int) -> None:
        offset = next(o for name, _, o in PERSON if name == joint)
        word = "JOINT" if depth else "ROOT"
        pad = "  " * depth
        lines.extend(
            [
                f"{pad}{word} {names.get(joint, joint)}",
                f"{pad}{{",
                f"{pad}  OFFSET {offset[0]} {offset[1]} {offset[2]}",
            ]
        )
        turn = np.broadcast_to(np.asarray(rotations.get(joint, (0.0, 0.0, 0.0)), float), (frames, 3))
        if depth:
            lines.append(f"{pad}  CHANNELS 3 Zrotation Xrotation Yrotation")
        else:
            lines.append(f"{pad}  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation")
            columns.append(np.tile([0.0, 100.0, 0.0], (frames, 1)) if root is None else root)
        columns.append(turn)
        children = [name for name, parent, _ in PERSON if parent == joint and name not in gone]
        for child in children:
            node(child, depth + 1)
        if not children:
            lines.extend([f"{pad}  End Site", f"{pad}  {{", f"{pad}    OFFSET 0 0 5", f"{pad}  }}"])
        lines.append(f"{pad}}}")

    node("Hips", 0)
    lines += ["MOTION", f"Frames: {frames}", f"Frame Time: {1 / fps:.7f}"]
    lines += [" ".join(f"{v:.6f}" for v in row) for row in np.concatenate(columns, axis=1)]
    path.write_text("\n".join(lines) + "\n")
    return path


def walking(
    frames: int = 60, fps: float = 30.0, heading_deg: float = 90.0
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rotations and root of a plain walk along a heading (0 towards +z, 90 towards +x), a cycle a second."""
    beat = 2 * np.pi * np.arange(frames) / fps
    zero = np.zeros(frames)
    rotations = {"Hips": np.stack([zero, zero, zero + heading_deg], axis=-1)}
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        rotations[f"{side}UpLeg"] = np.stack([zero, -25 * sign * np.sin(beat), zero], axis=-1)
        rotations[f"{side}Leg"] = np.stack([zero, 22 + 22 * sign * np.sin(beat + 1.2), zero], axis=-1)
        rotations[f"{side}Arm"] = np.stack(
            [zero - 80 * sign, zero, -25 * sign * np.sin(beat) * sign], axis=-1
        )
    travelled = 120 * np.arange(frames) / fps
    heading = np.radians(heading_deg)
    root = np.stack(
        [travelled * np.sin(heading), 98 + 1.5 * np.cos(2 * beat), travelled * np.cos(heading)], axis=-1
    )
    return rotations, root
