"""How wrong is measured optical flow on drawings? The floor under every metric that uses it.

    python benchmarks/flow_error_floor.py [--sizes 64,128,256] [--frames 16] [--background hills]

Prints, per picture size, the mean end-point error in pixels of OpenCV's DIS against the puppet's exact flow, on valid
pixels of the figure: over all, over those that move by half a pixel or more, and over those that pass DIS's own
forward-backward check, beside the mean length of the exact flow. Pictures are laid on white.
"""

import argparse

import numpy as np

from temporal_gan.alpha import over_white
from temporal_gan.optical_flow import dis_flow_checked
from temporal_gan.puppet import CHARACTERS, MOTIONS, PuppetSpec, render_clip
from temporal_gan.puppet.background import PREFIX


def errors(spec: PuppetSpec) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the valid pixels of the figure [n]: end-point error, length of the exact flow, whether DIS trusts itself."""
    clip = render_clip(spec, truth=True)
    measured, trusted = dis_flow_checked(over_white(clip.video))
    own = np.array([False, *(not name.startswith(PREFIX) for name in clip.parts)])
    chosen = clip.flow_valid[:, 0] & own[clip.part_map[:-1]]
    error = np.linalg.norm(measured.numpy() - clip.flow, axis=1)[chosen]
    return error, np.linalg.norm(clip.flow, axis=1)[chosen], trusted.numpy()[:, 0][chosen]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="64,128,256")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--background", default="transparent")
    options = parser.parse_args()
    for size in map(int, options.sizes.split(",")):
        found = [
            errors(PuppetSpec(c, m, "auto:happy", i, options.frames, size, background=options.background))
            for i, c in enumerate(CHARACTERS)
            for m in MOTIONS
        ]
        error, length, trusted = (np.concatenate(column) for column in zip(*found, strict=True))
        moving = length >= 0.5
        print(
            f"{size:4} px: end-point error {error.mean():.3f} px, moving pixels {error[moving].mean():.3f} px, "
            f"trusted pixels {error[trusted].mean():.3f} px ({trusted.mean():.2f} of all); "
            f"exact flow {length.mean():.3f} px long, moving {length[moving].mean():.3f} px"
        )


if __name__ == "__main__":
    main()
