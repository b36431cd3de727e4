"""What does each metric cost?

    python benchmarks/metric_cost.py [--sizes 64,128,256] [--frames 16] [--networks] [--memory-clips 1000,10000]

Prints milliseconds a clip of the metrics that need no weights, the time of 8 clips at 64 px together, the cost of set
metrics and statistics by their size, and the peak memory of a process that streams features of many clips. With
``--networks`` also LPIPS and I3D with random weights, which cost what the published ones do. One thread; best of 3.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
import torchvision
from torch import Tensor

from temporal_gan.features import i3d_features, load_lpips, lpips_distances
from temporal_gan.i3d import I3D
from temporal_gan.metrics import paired, pose, temporal, trajectories
from temporal_gan.metrics.comparison import paired_difference
from temporal_gan.metrics.frechet import FeatureMoments, frechet_distance, frechet_from_moments
from temporal_gan.metrics.kernel import permutation_p_value, squared_mmd, squared_mmd_interval
from temporal_gan.metrics.precision_recall import support
from temporal_gan.metrics.statistics import bootstrap_interval
from temporal_gan.optical_flow import dis_flow, dis_flow_checked
from temporal_gan.puppet import CHARACTERS, MOTIONS, PuppetSpec, render_clip

ROW = "{:44} {:>10}"


def milliseconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The shortest of a few runs."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return 1000 * min(taken)


def clip_pair(index: int, frames: int, size: int) -> dict[str, Tensor]:
    """A puppet clip, the same performance by another character, and the exact flow."""
    names, motions = list(CHARACTERS), list(MOTIONS)
    spec = PuppetSpec(
        names[index % len(names)], motions[index % len(motions)], "auto:happy", index, frames, size
    )
    other = PuppetSpec(names[(index + 1) % len(names)], spec.motion, "auto:happy", index, frames, size)
    clip, made = render_clip(spec, truth=True), render_clip(other)

    def video(pixels: np.ndarray) -> Tensor:
        straight = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        return (straight[:, :3] + 1 - straight[:, 3:]).clamp(0, 1)[None]

    return {
        "real": video(clip.video),
        "made": video(made.video),
        "flow": torch.from_numpy(clip.flow)[None],
        "valid": torch.from_numpy(clip.flow_valid)[None],
        "target": torch.from_numpy(clip.keypoints)[None] * size,
        "points": torch.from_numpy(made.keypoints)[None] * size,
        "known": torch.from_numpy(clip.confidence)[None],
    }


def bytes_of(video: Tensor) -> np.ndarray:
    return (video[0] * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def per_clip(pair: dict[str, Tensor]) -> dict[str, Callable[[], object]]:
    """Every metric of one clip that needs no weights."""
    made, real, flow, valid = (pair[name] for name in ("made", "real", "flow", "valid"))
    target, points, known = (pair[name] for name in ("target", "points", "known"))
    mask = paired.union_foreground(made, real)
    moved, here = torch.from_numpy(dis_flow(bytes_of(made)))[None], mask[:, :-1]
    side = pose.keypoint_box_side(target, known)
    return {
        "masks of the characters": lambda: paired.union_foreground(made, real),
        "PSNR": lambda: paired.psnr(made, real),
        "PSNR, character": lambda: paired.foreground_psnr(made, real, mask),
        "SSIM, frame and character": lambda: paired.mean_similarity(paired.ssim_map(made, real), mask),
        "sharpness ratio": lambda: paired.sharpness_ratio(made, real, mask),
        "DIS flow": lambda: dis_flow(bytes_of(made)),
        "DIS flow with its check": lambda: dis_flow_checked(bytes_of(made)),
        "warping error, given flow": lambda: temporal.warping_error(made, flow, valid),
        "tOF, given flows": lambda: temporal.flow_distance(moved, flow, here),
        "motion and acceleration ratio, given flows": lambda: (
            temporal.motion_ratio(moved, flow, here),
            temporal.flow_acceleration_ratio(moved, flow, here),
        ),
        "flicker": lambda: temporal.flicker(made, temporal.static_region(flow, valid)),
        "PCK, AKD, MKR": lambda: (
            pose.pck(points, target, known, side),
            pose.keypoint_distance(points, target, known),
        ),
        "acceleration, jerk, acceleration error": lambda: (
            trajectories.acceleration_ratio(points, target, known > 0),
            trajectories.jerk_ratio(points, target, known > 0),
            trajectories.acceleration_error(points, target, known > 0),
        ),
    }


def of_sets() -> dict[str, Callable[[], object]]:
    """Set metrics and statistics, by dimensions D, vectors N and clips."""
    generator = torch.Generator().manual_seed(0)

    def normal(n: int, d: int) -> Tensor:
        return torch.randn(n, d, generator=generator)

    a, b, many_a, many_b = normal(256, 2048), normal(256, 2048), normal(4096, 2048), normal(4096, 2048)
    logits_a, logits_b = normal(2048, 400), normal(2048, 400)
    clips = np.arange(64).repeat(4)
    values = np.random.default_rng(0).standard_normal((2, 10_000))
    streamed = FeatureMoments(2048), FeatureMoments(2048)
    for moments, features in zip(streamed, (many_a, many_b), strict=True):
        for batch in features.split(512):
            moments.update(batch)

    def rng() -> np.random.Generator:
        return np.random.default_rng(0)

    return {
        "Frechet distance, D = 2048, N = 256": lambda: frechet_distance(a, b),
        "Frechet distance, D = 400, N = 2048": lambda: frechet_distance(logits_a, logits_b),
        "Frechet of streamed moments, D = 2048, N = 4096": lambda: frechet_from_moments(*streamed),
        "squared MMD (KID), D = 2048, N = 256": lambda: squared_mmd(a, b),
        "its permutation test, 64 clips, 999 deals": lambda: permutation_p_value(a, b, clips, clips, seed=0),
        "its jackknife interval, 64 clips": lambda: squared_mmd_interval(a, b, clips, clips),
        "precision, recall, density, coverage, N = 256": lambda: support(a, b),
        "bootstrap interval, 10,000 clips": lambda: bootstrap_interval(values[0], rng()),
        "paired difference, 10,000 clips": lambda: paired_difference(*values, rng()),
    }


def of_networks(pair: dict[str, Tensor]) -> dict[str, Callable[[], object]]:
    """Networks with random weights: as fast as with the published ones. One clip each."""
    with tempfile.TemporaryDirectory() as room:
        file = Path(room) / "alexnet.pth"
        torch.save(torchvision.models.alexnet(weights=None).state_dict(), file)
        perceptual = load_lpips(file)
    inflated = I3D().eval().requires_grad_(False)
    made, real = pair["made"], pair["real"]
    return {
        "LPIPS, every frame": lambda: lpips_distances(perceptual, made[0], real[0]),
        "I3D, one clip": lambda: i3d_features(inflated, made),
    }


def streaming_memory(clips: int) -> float:
    """MiB that a process of its own had at most while it streamed 4 features of each clip (Linux)."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_memory, (clips,))


def _peak_memory(clips: int) -> float:
    moments, generator = FeatureMoments(512), torch.Generator().manual_seed(0)
    for _ in range(clips):
        moments.update(torch.randn(4, 512, generator=generator))
    # The kernel's own peak of this program; getrusage would count what the parent process had.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="64,128,256")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--networks", action="store_true")
    parser.add_argument("--memory-clips", default="1000,10000")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    sizes = [int(size) for size in options.sizes.split(",")]
    print(f"One thread; a clip has {options.frames} frames.\n")
    print(ROW.format("ms a clip", f"{sizes[0]} px") + "".join(f"{size:>7} px" for size in sizes[1:]))
    costs = [per_clip(clip_pair(1, options.frames, size)) for size in sizes]
    for name in costs[0]:
        numbers = [milliseconds(cost[name]) for cost in costs]
        print(ROW.format(name, f"{numbers[0]:.1f}") + "".join(f"{number:10.1f}" for number in numbers[1:]))
    pairs = [per_clip(clip_pair(i, 16, 64)) for i in range(8)]
    everything = milliseconds(lambda: [work() for pair in pairs for work in pair.values()])
    print(ROW.format("\nall of them, 8 clips of 16 frames, 64 px", f"{everything:.0f}"))
    print("\n" + ROW.format("ms", ""))
    for name, work in of_sets().items():
        print(ROW.format(name, f"{milliseconds(work):.0f}"))
    if options.networks:
        print("\n" + ROW.format("random weights, ms a clip of 16 frames, 128 px", ""))
        for name, work in of_networks(clip_pair(1, 16, 128)).items():
            print(ROW.format(name, f"{milliseconds(work, 1):.0f}"))
    print("\n" + ROW.format("features of many clips streamed", "peak MiB"))
    for clips in map(int, options.memory_clips.split(",")):
        print(ROW.format(f"{clips} clips", f"{streaming_memory(clips):.0f}"))


if __name__ == "__main__":
    main()
