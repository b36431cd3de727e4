"""Which metric sees which fault? Puppet clips with known faults, every metric that needs no weights.

    python benchmarks/distortion_battery.py [--clips 8] [--frames 64] [--size 128] [--reader metrics] [--out TABLE.md]

Prints a Markdown table: a row for each fault, a column for each metric, means over clips, of ratios medians. Headline
columns are those that no frozen or shuffled clip may win; the others are marked with * and are never shown without the
motion ratio. With --reader the columns of what a network reads are there too.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from distortions import Performance, Truth, battery, rendered
from torch import Tensor

from temporal_gan.batch import composite_on_white
from temporal_gan.evaluation.measurement_values import Measurement
from temporal_gan.evaluation.reader_measurement import CLIP_METRICS, measure_identity, measure_reading
from temporal_gan.evaluation.reader_tool import ReaderTool
from temporal_gan.evaluation.script import Script
from temporal_gan.features import to_uint8
from temporal_gan.metrics import coherence, expression, paired, pose, temporal, trajectories
from temporal_gan.metrics.pose_distribution import pose_motion_distance, pose_motion_features
from temporal_gan.models.reader import FACE_JOINTS
from temporal_gan.models.reader_file import load_reader
from temporal_gan.optical_flow import dis_flow_checked
from temporal_gan.puppet import PuppetSpec, random_specs, render_clip

HEADLINE = {
    "psnr": "high",
    "foreground_psnr": "high",
    "ssim": "high",
    "foreground_ssim": "high",
    "warping_error_reference_flow": "low",
    "character_warping_error": "low",
    "tof": "low",
    "motion_ratio": "one",
    "acceleration_ratio": "one",
    "jerk_ratio": "one",
    "pck@0.05": "high",
    "akd": "low",
    "acceleration_error": "low",
    "intensity_correlation": "high",
    "pose_motion_distance": "low",
    "swapped_label_auc": "high",
    "reader_pck@0.05": "high",
    "reader_keypoint_distance": "low",
    "expression_intensity_correlation": "high",
    "expression_concordance": "high",
}
"""Metric -> what is best: high, low, or one."""

BLIND = {
    "warping_error_own_flow": "low",
    "flicker": "low",
    "flip_rate": "low",
    "expression_flip_rate": "low",
    "expression_accuracy": "high",
    "identity_consistency": "high",
    "subject_consistency": "high",
}
"""A frozen clip may be perfect in them."""

PAGE = """\
# What the metrics say about broken clips

{clips} puppet clips of {frames} frames at {size} px, each broken in a known way; written by
`python benchmarks/distortion_battery.py{option} --out FILE`. Means over the clips, of ratios medians. Reference flow,
keypoints and expressions are exact, as an ideal reader would see them; `reader_*`, `expression_*`, `identity_*` and
`subject_*` are what a network reads from the pictures; measured flow is DIS. Columns with * may be perfect for a clip
that stands still and say nothing without the motion ratio.

{table}
"""


def clip_values(made: Performance, truth: Truth) -> dict[str, float]:
    """All metrics of one clip; NaN where one is not defined."""
    real = truth.real
    video, target = made.video[None], real.video[None]
    frames = to_uint8(made.video).permute(0, 2, 3, 1).numpy()
    silhouette = paired.union_foreground(video, target)
    flow_made, valid_made = (x[None] for x in dis_flow_checked(frames))
    flow_real = truth.estimated[None]
    exact, valid, character = truth.flow[None], truth.valid[None], truth.character[None]
    similarity = paired.ssim_map(video, target)
    points, goal, present = made.keypoints[None], real.keypoints[None], (made.present & real.present)[None]
    # An absent joint is what a reader would not have found.
    predicted = torch.where(made.present[None, ..., None], points, torch.nan)
    confidence = real.present[None].float()
    box = pose.keypoint_box_side(goal, confidence)
    scale = 256 / video.shape[-1]
    known = torch.ones_like(real.expression[None], dtype=torch.bool)
    values = {
        "psnr": paired.psnr(video, target),
        "foreground_psnr": paired.foreground_psnr(video, target, silhouette),
        "ssim": paired.mean_similarity(similarity),
        "foreground_ssim": paired.mean_similarity(similarity, silhouette),
        "warping_error_reference_flow": temporal.warping_error(video, exact, valid)[0],
        "character_warping_error": temporal.warping_error(video, exact, valid, character)[0],
        "warping_error_own_flow": temporal.warping_error(video, flow_made, valid_made)[0],
        "tof": temporal.flow_distance(flow_made, flow_real, character),
        "flicker": temporal.flicker(video, temporal.static_region(exact, valid)),
        "motion_ratio": temporal.motion_ratio(flow_made, flow_real, silhouette[:, :-1]),
        "acceleration_ratio": trajectories.acceleration_ratio(points, goal, present),
        "jerk_ratio": trajectories.jerk_ratio(points, goal, present),
        "acceleration_error": trajectories.acceleration_error(points, goal, present),
        "pck@0.05": pose.pck(predicted, goal, confidence, box, 0.05),
        "akd": pose.keypoint_distance(predicted * scale, goal * scale, confidence)[0],
        "intensity_correlation": expression.intensity_correlation(
            made.expression[None], real.expression[None], known
        )[0],
        "flip_rate": expression.flip_rate(made.expression[None].argmax(dim=-1), real.expression[None]),
    }
    return {name: float(value) for name, value in values.items()}


def read_values(
    made: Performance, truth: Truth, tool: ReaderTool, identity: Tensor, fps: float
) -> dict[str, float]:
    """What a network reads from one clip; metrics that it leaves undefined are NaN."""
    real, side = truth.real, made.video.shape[-1]
    known = torch.ones_like(real.expression, dtype=torch.bool)
    face = truth.visible[:, FACE_JOINTS].all(dim=1)
    script = Script(real.keypoints - 0.5, real.present, truth.visible, "labels", real.expression, known, face)
    result, reading = Measurement(), tool.read(made.video)
    measure_reading(result, reading, script, side, side, fps, (0.05,), None, 0)
    measure_identity(result, reading, identity)
    return {name: result.values.get(name, float("nan")) for name in HEADLINE | BLIND if name in CLIP_METRICS}


def character_identity(spec: PuppetSpec, tool: ReaderTool) -> Tensor:
    """[8, D]: what the network makes of the character in another motion and another mood."""
    other = replace(spec, motion="idle", expression="neutral", frames=8, seed=spec.seed + 10_000)
    video = torch.from_numpy(render_clip(other).video).permute(0, 3, 1, 2).float() / 255
    return tool.read(composite_on_white(video)).identity


def set_values(made: list[Performance], real: list[Performance], fps: float) -> dict[str, float]:
    """Metrics that need the whole set."""
    sets = []
    for clips in (made, real):
        points, present = torch.stack([c.keypoints for c in clips]), torch.stack([c.present for c in clips])
        side = pose.keypoint_box_side(points, present.float())
        sets.append(pose_motion_features(points, present, side, fps))
    values = {"pose_motion_distance": pose_motion_distance(*sets)}
    commanded, measured = (torch.stack([c.expression for c in clips]) for clips in (real, made))
    clips, frames = commanded.shape[:2]
    if frames >= coherence.FEWEST_FRAMES and clips * frames >= coherence.FEWEST_POOLED:
        values["swapped_label_auc"] = coherence.swapped_label_auc(commanded, measured)
    return values


def table(specs: list[PuppetSpec], tool: ReaderTool | None = None) -> dict[str, dict[str, float]]:
    """Fault -> metric -> mean, of ratios the median, over the clips in which it is defined."""
    faces = [torch.zeros(0) if tool is None else character_identity(spec, tool) for spec in specs]
    truths = [rendered(spec) for spec in specs]
    made = [
        battery(spec, truth.real, seed) for seed, (spec, truth) in enumerate(zip(specs, truths, strict=True))
    ]
    rows: dict[str, dict[str, float]] = {}
    for fault in made[0]:
        clips = [clip_values(m[fault], truth) for m, truth in zip(made, truths, strict=True)]
        if tool is not None:
            for values, m, truth, face in zip(clips, made, truths, faces, strict=True):
                values |= read_values(m[fault], truth, tool, face, specs[0].fps)
        means = {name: _over_clips(name, torch.tensor([clip[name] for clip in clips])) for name in clips[0]}
        rows[fault] = means | set_values([m[fault] for m in made], [t.real for t in truths], specs[0].fps)
    return rows


def _over_clips(metric: str, values: torch.Tensor) -> float:
    # A clip that hardly moves has ratios in the hundreds as soon as it jitters: it would be the whole mean.
    return float(values.nanmedian() if HEADLINE.get(metric) == "one" else values.nanmean())


def loss(metric: str, value: float) -> float:
    """How bad a value is, comparable within one metric: lower is better whatever the metric's own direction."""
    best = (HEADLINE | BLIND)[metric]
    if best == "one":
        # Half the motion is as wrong as twice the motion; none at all is infinitely wrong.
        return abs(float(torch.tensor(value).log()))
    return -value if best == "high" else value


def markdown(rows: Mapping[str, Mapping[str, float]]) -> str:
    names = [n for n in HEADLINE | BLIND if n in rows["clean"]]
    heads = [n + ("*" if n in BLIND else "") for n in names]
    lines = ["| fault | " + " | ".join(heads) + " |", "|---" * (len(names) + 1) + "|"]
    for fault, values in rows.items():
        lines.append(f"| {fault} | " + " | ".join(f"{values[n]:.4g}" for n in names) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--out", type=Path, help="write the table here too")
    parser.add_argument("--reader", help="metrics, loss, or a file: adds what a network reads")
    arguments = parser.parse_args()
    specs = random_specs(arguments.clips, seed=0, frames=arguments.frames, size=arguments.size)
    tool = ReaderTool(load_reader(arguments.reader)) if arguments.reader else None
    text = markdown(table(specs, tool))
    print(text)
    if arguments.out:
        option = f" --reader {arguments.reader}" if arguments.reader else ""
        page = PAGE.format(
            clips=arguments.clips, frames=arguments.frames, size=arguments.size, option=option, table=text
        )
        arguments.out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
