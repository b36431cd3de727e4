"""What can go wrong with a clip, each fault alone and at known strength.

A fault acts on the pictures and on what an ideal reader would read from them, so keypoint metrics are tested
without the error of any reader.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from temporal_gan.batch import composite_on_white
from temporal_gan.features import to_uint8
from temporal_gan.optical_flow import dis_flow
from temporal_gan.puppet import PuppetSpec, render_clip
from temporal_gan.warping import warp_backward


@dataclass(frozen=True)
class Performance:
    """A clip and its ideal readings.

    Attributes:
        video: [T, 3, H, W], [0, 1], on white.
        keypoints: [T, J, 2], pixels.
        present: bool [T, J].
        expression: [T, E], intensities.
    """

    video: Tensor
    keypoints: Tensor
    present: Tensor
    expression: Tensor


@dataclass(frozen=True)
class Truth:
    """The real clip, with the exact flow [T-1, 2, H, W], its validity and the character's mask [T-1, 1, H, W]; the DIS
    flow [T-1, 2, H, W], which is what the flow of a made clip may be compared with; and which joints are not hidden,
    bool [T, J]."""

    real: Performance
    visible: Tensor
    flow: Tensor
    estimated: Tensor
    valid: Tensor
    character: Tensor


def rendered(spec: PuppetSpec) -> Truth:
    """A puppet clip and all that is known about it."""
    clip = render_clip(spec, truth=True)
    assert clip.flow is not None
    assert clip.flow_valid is not None
    assert clip.part_map is not None
    video = torch.from_numpy(clip.video).permute(0, 3, 1, 2).float() / 255
    real = Performance(
        composite_on_white(video),
        torch.from_numpy(clip.keypoints) * spec.size,
        torch.from_numpy(clip.confidence) > 0,
        torch.from_numpy(clip.expression),
    )
    character = torch.from_numpy(clip.part_map[:-1] > 0)[:, None]
    estimated = torch.from_numpy(dis_flow(to_uint8(real.video).permute(0, 2, 3, 1).numpy()))
    return Truth(
        real,
        torch.from_numpy(clip.confidence) > 0.75,
        torch.from_numpy(clip.flow),
        estimated,
        torch.from_numpy(clip.flow_valid),
        character,
    )


def battery(spec: PuppetSpec, real: Performance, seed: int) -> dict[str, Performance]:
    """Every fault of one clip, by name; ``clean`` is the clip itself."""
    rng = np.random.default_rng(seed)
    frames, size = len(real.video), real.video.shape[-1]
    order = _derangement(frames, rng)
    # One draw for all strengths: what differs between them is the strength alone.
    gains = torch.from_numpy(rng.standard_normal((frames, 1, 1, 1))).float()
    noise = torch.from_numpy(rng.standard_normal(tuple(real.video.shape))).float()
    shifts = torch.from_numpy(rng.standard_normal((frames, 2))).float()
    other_face = "auto:angry" if "angry" not in spec.expression else "auto:happy"
    other_one = "miko" if spec.character == "hana" else "hana"
    made = {"clean": real, "freeze": reordered(real, np.zeros(frames, int))}
    made |= {f"flicker {p} %": flickering(real, gains, p / 100) for p in (1, 2, 5, 10)}
    made |= {f"noise {sd:g}": noisy(real, noise, sd) for sd in (0.01, 0.02, 0.05)}
    # Strengths are told at 64 pixels, so that they mean the same at every size.
    made |= {f"jitter {px:g} px": jittering(real, shifts, px * size / 64) for px in (0.25, 0.5, 1.0, 2.0)}
    made["shuffle"] = reordered(real, order)
    made["reverse"] = reordered(real, np.arange(frames)[::-1].copy())
    made["speed x2"] = rendered_fast(spec)
    made["wrong expression"] = rendered(replace(spec, expression=other_face)).real
    made["wrong character"] = rendered(replace(spec, character=other_one)).real
    return made


def reordered(clip: Performance, order: np.ndarray) -> Performance:
    """Frames in another order: frozen, shuffled, reversed."""
    index = torch.from_numpy(order)
    return _every(clip, lambda x: x[index])


def rendered_fast(spec: PuppetSpec) -> Performance:
    """Twice the speed: every other frame of a clip of twice the length."""
    long = rendered(replace(spec, frames=2 * spec.frames)).real
    return _every(long, lambda x: x[::2])


def flickering(clip: Performance, gains: Tensor, strength: float) -> Performance:
    """Brightness of each frame times ``1 - strength * |gain|``: darker only, a white page has no room above."""
    return replace(clip, video=(clip.video * (1 - strength * gains.abs())).clamp(0, 1))


def noisy(clip: Performance, noise: Tensor, strength: float) -> Performance:
    """Independent noise of this standard deviation at every pixel."""
    return replace(clip, video=(clip.video + strength * noise).clamp(0, 1))


def jittering(clip: Performance, shifts: Tensor, strength: float) -> Performance:
    """Each frame moved as a whole by ``strength * shift`` pixels, sub-pixel; the keypoints move along."""
    moved = strength * shifts
    height, width = clip.video.shape[-2:]
    # A picture that moves by +d is sampled at x - d.
    flow = -moved.view(-1, 2, 1, 1).expand(-1, 2, height, width)
    return replace(clip, video=warp_backward(clip.video, flow), keypoints=clip.keypoints + moved[:, None])


def _derangement(count: int, rng: np.random.Generator) -> np.ndarray:
    """A random order in which most frames change place."""
    while True:
        order = rng.permutation(count)
        if (order == np.arange(count)).sum() <= 1:
            return order


def _every(clip: Performance, change: Callable[[Tensor], Tensor]) -> Performance:
    return Performance(
        change(clip.video), change(clip.keypoints), change(clip.present), change(clip.expression)
    )
