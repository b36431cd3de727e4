"""What does each metric cost? One table, one thread, random weights where a network is needed.

OMP_NUM_THREADS=1 python benchmarks/metric_cost.py [--repeats 3]
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import torch
import torchvision
from distortion_battery import clip_values, set_values
from distortions import battery, rendered

from temporal_gan.features import i3d_features, load_lpips, lpips_distances
from temporal_gan.i3d import I3D
from temporal_gan.metrics import paired
from temporal_gan.metrics.frechet import FeatureMoments, frechet_distance, frechet_from_moments
from temporal_gan.metrics.kernel import kid, squared_mmd
from temporal_gan.metrics.precision_recall import support
from temporal_gan.puppet.clip import random_specs


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The fastest run: the others were disturbed."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def streamed_memory(rows: int, dimensions: int) -> float:
    """Growth of the process, in MiB, while a set of this size streams through the accumulator."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    moments, generator = FeatureMoments(dimensions), torch.Generator().manual_seed(0)
    for _ in range(rows // 16):
        moments.update(torch.randn(16, dimensions, generator=generator))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    # Memory first: the peak of a process never falls again.
    memory = {rows: streamed_memory(rows, 512) for rows in (1000, 10_000)}

    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(256, 2048, generator=generator) for _ in range(2))
    big_a, big_b = (torch.randn(1000, 2048, generator=generator) for _ in range(2))
    streams = [FeatureMoments(400), FeatureMoments(400)]
    for stream in streams:
        stream.update(torch.randn(2048, 400, generator=generator))
    specs = random_specs(8, seed=0, frames=16, size=64)
    truths = [rendered(spec) for spec in specs]
    made = [battery(spec, truth.real, 0)["noise 0.02"] for spec, truth in zip(specs, truths, strict=True)]
    video, real = (torch.rand(1, 16, 3, 128, 128, generator=generator) for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "alexnet.pth"
        torch.save(torchvision.models.alexnet(weights=None).state_dict(), file)
        perceptual = load_lpips(file)
    network = I3D().eval()

    def first_tier() -> None:
        for one, truth in zip(made, truths, strict=True):
            clip_values(one, truth)
        set_values(made, [truth.real for truth in truths], specs[0].fps)

    rows: list[tuple[str, Callable[[], object]]] = [
        ("Frechet, 256 against 256, d = 2048", lambda: frechet_distance(a, b)),
        ("Frechet from streamed moments, 2048 against 2048, d = 400", lambda: frechet_from_moments(*streams)),
        ("squared MMD, 256 against 256, d = 2048", lambda: squared_mmd(a, b)),
        ("KID, 10 subsets of 1000, d = 2048", lambda: kid(big_a, big_b, subsets=10)),
        ("precision, recall, density, coverage, 256 against 256", lambda: support(a, b)),
        ("all metrics without weights, 8 clips of 16 x 64 x 64", first_tier),
        ("PSNR, 16 x 128 x 128", lambda: paired.psnr(video, real)),
        ("SSIM, 16 x 128 x 128", lambda: paired.ssim(video, real)),
        ("LPIPS, 16 x 128 x 128", lambda: lpips_distances(perceptual, video[0], real[0])),
        ("I3D features, one clip of 16 frames", lambda: i3d_features(network, video)),
    ]
    print("| metric | ms |\n|---|---|")
    for name, work in rows:
        print(f"| {name} | {1000 * seconds(work, repeats):.1f} |", flush=True)
    print("\n| vectors streamed, d = 512 | peak growth, MiB |\n|---|---|")
    for count, grown in memory.items():
        print(f"| {count} | {grown:.0f} |")


if __name__ == "__main__":
    main()
