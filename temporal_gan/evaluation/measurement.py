"""All numbers of one candidate, the made clip or an anchor, against its real clip."""

import torch
from torch import Tensor

from ..batch import composite_on_white
from ..features import lpips_distances
from ..metrics import paired, pose, spectrum, temporal, trajectories
from ..models.reader import Reading
from ..optical_flow import SMALLEST_SIDE, dis_flow_checked
from .clip_curves import read_curves
from .clip_pairs import resize_clip
from .keypoint_transfer import to_frames_u8, transfer_keypoints
from .measurement_values import Measurement
from .protocols import Protocol
from .reader_measurement import CLIP_METRICS, PUBLISHED_SIDE, measure_identity, measure_reading
from .real_clip import FLOORS, SMALLEST_LPIPS_SIDE, Perception, RealClip

_REFERENCE_FLOW = (
    "warping_error_reference_flow",
    "foreground_warping_error_reference_flow",
    "warping_error_own_flow",
    "flicker_static",
)
_MOTION = ("motion_ratio", "acceleration_ratio", "flow_distance", "foreground_flow_distance")
_PERCEPTUAL_CHANGE = ("perceptual_change_distance", "perceptual_change_excess")
_TRAJECTORIES = ("keypoint_jerk_ratio", "keypoint_acceleration_error")
_JOINTS = ("average_keypoint_distance", "missing_keypoint_rate")


def prepare_made(made: Tensor, real: RealClip) -> Tensor:
    """[T, 3 or 4, h, w] in [0, 1] -> [T, 3, H, W] of the real clip's size, on white."""
    return composite_on_white(resize_clip(made.float().clamp(0, 1), *real.rgb.shape[-2:]))


def measure(
    rgb: Tensor,
    real: RealClip,
    protocol: Protocol,
    perception: Perception,
    first_scored: int = 0,
    reading: Reading | None = None,
) -> Measurement:
    """Score one candidate.

    Args:
        rgb: [T, 3, H, W], [0, 1], from :func:`prepare_made`.
        real: from :func:`.real_clip.prepare_real`.
        protocol: which metrics, which thresholds.
        perception: the networks, or why there are none.
        first_scored: paired metrics begin here (1 for the frozen anchor, whose frame 0 is the real one).
        reading: of ``rgb``, where the reader has seen its frames already.
    """
    mask = paired.union_foreground(rgb[None], real.source[None])
    result = Measurement()
    _measure_paired(result, rgb, real, mask, first_scored)
    _measure_perception(result, rgb, real, protocol, perception, first_scored)
    _measure_temporal(result, rgb, real, mask, protocol)
    _measure_pose(result, rgb, real, protocol, first_scored)
    _measure_reading(result, rgb, real, protocol, perception, first_scored, reading)
    return result


def _measure_reading(
    result: Measurement,
    rgb: Tensor,
    real: RealClip,
    protocol: Protocol,
    perception: Perception,
    first: int,
    reading: Reading | None,
) -> None:
    if perception.reader is None or real.read is None:
        result.skip(CLIP_METRICS, perception.why_no_reader)
        return
    seen = perception.reader.read(rgb) if reading is None else reading
    script, (height, width) = real.read.script, rgb.shape[-2:]
    alone = _why_not_temporal(protocol) if not protocol.temporal or len(rgb) < 2 else None
    measure_reading(result, seen, script, height, width, real.fps, protocol.pck_thresholds, alone, first)
    measure_identity(result, seen, real.read.identity)
    if real.read.curves is not None:
        result.curves = read_curves(seen, script, real.fps, height, width)


def _measure_paired(result: Measurement, rgb: Tensor, real: RealClip, mask: Tensor, first: int) -> None:
    made, truth, region = rgb[None, first:], real.rgb[None, first:], mask[:, first:]
    series = paired.psnr_per_frame(made, truth)
    result.psnr_per_frame = [float(v) for v in series[0]]
    result.put("psnr", series.mean(), "no frame")
    empty = "no frame shows anything that differs from its border colour"
    inside = paired.psnr_per_frame(made, truth, region)
    result.put("foreground_psnr", inside.nanmean(dim=1), empty)
    pooled = -10 * torch.log10((10 ** (-inside / 10)).nanmean(dim=1))
    result.put("foreground_psnr_pooled", pooled, empty)
    result.put(
        "sharpness_ratio", paired.sharpness_ratio(made, truth, region), "the real drawing has no edges"
    )
    pattern = f"frames below {spectrum.SMALLEST_SIDE} pixels, or of one colour, have no such spectrum"
    result.put("checkerboard_ratio", spectrum.checkerboard_ratio(made, truth), pattern)
    if min(rgb.shape[-2:]) >= paired.SSIM_WINDOW:
        similarity = paired.ssim_map(made, truth)
        result.put("ssim", paired.mean_similarity(similarity), "no frame")
        result.put("foreground_ssim", paired.mean_similarity(similarity, region), empty)
    else:
        small = f"frames of {rgb.shape[-1]}x{rgb.shape[-2]} are smaller than the 11x11 window"
        result.skip(("ssim", "foreground_ssim"), small)


def _measure_perception(
    result: Measurement,
    rgb: Tensor,
    real: RealClip,
    protocol: Protocol,
    perception: Perception,
    first: int,
) -> None:
    if perception.network is None:
        result.skip(("lpips", *_PERCEPTUAL_CHANGE), perception.reason)
        return
    if min(rgb.shape[-2:]) < SMALLEST_LPIPS_SIDE:
        small = f"frames of {rgb.shape[-1]}x{rgb.shape[-2]} are smaller than the 32x32 that LPIPS needs"
        result.skip(("lpips", *_PERCEPTUAL_CHANGE), small)
        return
    result.put("lpips", lpips_distances(perception.network, rgb[first:], real.rgb[first:]).mean(), "no frame")
    if real.change is None:
        result.skip(_PERCEPTUAL_CHANGE, _why_not_temporal(protocol))
        return
    change = lpips_distances(perception.network, rgb[:-1], rgb[1:])
    distance, excess = temporal.perceptual_change_distance(change[None], real.change[None])
    result.put("perceptual_change_distance", distance, "no frame")
    result.put("perceptual_change_excess", excess, "no frame")


def _why_not_temporal(protocol: Protocol) -> str:
    return "the clip has one frame" if protocol.temporal else f"{protocol.name} scores single frames"


def _measure_temporal(
    result: Measurement, rgb: Tensor, real: RealClip, mask: Tensor, protocol: Protocol
) -> None:
    if not protocol.temporal or len(rgb) < 2:
        result.skip((*_MOTION, *_REFERENCE_FLOW, *FLOORS), _why_not_temporal(protocol))
        return
    made_flow = made_valid = None
    region = mask[:, :-1]
    if real.motion is None:
        result.skip(_MOTION, f"frames of {rgb.shape[-1]}x{rgb.shape[-2]} are too small for optical flow")
    else:
        made_flow, made_valid = dis_flow_checked(to_frames_u8(rgb))
        made, truth = made_flow[None], real.motion[None]
        still = "the real character hardly moves (less than 0.01 px a frame), or is nowhere"
        result.put("motion_ratio", temporal.motion_ratio(made, truth, region), still)
        steady = "fewer than three frames, or the real motion hardly changes"
        result.put("acceleration_ratio", temporal.flow_acceleration_ratio(made, truth, region), steady)
        empty = "no frame shows anything that differs from its border colour"
        result.put("flow_distance", temporal.flow_distance(made, truth), "no pixel")
        result.put("foreground_flow_distance", temporal.flow_distance(made, truth, region), empty)
    if real.flow is None or real.valid is None or real.static is None:
        result.skip((*_REFERENCE_FLOW, *FLOORS), real.why_no_flow)
        return
    hidden = "no pixel of the real clip has a trusted motion"
    video, flow, valid = rgb[None], real.flow[None], real.valid[None]
    error, kept = temporal.warping_error(video, flow, valid)
    result.put("warping_error_reference_flow", error, hidden)
    result.kept_fraction = float(kept)
    inside, _ = temporal.warping_error(video, flow, valid, region)
    result.put(
        "foreground_warping_error_reference_flow", inside, "no pixel of the character has a trusted motion"
    )
    own = "shown only beside the warping error along the real motion, which is missing"
    if "warping_error_reference_flow" in result.values and made_flow is not None and made_valid is not None:
        error, kept = temporal.warping_error(video, made_flow[None], made_valid[None])
        result.put("warping_error_own_flow", error, "no pixel of the made clip has a trusted motion")
        result.own_kept_fraction = float(kept)
    else:
        result.skip(("warping_error_own_flow",), own)
    moves = "no part of the real clip stands still"
    result.put("flicker_static", temporal.flicker(video, real.static[None]), moves)
    result.values.update(real.floors)
    result.skip(tuple({"warping_error_real"} - real.floors.keys()), hidden)
    result.skip(tuple({"flicker_static_real"} - real.floors.keys()), moves)


def _measure_pose(result: Measurement, rgb: Tensor, real: RealClip, protocol: Protocol, first: int) -> None:
    thresholds = [(f"pck@{threshold:g}", threshold) for threshold in protocol.pck_thresholds]
    names = (*(name for name, _ in thresholds), *_JOINTS, *_TRAJECTORIES)
    height, width = rgb.shape[-2:]
    if real.joints is None:
        result.skip(names, "the real clip carries no keypoints")
        return
    if max(height, width) < SMALLEST_SIDE:
        result.skip(names, f"frames of {width}x{height} are too small for optical flow")
        return
    target, confidence = (x[None, first:] for x in real.joints)
    predicted = transfer_keypoints(real.rgb[first:], rgb[first:], target[0])[None]
    side = pose.keypoint_box_side(target, confidence)
    for name, threshold in thresholds:
        value = pose.pck(predicted, target, confidence, side, threshold)
        result.put(name, value, "fewer than two joints are known in every frame")
    distance, missing = pose.keypoint_distance(predicted, target, confidence)
    scale = PUBLISHED_SIDE / max(height, width)
    result.put("average_keypoint_distance", distance * scale, "no joint was found")
    result.put("missing_keypoint_rate", missing, "no joint is known")
    if not protocol.temporal:
        result.skip(_TRAJECTORIES, _why_not_temporal(protocol))
        return
    present = (confidence > 0) & predicted.isfinite().all(dim=-1)
    jerk = trajectories.jerk_ratio(predicted, target, present)
    result.put(
        "keypoint_jerk_ratio", jerk, "no joint was found four frames running, or the real ones hardly jerk"
    )
    error = trajectories.acceleration_error(predicted, target, present)
    result.put("keypoint_acceleration_error", error, "no joint was found three frames running")
