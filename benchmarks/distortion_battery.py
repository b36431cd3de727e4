"""What does each metric say about clips that are broken in a known way?

    python benchmarks/distortion_battery.py [--clips 8] [--size 128] [--frames 16] [--out TABLE.md]

Puppet clips are damaged in 18 ways and scored with the metrics of ``temporal_gan.metrics`` as an evaluation does:
reference flow, keypoints and expression are exact, measured flow is DIS. Prints a Markdown table: means over the clips,
of ratios medians. Jitter is in pixels of the picture. Metrics that need published weights are not in it.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from temporal_gan.alpha import over_white
from temporal_gan.expressions import CLASSES
from temporal_gan.metrics import expression, paired, pose, temporal, trajectories
from temporal_gan.metrics.pose_distribution import pose_motion_distance, pose_motion_features
from temporal_gan.optical_flow import dis_flow, dis_flow_checked
from temporal_gan.puppet import CHARACTERS, MOTIONS, PuppetSpec, render_clip
from temporal_gan.rng import numpy_generator
from temporal_gan.warping import warp_backward

DIRECTIONS = {
    "PSNR": "up",
    "SSIM": "up",
    "SSIM char.": "up",
    "E_warp": "down",
    "E_warp char.": "down",
    "E_warp own": "down",
    "tOF": "down",
    "motion": "one",
    "flow acc.": "one",
    "flicker": "down",
    "AKD": "down",
    "PCK@.1": "up",
    "acc. error": "down",
    "acc. ratio": "one",
    "jerk ratio": "one",
    "expr. acc.": "up",
    "flips": "down",
    "FPMD": "down",
}
"""Columns of the table and where the best value lies: above, below, or at one."""

BLIND_TO_FREEZING = ("E_warp own", "flicker", "flips")
"""Perfect for a clip that stands still: printed beside the motion ratio, never in a headline."""

LEGEND = """\
# What the metrics say about broken clips

{clips} puppet clips of {frames} frames at {size} px, each broken in a known way. Written by
`python benchmarks/distortion_battery.py --out FILE`. Means over the clips, of ratios medians. The reference flow,
keypoints and expressions are exact; measured flow is DIS; jitter is in pixels of the picture.

{table}
"Char." is the character mask; "acc." and "jerk" are of keypoints; FPMD is the Frechet distance of pose motion over the
set. `E_warp own`, `flicker` and `flips` are perfect for a clip that stands still, and `E_warp own` is better for a
jittering clip than for the clean one: they say nothing without the motion ratio beside them. A reversed clip has the
right amount of everything; only the columns that compare moment by moment see it. No single column sees all.
"""

_ARROWS = {"up": "↑", "down": "↓", "one": "→ 1"}


@dataclass(frozen=True)
class Readings:
    """A clip and what a perfect reader sees in it.

    Attributes:
        video: [T, 3, S, S], [0, 1], on white.
        keypoints: [T, J, 2], pixels.
        present: bool [T, J].
        faces: [T, C], intensity of each expression class.
    """

    video: Tensor
    keypoints: Tensor
    present: Tensor
    faces: Tensor

    def at(self, frames: Tensor) -> "Readings":
        """The clip that shows these frames, in this order."""
        return Readings(self.video[frames], self.keypoints[frames], self.present[frames], self.faces[frames])


@dataclass(frozen=True)
class Scene:
    """One real clip, what it goes on with, and the same performance with one thing changed.

    Attributes:
        longer: 2 T frames, of which the first T are the real clip.
        other_face, other_character: T frames.
        flow, valid: exact flow of the real clip [T-1, 2, S, S] and its validity [T-1, 1, S, S].
        fps: frames a second.
        seed: of the distortions.
    """

    longer: Readings
    other_face: Readings
    other_character: Readings
    flow: Tensor
    valid: Tensor
    fps: float
    seed: int

    @property
    def real(self) -> Readings:
        return self.longer.at(torch.arange(len(self.longer.video) // 2))


Distortion = Callable[[Scene], Readings]


def flicker(amount: float) -> Distortion:
    """Every frame darkened by a part of its own between 0 and ``amount``."""

    def distort(scene: Scene) -> Readings:
        gains = numpy_generator(scene.seed, "flicker").uniform(0, 1, (len(scene.real.video), 1, 1, 1))
        return replace(scene.real, video=scene.real.video * torch.from_numpy(1 - amount * gains).float())

    return distort


def noise(deviation: float) -> Distortion:
    """Normal noise, new in every frame."""

    def distort(scene: Scene) -> Readings:
        real = scene.real
        grain = numpy_generator(scene.seed, "noise").standard_normal(real.video.shape, np.float32)
        return replace(real, video=(real.video + deviation * torch.from_numpy(grain)).clamp(0, 1))

    return distort


def jitter(pixels: float) -> Distortion:
    """Every frame moved by a normal shift of its own."""

    def distort(scene: Scene) -> Readings:
        real = scene.real
        shift = numpy_generator(scene.seed, "jitter").standard_normal((len(real.video), 2), np.float32)
        moved = pixels * torch.from_numpy(shift)
        size = real.video.shape[-2:]
        flow = -moved[:, :, None, None].expand(-1, -1, *size)
        return replace(real, video=warp_backward(real.video, flow), keypoints=real.keypoints + moved[:, None])

    return distort


def reordered(choose: Callable[[int, np.random.Generator], np.ndarray]) -> Distortion:
    """Frames of the longer clip, chosen from their number and a generator."""

    def distort(scene: Scene) -> Readings:
        frames = choose(len(scene.real.video), numpy_generator(scene.seed, "order"))
        return scene.longer.at(torch.from_numpy(np.ascontiguousarray(frames)))

    return distort


def deranged(frames: int, rng: np.random.Generator) -> np.ndarray:
    """A random order in which no frame keeps its place: one cycle through all."""
    cycle, order = rng.permutation(frames), np.empty(frames, int)
    order[cycle] = np.roll(cycle, 1)
    return order


DISTORTIONS: dict[str, Distortion] = {
    "clean": lambda scene: scene.real,
    # The frame after the last: a frame of the clip itself would score a perfect frame.
    "freeze": reordered(lambda t, _: np.full(t, t)),
    "shuffle": reordered(lambda t, rng: deranged(t, rng)),
    "reverse": reordered(lambda t, _: np.arange(t)[::-1]),
    "speed x2": reordered(lambda t, _: np.arange(0, 2 * t, 2)),
    **{f"flicker {amount:.0%}": flicker(amount) for amount in (0.01, 0.02, 0.05, 0.1)},
    **{f"noise {deviation:g}": noise(deviation) for deviation in (0.01, 0.02, 0.05)},
    **{f"jitter {pixels:g} px": jitter(pixels) for pixels in (0.25, 0.5, 1.0, 2.0)},
    "wrong expression": lambda scene: scene.other_face,
    "wrong character": lambda scene: scene.other_character,
}


def scenes(count: int, frames: int, size: int) -> Iterator[Scene]:
    """Characters and motions in turn; the face rises to one expression and holds it within the real clip."""
    characters, motions, faces = list(CHARACTERS), list(MOTIONS), CLASSES[1:]
    for i in range(count):
        name, face, other = (
            characters[i % len(characters)],
            faces[i % len(faces)],
            faces[(i + 1) % len(faces)],
        )
        # Without coupling: the expression alone differs where it is the wrong one.
        spec = PuppetSpec(
            name,
            motions[(i + 1) % len(motions)],
            f"neutral>{face}>{face}>neutral",
            i,
            2 * frames,
            size,
            coupling=0.0,
        )
        clip = render_clip(spec, truth=True)
        first = slice(0, frames)
        yield Scene(
            longer=_readings(spec),
            other_face=_readings(replace(spec, expression=f"neutral>{other}>{other}>neutral"), frames),
            other_character=_readings(replace(spec, character=characters[(i + 1) % len(characters)]), frames),
            flow=torch.from_numpy(clip.flow[first][:-1]),
            valid=torch.from_numpy(clip.flow_valid[first][:-1]),
            fps=spec.fps,
            seed=i,
        )


def _readings(spec: PuppetSpec, frames: int | None = None) -> Readings:
    clip = render_clip(spec)
    whole = Readings(
        video=torch.from_numpy(over_white(clip.video)).permute(0, 3, 1, 2).float() / 255,
        # A pixel's centre lies half a pixel inside it.
        keypoints=torch.from_numpy(clip.keypoints) * spec.size - 0.5,
        present=torch.from_numpy(clip.confidence) > 0,
        faces=torch.from_numpy(clip.expression[:, : len(CLASSES)]),
    )
    return whole if frames is None else whole.at(torch.arange(frames))


def score(made: Readings, scene: Scene) -> dict[str, float]:
    """Every metric of one clip, as floats; NaN where it is not defined."""
    real = scene.real
    a, b, flow, valid = (x[None] for x in (made.video, real.video, scene.flow, scene.valid))
    mask = paired.union_foreground(a, b)
    own_flow, own_valid = (x[None] for x in dis_flow_checked(_bytes(made.video)))
    real_flow = torch.from_numpy(dis_flow(_bytes(real.video)))[None]
    similarity = paired.ssim_map(a, b)
    points, target = made.keypoints[None], real.keypoints[None]
    both = (made.present & real.present)[None]
    known = real.present[None].float()
    found = torch.where(made.present[None, ..., None], points, torch.nan)
    read, wanted = made.faces[None], real.faces[None]
    values = {
        "PSNR": paired.psnr(a, b),
        "SSIM": paired.mean_similarity(similarity),
        "SSIM char.": paired.mean_similarity(similarity, mask),
        "E_warp": temporal.warping_error(a, flow, valid)[0],
        "E_warp char.": temporal.warping_error(a, flow, valid, mask[:, :-1])[0],
        "E_warp own": temporal.warping_error(a, own_flow, own_valid)[0],
        "tOF": temporal.flow_distance(own_flow, real_flow, mask[:, :-1]),
        "motion": temporal.motion_ratio(own_flow, real_flow, mask[:, :-1]),
        "flow acc.": temporal.flow_acceleration_ratio(own_flow, real_flow, mask[:, :-1]),
        "flicker": temporal.flicker(a, temporal.static_region(flow, valid)),
        "AKD": pose.keypoint_distance(found, target, known)[0],
        "PCK@.1": pose.pck(found, target, known, pose.keypoint_box_side(target, known)),
        "acc. error": trajectories.acceleration_error(points, target, both),
        "acc. ratio": trajectories.acceleration_ratio(points, target, both),
        "jerk ratio": trajectories.jerk_ratio(points, target, both),
        "expr. acc.": expression.expression_accuracy(read, wanted, torch.ones_like(both[..., 0])).accuracy,
        "flips": expression.flip_rate(read.argmax(dim=-1), wanted),
    }
    return {name: float(value) for name, value in values.items()}


def battery(
    count: int, frames: int, size: int, names: tuple[str, ...] = tuple(DISTORTIONS)
) -> dict[str, dict[str, float]]:
    """Every metric over the clips, for each distortion: ratios by their median, the others by their mean.

    A clip that hardly moves has ratios in the hundreds as soon as it jitters: it would be the whole mean.
    """
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    motions: dict[str, list[Tensor]] = {name: [] for name in ("clean", *names)}
    for scene in scenes(count, frames, size):
        for name in motions:
            made = DISTORTIONS[name](scene)
            motions[name].append(_motion(made, scene.fps))
            if name in rows:
                rows[name].append(score(made, scene))
    real = torch.cat(motions["clean"])
    table = {}
    for name, measured in rows.items():
        columns = {metric: [one[metric] for one in measured] for metric in measured[0]}
        table[name] = {metric: _over_clips(metric, column) for metric, column in columns.items()}
        table[name]["FPMD"] = pose_motion_distance(torch.cat(motions[name]), real)
    return table


def _over_clips(metric: str, values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    if not known:
        return float("nan")
    return float(np.median(known) if DIRECTIONS[metric] == "one" else np.mean(known))


def _motion(made: Readings, fps: float) -> Tensor:
    points, present = made.keypoints[None], made.present[None]
    return pose_motion_features(
        points, present, pose.keypoint_box_side(points, present), fps, window=len(made.video)
    )


def _bytes(video: Tensor) -> np.ndarray:
    return (video * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def markdown(table: dict[str, dict[str, float]]) -> str:
    """A row for each distortion, a column for each metric."""
    head = [f"{name} {_ARROWS[direction]}" for name, direction in DIRECTIONS.items()]
    lines = ["| distortion | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for name, values in table.items():
        lines.append(f"| {name} | " + " | ".join(_number(values[m]) for m in DIRECTIONS) + " |")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    if np.isnan(value):
        return "-"
    # Below 1e-6 is rounding; the sign of such a zero says nothing.
    return f"{value:.5f}" if 1e-6 < abs(value) < 0.01 else f"{value if abs(value) > 1e-6 else 0:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--out", type=Path, help="write the page to this file, too")
    options = parser.parse_args()
    table = battery(options.clips, options.frames, options.size)
    text = LEGEND.format(clips=options.clips, frames=options.frames, size=options.size, table=markdown(table))
    print(text, end="")
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
