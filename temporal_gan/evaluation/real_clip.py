"""The real side of a clip, prepared once: what the made clip and every anchor are held against."""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from ..batch import composite_on_white
from ..features import lpips_distances
from ..metrics import temporal
from ..models.reader import Reading
from ..optical_flow import SMALLEST_SIDE, dis_flow_checked
from .clip_curves import ScriptCurves, read_curves, script_curves
from .clip_pairs import ClipPair, known_joints
from .keypoint_transfer import to_frames_u8
from .protocols import Protocol
from .reader_tool import ReaderTool
from .script import Script, read_script

SMALLEST_LPIPS_SIDE = 32
FLOORS = ("warping_error_real", "flicker_static_real")


@dataclass(frozen=True)
class Perception:
    """The networks that look at pictures, or the sentences that say why there are none.

    Attributes:
        network: LPIPS.
        reason: where it is missing.
        reader: reads pose, expression and identity.
        why_no_reader: where it is missing.
    """

    network: nn.Module | None = None
    reason: str = "no LPIPS weights were given"
    reader: ReaderTool | None = None
    why_no_reader: str = "no reader was given"


@dataclass(frozen=True)
class RealReading:
    """What the reader saw in the real clip.

    Attributes:
        reading: of its frames.
        script: what made clips are held against.
        identity: [R, D] of its character in other real clips, or None.
        curves: of a long clip, for what is compared over all clips.
    """

    reading: Reading
    script: Script
    identity: Tensor | None
    curves: ScriptCurves | None


@dataclass(frozen=True)
class RealClip:
    """What every candidate of one clip is compared with.

    Attributes:
        rgb: [T, 3, H, W], [0, 1], on white.
        source: the clip as it came, 3 or 4 channels, for its silhouette.
        joints: keypoints in pixels [T, J, 2] and confidence [T, J], or None.
        motion: DIS flow [T-1, 2, H, W], or None where it cannot be computed.
        flow, valid: the reference flow of the warping error and its mask, or None.
        static: bool [T-1, 1, H, W], where the clip stands still by that flow, or None.
        flow_method: ``exact``, ``dis`` or ``none``.
        why_no_flow: a sentence where ``flow`` is None.
        floors: the real clip's own warping error and flicker.
        change: LPIPS from each frame to the next [T-1], or None.
        fps: frames a second.
        read: by the reader, or None where there is none.
    """

    rgb: Tensor
    source: Tensor
    joints: tuple[Tensor, Tensor] | None
    motion: Tensor | None
    flow: Tensor | None
    valid: Tensor | None
    static: Tensor | None
    flow_method: str
    why_no_flow: str
    floors: dict[str, float]
    change: Tensor | None
    fps: float
    read: RealReading | None


def prepare_real(pair: ClipPair, protocol: Protocol, perception: Perception) -> RealClip:
    """The real side of a validated pair; flow is computed only where the protocol is temporal."""
    source = pair.real.float().clamp(0, 1)
    rgb = composite_on_white(source)
    motion = flow = valid = static = change = None
    method, why = "none", f"frames of {rgb.shape[-1]}x{rgb.shape[-2]} are too small for optical flow"
    moving = protocol.temporal and len(rgb) >= 2
    if moving and max(rgb.shape[-2:]) >= SMALLEST_SIDE:
        motion, checked = dis_flow_checked(to_frames_u8(rgb))
        if protocol.exact_flow:
            why = f"{protocol.name} takes exact motion only, and this clip carries none"
        else:
            flow, valid, method = motion, checked, "dis"
    if moving and pair.flow is not None and pair.flow_valid is not None:
        flow, valid, method = pair.flow.float(), pair.flow_valid, "exact"
    floors = {}
    if flow is not None and valid is not None:
        static = temporal.static_region(flow[None], valid[None])[0]
        error, _ = temporal.warping_error(rgb[None], flow[None], valid[None])
        own_flicker = temporal.flicker(rgb[None], static[None])
        found = zip(FLOORS, (float(error), float(own_flicker)), strict=True)
        floors = {name: value for name, value in found if math.isfinite(value)}
    if moving and perception.network is not None and min(rgb.shape[-2:]) >= SMALLEST_LPIPS_SIDE:
        change = lpips_distances(perception.network, rgb[:-1], rgb[1:])
    return RealClip(
        rgb, source, known_joints(pair), motion, flow, valid, static, method, why, floors, change, pair.fps,
        _read_real(pair, rgb, protocol, perception),
    )  # fmt: skip


def _read_real(pair: ClipPair, rgb: Tensor, protocol: Protocol, perception: Perception) -> RealReading | None:
    tool = perception.reader
    if tool is None:
        return None
    reading = tool.read(rgb)
    script = read_script(pair, reading)
    curves = read_curves(reading, script, pair.fps, *rgb.shape[-2:]) if protocol.temporal else None
    identity = tool.identity(*pair.relatives) if pair.relatives and pair.relatives[1] else None
    return RealReading(reading, script, identity, script_curves(script, curves))
