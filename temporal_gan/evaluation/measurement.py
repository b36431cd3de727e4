"""All numbers of one clip: the real side is prepared once, then made clip and anchors are held against it."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..batch import composite_on_white
from ..metrics import paired, pose, temporal
from ..optical_flow import SMALLEST_SIDE, dis_flow, dis_flow_checked
from .clip_pairs import ClipPair, known_joints, resize_clip
from .keypoint_transfer import to_frames_u8, transfer_keypoints
from .protocols import Protocol


@dataclass(frozen=True)
class RealClip:
    """What every candidate of one clip is compared with.

    Attributes:
        rgb: [T, 3, H, W], [0, 1], on white.
        source: the clip as it came, 3 or 4 channels, for its silhouette.
        joints: keypoints in pixels [T, J, 2] and confidence [T, J], or None.
        motion: DIS flow [T-1, 2, H, W], or None where it cannot be computed.
        flow, valid: the reference flow of the warping error and its mask, or None.
        flow_method: ``exact``, ``dis`` or ``none``.
    """

    rgb: Tensor
    source: Tensor
    joints: tuple[Tensor, Tensor] | None
    motion: Tensor | None
    flow: Tensor | None
    valid: Tensor | None
    flow_method: str


@dataclass
class Measurement:
    """Values of one candidate: a name is in ``values`` or, with a sentence, in ``reasons``; never in both."""

    values: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    psnr_per_frame: list[float] = field(default_factory=list)
    kept_fraction: float | None = None

    def put(self, name: str, value: Tensor, reason: str) -> None:
        """Record a one-clip metric [1], or the reason where it is not defined."""
        number = float(value)
        if math.isfinite(number):
            self.values[name] = number
        else:
            self.reasons[name] = reason


def prepare_real(pair: ClipPair, protocol: Protocol) -> RealClip:
    """The real side of a validated pair; flow is computed only where the protocol is temporal."""
    source = pair.real.float().clamp(0, 1)
    rgb = composite_on_white(source)
    motion = flow = valid = None
    method = "none"
    if protocol.temporal and len(rgb) >= 2 and max(rgb.shape[-2:]) >= SMALLEST_SIDE:
        motion, checked = dis_flow_checked(to_frames_u8(rgb))
        flow, valid, method = motion, checked, "dis"
    if protocol.temporal and pair.flow is not None and pair.flow_valid is not None and len(rgb) >= 2:
        flow, valid, method = pair.flow.float(), pair.flow_valid, "exact"
    return RealClip(rgb, source, known_joints(pair), motion, flow, valid, method)


def prepare_made(made: Tensor, real: RealClip) -> Tensor:
    """[T, 3 or 4, h, w] in [0, 1] -> [T, 3, H, W] of the real clip's size, on white."""
    return composite_on_white(resize_clip(made.float().clamp(0, 1), *real.rgb.shape[-2:]))


def measure(rgb: Tensor, real: RealClip, protocol: Protocol, first_scored: int = 0) -> Measurement:
    """Score one candidate.

    Args:
        rgb: [T, 3, H, W], [0, 1], from :func:`prepare_made`.
        real: from :func:`prepare_real`.
        protocol: which metrics, which thresholds.
        first_scored: paired metrics begin here (1 for the frozen anchor, whose frame 0 is the real one).
    """
    mask = paired.union_foreground(rgb[None], real.source[None])
    result = Measurement()
    _measure_paired(result, rgb, real, mask, first_scored)
    _measure_temporal(result, rgb, real, mask, protocol)
    _measure_pose(result, rgb, real, protocol, first_scored)
    return result


def _measure_paired(result: Measurement, rgb: Tensor, real: RealClip, mask: Tensor, first: int) -> None:
    made, truth, region = rgb[None, first:], real.rgb[None, first:], mask[:, first:]
    series = paired.psnr_per_frame(made, truth)
    result.psnr_per_frame = [float(v) for v in series[0]]
    result.put("psnr", series.mean(), "no frame")
    empty = "no frame shows anything that differs from its border colour"
    result.put("foreground_psnr", paired.foreground_psnr(made, truth, region), empty)
    result.put(
        "sharpness_ratio", paired.sharpness_ratio(made, truth, region), "the real drawing has no edges"
    )
    if min(rgb.shape[-2:]) >= paired.SSIM_WINDOW:
        similarity = paired.ssim_map(made, truth)
        result.put("ssim", paired.mean_similarity(similarity), "no frame")
        result.put("foreground_ssim", paired.mean_similarity(similarity, region), empty)
    else:
        small = f"frames of {rgb.shape[-1]}x{rgb.shape[-2]} are smaller than the 11x11 window"
        result.reasons.update({"ssim": small, "foreground_ssim": small})


def _measure_temporal(
    result: Measurement, rgb: Tensor, real: RealClip, mask: Tensor, protocol: Protocol
) -> None:
    names = ("motion_ratio", "acceleration_ratio", "warping_error_reference_flow", "warping_error_real")
    if not protocol.temporal or len(rgb) < 2:
        why = "the clip has one frame" if protocol.temporal else f"{protocol.name} scores single frames"
        result.reasons.update(dict.fromkeys(names, why))
        return
    small = f"frames of {rgb.shape[-1]}x{rgb.shape[-2]} are too small for optical flow"
    if real.motion is None:
        result.reasons.update(dict.fromkeys(names[:2], small))
    else:
        made, truth, region = (
            torch.from_numpy(dis_flow(to_frames_u8(rgb)))[None],
            real.motion[None],
            mask[:, :-1],
        )
        still = "the real character hardly moves (less than 0.01 px a frame), or is nowhere"
        result.put("motion_ratio", temporal.motion_ratio(made, truth, region), still)
        steady = "fewer than three frames, or the real motion hardly changes"
        result.put("acceleration_ratio", temporal.flow_acceleration_ratio(made, truth, region), steady)
    if real.flow is None or real.valid is None:
        result.reasons.update(dict.fromkeys(names[2:], small))
        return
    hidden = "no pixel of the real clip has a trusted motion"
    error, kept = temporal.warping_error(rgb[None], real.flow[None], real.valid[None])
    floor, _ = temporal.warping_error(real.rgb[None], real.flow[None], real.valid[None])
    result.put("warping_error_reference_flow", error, hidden)
    result.put("warping_error_real", floor, hidden)
    result.kept_fraction = float(kept)


def _measure_pose(result: Measurement, rgb: Tensor, real: RealClip, protocol: Protocol, first: int) -> None:
    names = [f"pck@{threshold:g}" for threshold in protocol.pck_thresholds]
    if real.joints is None:
        result.reasons.update(dict.fromkeys(names, "the real clip carries no keypoints"))
        return
    if max(rgb.shape[-2:]) < SMALLEST_SIDE:
        why = f"frames of {rgb.shape[-1]}x{rgb.shape[-2]} are too small for optical flow"
        result.reasons.update(dict.fromkeys(names, why))
        return
    target, confidence = (x[None, first:] for x in real.joints)
    predicted = transfer_keypoints(real.rgb[first:], rgb[first:], target[0])[None]
    side = pose.keypoint_box_side(target, confidence)
    for name, threshold in zip(names, protocol.pck_thresholds, strict=True):
        value = pose.pck(predicted, target, confidence, side, threshold)
        result.put(name, value, "fewer than two joints are known in every frame")
