"""Is the puppet's ground truth exact?

    python benchmarks/puppet_exactness.py [--size 128] [--frames 24] [--world random]

Per motion, over all characters: the mean absolute error on [0, 1] of sampling frame t+1 at x + flow where that
is valid, on the whole frame and on the figure; the fraction of pixels that is valid; the greatest disagreement of
forward and backward flow where both are valid, in pixels. Then, over everything: how often a visible joint, drawn
as a dot, lies on (or within a pixel of) its own part, and how far the middle of the joints of a limb's bone is
from the centroid of the bone in the part map, in pixels, where most of it is seen.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import torch

from temporal_gan.puppet import CHARACTERS, MOTIONS, PuppetClip, PuppetSpec, render_clip
from temporal_gan.puppet.background import PREFIX
from temporal_gan.skeletons import CANONICAL25
from temporal_gan.warping import warp_backward

JOINT_PARTS = {
    "elbow": ("upper_arm", "forearm"),
    "wrist": ("forearm", "hand"),
    "knee": ("thigh", "shin"),
    "ankle": ("shin", "shoe"),
    "heel": ("shoe", "shin"),
    "big_toe": ("shoe",),
}
BONES = {
    "upper_arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "thigh": ("hip", "knee"),
    "shin": ("knee", "ankle"),
}


def warp_error(clip: PuppetClip) -> tuple[np.ndarray, np.ndarray]:
    """Errors [n] of the valid pixels, and whether each is on the figure."""
    video = torch.from_numpy(clip.video).permute(0, 3, 1, 2).float() / 255
    error = (warp_backward(video[1:], torch.from_numpy(clip.flow)) - video[:-1]).abs().mean(dim=1).numpy()
    valid = clip.flow_valid[:, 0]
    return error[valid], figure(clip)[:-1][valid]


def figure(clip: PuppetClip) -> np.ndarray:
    """bool [T, S, S]: the character, not the background."""
    own = np.array([False, *(not name.startswith(PREFIX) for name in clip.parts)])
    return own[clip.part_map]


def disagreement(clip: PuppetClip) -> float:
    """Greatest |forward + backward at its end|, pixels, where both are valid."""
    ahead, behind = torch.from_numpy(clip.flow), torch.from_numpy(clip.flow_backward)
    known = warp_backward(torch.from_numpy(clip.flow_backward_valid).float(), ahead)[:, 0] > 0.999
    both = known & torch.from_numpy(clip.flow_valid[:, 0])
    return float((ahead + warp_backward(behind, ahead)).square().sum(dim=1).sqrt()[both].max())


def joints_on_parts(clip: PuppetClip) -> Iterator[bool]:
    """For every visible limb joint of every frame: one of its parts is drawn within a pixel of it."""
    size = clip.part_map.shape[-1]
    for joint, name in enumerate(CANONICAL25.joints):
        side, _, short = name.partition("_")
        wanted = [clip.parts.index(f"{side}_{piece}") + 1 for piece in JOINT_PARTS.get(short, ())]
        for t in range(len(clip.part_map)):
            if wanted and clip.confidence[t, joint] == 1:
                x, y = np.floor(clip.keypoints[t, joint] * size).astype(int)
                near = clip.part_map[t, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
                yield bool(np.isin(near, wanted).any())


def centroid_errors(clip: PuppetClip) -> Iterator[tuple[str, float]]:
    """(bone, pixels from the middle of its joints to its centroid) where it is seen almost whole."""
    size = clip.part_map.shape[-1]
    y, x = np.mgrid[0:size, 0:size] + 0.5
    for side in ("right", "left"):
        for bone, ends in BONES.items():
            label = clip.parts.index(f"{side}_{bone}") + 1
            seen = clip.part_map == label
            whole = seen.sum(axis=(1, 2)).max()
            start, end = (clip.keypoints[:, CANONICAL25.joints.index(f"{side}_{end}")] * size for end in ends)
            for t in np.flatnonzero(seen.sum(axis=(1, 2)) > 0.9 * whole):
                middle = np.array([x[seen[t]].mean(), y[seen[t]].mean()])
                yield bone, float(np.linalg.norm(middle - (start[t] + end[t]) / 2))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument(
        "--world", choices=("plain", "random"), default="plain", help="light, background, camera"
    )
    options = parser.parse_args()
    world = dict.fromkeys(("lighting", "background", "camera"), "random") if options.world == "random" else {}
    on_part: list[bool] = []
    centroids: dict[str, list[float]] = defaultdict(list)
    for motion in MOTIONS:
        errors, body, valid, body_valid, apart = [], [], [], [], []
        for seed, character in enumerate(CHARACTERS):
            spec = PuppetSpec(character, motion, "auto:happy", seed, options.frames, options.size, **world)
            clip = render_clip(spec, truth=True)
            pixel_errors, of_figure = warp_error(clip)
            errors.append(pixel_errors)
            body.append(pixel_errors[of_figure])
            valid.append(clip.flow_valid.mean())
            body_valid.append(clip.flow_valid[:, 0][figure(clip)[:-1]].mean())
            apart.append(disagreement(clip))
            on_part += joints_on_parts(clip)
            for bone, distance in centroid_errors(clip):
                centroids[bone].append(distance)
        error, on_figure = np.concatenate(errors).mean(), np.concatenate(body).mean()
        print(
            f"{motion:10} warp error {error:.4f}, on the figure {on_figure:.4f}; "
            f"valid {np.mean(valid):.3f}, of the figure {np.mean(body_valid):.3f}; "
            f"forward + backward at most {max(apart):.3f} px"
        )
    print(f"visible joints on their own parts: {np.mean(on_part):.4f} of {len(on_part)}")
    for bone, distances in centroids.items():
        print(f"{bone:10} centroid to middle of joints {np.mean(distances):.2f} px, n {len(distances)}")


if __name__ == "__main__":
    main()
