"""Progressive growing: coarse pictures first, finer ones faded in.

Karras et al. 2018 (arXiv 1710.10196), sec. 2 and appendix A.2. There both networks start at 4x4 and new layers fade in,
and real pictures are interpolated between two resolutions as the networks are. Here no network grows: the generator
makes full-size clips from the first step, and what grows is how finely they, and the real ones alike, are seen by the
critics and every loss. So steps take the same time at every stage, the fine layers exist (and get no gradient from
detail) before their stage, and no weight is new when it fades in. What reads details from a picture (pose, expression,
flow) reads little from a coarse one.
"""

from collections.abc import Sequence

from pydantic import Field
from torch import Tensor
from torch.nn import functional

from ..config import Section


class GrowingStage(Section):
    """Coarser pictures at the start."""

    size: int = Field(ge=4, description="pixels per side that are told apart, a power of two")
    until_step: int = Field(ge=1, description="before this step")


def check_growing(stages: Sequence[GrowingStage], size: int) -> None:
    """Raise ValueError unless stages grow, in powers of two, up to pictures of ``size`` pixels."""
    sizes, ends = [*(s.size for s in stages), size], [s.until_step for s in stages]
    if any(s & (s - 1) for s in sizes[:-1]):
        raise ValueError(f"data.growing: sizes must be powers of two; they are {sizes[:-1]}")
    if any(b <= a for a, b in zip(sizes, sizes[1:], strict=False)):
        raise ValueError(f"data.growing: sizes must grow up to model.size; they are {sizes}")
    if any(b <= a for a, b in zip(ends, ends[1:], strict=False)):
        raise ValueError(f"data.growing: until_step must grow; it is {ends}")


def grown(video: Tensor, stages: Sequence[GrowingStage], step: int) -> Tensor:
    """Clips as this step's losses see them; linear, and differentiable in the clips.

    Args:
        video: [B, T, C, H, W], sides a multiple of every stage's size.
        stages: coarse to fine; none: nothing is changed.
        step: 0, 1, 2 ... A stage shows its own size for the first half of its steps, then a mix that moves linearly to
            the next stage's.
    Returns:
        the same shape; after the last stage the same tensor.
    """
    begin = 0
    for place, stage in enumerate(stages):
        if step < stage.until_step:
            middle = (begin + stage.until_step) / 2
            share = max(0.0, step - middle) / (stage.until_step - middle)
            coarse = _as_coarse(video, stage.size)
            if not share:
                return coarse
            finer = _as_coarse(video, stages[place + 1].size) if place + 1 < len(stages) else video
            return coarse.lerp(finer, share)
        begin = stage.until_step
    return video


def _as_coarse(video: Tensor, size: int) -> Tensor:
    """Averaged over squares, so that ``size`` of them make a side, and drawn as squares again."""
    frames = video.flatten(0, 1)
    block = video.shape[-1] // size
    small = functional.avg_pool2d(frames, block)
    return functional.interpolate(small, scale_factor=block, mode="nearest").view_as(video)
