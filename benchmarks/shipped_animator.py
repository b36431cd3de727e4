"""The animator that comes with the package, from a run on cast and sampled characters.

    python benchmarks/shipped_animator.py --run RUN [--frames 3]

Keeps the run's weights and the named cast, and gives each of the cast a few reference frames: neutral ones of known
motions, chosen so that every pose is near one of them. Writes temporal_gan/animators/base.safetensors.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from temporal_gan.data.references import choose_references
from temporal_gan.errors import UserError
from temporal_gan.inference.weights_file import ANIMATORS, SHIPPED, load_generator, save_animator
from temporal_gan.puppet import CHARACTERS, PuppetSpec, render_clip

MOTIONS = ("idle", "walk", "run", "wave", "jump", "bow", "point", "cheer")
"""None of those that the run holds out."""

EVERY = 4
"""Frames of a rendered clip from one candidate to the next."""


def bank(character: str, size: int, count: int) -> dict[str, np.ndarray]:
    """The ``count`` frames that together lie nearest to all poses of the motions; as
    :meth:`temporal_gan.data.references.ReferencePool.bank`."""
    clips = [
        render_clip(PuppetSpec(character, motion, "neutral", seed, 32, size))
        for motion in MOTIONS
        for seed in (0, 1)
    ]
    frames = {
        name: np.concatenate([getattr(clip, name)[::EVERY] for clip in clips])
        for name in ("video", "keypoints", "confidence", "layer")
    }
    frames["video"] = frames["video"].transpose(0, 3, 1, 2)
    poses = frames["keypoints"], frames["confidence"]
    chosen = choose_references(*poses, *poses, count)
    return {name: values[chosen] for name, values in frames.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder, or its animator.safetensors")
    parser.add_argument("--frames", type=int, default=3, help="reference frames of each of the cast")
    parser.add_argument("--out", type=Path, default=ANIMATORS / f"{SHIPPED}.safetensors")
    options = parser.parse_args()
    generator, _ = load_generator(options.run)
    if generator.character is not None:
        raise UserError(
            f"{options.run}: model.identity is {generator.config.identity}, an embedding with a row for each of the "
            "run's own characters; ship a run with model.identity=references"
        )
    cast = tuple(CHARACTERS)
    generator.domain = replace(generator.domain, characters=cast)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_animator(
        options.out, generator, {name: bank(name, generator.config.size, options.frames) for name in cast}
    )
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
