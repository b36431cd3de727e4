"""Makes the pictures in docs/ from a finished demo: what the README shows is what a user gets.

    python benchmarks/documentation_pictures.py --demo demo --out docs

Writes ``made_and_real.png`` (rows in pairs: real test clips, and the same poses and expressions made by the network)
``reel.gif`` (generated clips side by side), and ``shipped.gif`` (the shipped animator, no training).
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from temporal_gan.batch import composite_on_white
from temporal_gan.data.store import Store
from temporal_gan.evaluation.pairing import pair_run
from temporal_gan.inference.animator import Animator, load_animator
from temporal_gan.video_io import write_frames

COLUMNS = 8
SIDE = 128
SHIPPED = (
    ("hana", "wave", "neutral>happy"), ("kaito", "walk", "sad"), ("kuro", "dance", "happy>angry"),
    ("amara", "jump", "surprised"), ("momo", "clap", "neutral>embarrassed"),
)  # fmt: skip
"""Who, which motion, which expression; dance and clap were held out of the training."""


def contact_sheet(animator: Animator, store: Store) -> Tensor:
    """[3, H, W] in [0, 1]: two rows a test clip, real above made, evenly spread frames."""
    rows = []
    for pair in pair_run(animator, store):
        pick = torch.linspace(0, len(pair.real) - 1, COLUMNS).round().long()
        for video in (pair.real, pair.made):
            frames = composite_on_white(video[pick])
            frames = functional.interpolate(frames, (SIDE, SIDE), mode="bicubic").clamp(0, 1)
            rows.append(torch.cat(list(frames), dim=-1))
    return torch.cat(rows, dim=-2)


def reel(animator: Animator, frames: int, size: int) -> Tensor:
    """[T, 3, size, N * size]: every character, walking, waving and jumping, changing its expression."""
    motions = ("wave", "jump") if len(animator.characters) > 1 else ("wave", "jump", "walk")
    faces = ("neutral>happy", "happy>sad", "sad>neutral")
    shows = [(c, m, e) for c in animator.characters for m, e in zip(motions, faces, strict=False)]
    clips = [animator.generate(f"motion:{m}", e, c, frames, size) for c, m, e in shows]
    return torch.cat([composite_on_white(c) for c in clips], dim=-1)


def shipped_reel(frames: int) -> Tensor:
    """[T, 3, 128, N * 128]: characters of the shipped animator side by side."""
    animator = load_animator()
    clips = [animator.generate(f"motion:{m}", e, c, frames) for c, m, e in SHIPPED]
    return torch.cat([composite_on_white(c) for c in clips], dim=-1)


def to_bytes(video: Tensor) -> np.ndarray:
    """[T, 3, H, W] in [0, 1] -> uint8 [T, H, W, 3]."""
    return (video * 255).round().byte().permute(0, 2, 3, 1).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--demo", type=Path, default=Path("demo"), help="folder of a finished `temporal-gan demo`"
    )
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    animator = load_animator(options.demo / "run")
    options.out.mkdir(parents=True, exist_ok=True)
    sheet = contact_sheet(animator, Store.open(options.demo / "store"))
    write_frames(options.out / "made_and_real.png", to_bytes(sheet[None]), 1.0)
    write_frames(options.out / "reel.gif", to_bytes(reel(animator, 48, 160)), animator.fps / 2)
    write_frames(options.out / "shipped.gif", to_bytes(shipped_reel(48)), 12.0)
    print(f"{options.out}: made_and_real.png, reel.gif, shipped.gif")


if __name__ == "__main__":
    main()
