"""Where the real frame's joints went in the made frame, by optical flow: reader ``flow_transfer_dis``.

No network reads keypoints here. The joint is followed by DIS flow from the real frame to the made frame of
the same moment: ``predicted = keypoint + flow(keypoint)``. It is found only if going back again returns to
the start, and if the patch around it looks alike at both ends in mean colour and contrast: two flat areas
agree on "no motion" whatever they show, so without that check an empty page would score 100 %.

Limits: it measures the displacement of *matching texture*, so it needs made and real frames of the same
character and drawing style; it follows reliably up to about a tenth of the frame; on flat areas it sees no
small shift; a joint drawn well in a wrong colour counts as missing. It says "the drawing is where it should
be", not "a viewer would recognise the pose". A frozen clip can keep a high share of joints that hardly move:
read it beside its anchors.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..optical_flow import consistent, dis_flow_between

READER = "flow_transfer_dis"

PATCH_SIDE = 7
"""Pixels on a side of the patch that is compared."""

PATCH_DIFFERENCE = 0.1
"""Largest difference of the mean colours, mean over channels, on [0, 1].

On drawn figures of 128 px a blur of 2 px keeps 99 % of the joints, a blank page and swapped colour channels
keep none. (Comparing pixel by pixel instead lost half of the joints of a blurred clip.)
"""

PATCH_CONTRAST = 0.1
"""Smallest contrast left, made / real: a grey page may have the right mean colour, but it has no drawing."""


def transfer_keypoints(real: Tensor, made: Tensor, keypoints: Tensor) -> Tensor:
    """Follow each joint from the real frame into the made frame of the same moment.

    Args:
        real, made: [T, 3, H, W], [0, 1].
        keypoints: [T, J, 2], pixels, pixel centres at whole numbers; may hold NaN.
    Returns:
        [T, J, 2], pixels; NaN where the joint was not found.
    """
    real_u8, made_u8 = to_frames_u8(real), to_frames_u8(made)
    forward = torch.from_numpy(dis_flow_between(real_u8, made_u8))
    backward = torch.from_numpy(dis_flow_between(made_u8, real_u8))
    predicted = keypoints + _sample(forward, keypoints)
    returns = _sample(consistent(forward, backward).float(), keypoints)[..., 0] > 0.5
    inside = _inside(keypoints, real) & _inside(predicted, real)
    colour_real, contrast_real = _patch_look(real, keypoints)
    colour_made, contrast_made = _patch_look(made, predicted)
    alike = (colour_real - colour_made).abs().mean(dim=-1) < PATCH_DIFFERENCE
    # Less than a grey level of contrast is rounding, not a drawing that was lost.
    drawn = contrast_made > PATCH_CONTRAST * contrast_real - 1 / 255
    found = returns & inside & alike & drawn
    return torch.where(found.unsqueeze(-1), predicted, torch.nan)


def to_frames_u8(video: Tensor) -> np.ndarray:
    """[T, 3, H, W] in [0, 1] -> uint8 [T, H, W, 3], rounded (truncating would darken every frame)."""
    return (video * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def _inside(points: Tensor, video: Tensor) -> Tensor:
    height, width = video.shape[-2:]
    x, y = points.unbind(-1)
    return (x >= -0.5) & (y >= -0.5) & (x <= width - 0.5) & (y <= height - 0.5)


def _patch_look(video: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Mean colour [T, J, 3] and contrast (standard deviation) [T, J] around points [T, J, 2] of a video."""
    steps = torch.arange(PATCH_SIDE, dtype=points.dtype) - (PATCH_SIDE - 1) / 2
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1).view(-1, 2)
    around = points.unsqueeze(2) + offsets
    flat = _sample(video, around.flatten(1, 2))
    patches = flat.view(*around.shape[:3], video.shape[1])
    return patches.mean(dim=2), patches.std(dim=2, correction=0).mean(dim=-1)


def _sample(field: Tensor, points: Tensor) -> Tensor:
    """Bilinear values of [T, C, H, W] at pixels [T, P, 2] -> [T, P, C]; NaN positions read the corner."""
    height, width = field.shape[-2:]
    size = torch.tensor([max(width - 1, 1), max(height - 1, 1)], dtype=field.dtype)
    grid = (2 * points.to(field.dtype) / size - 1).nan_to_num(-1.0).unsqueeze(2)
    values = functional.grid_sample(field, grid, padding_mode="border", align_corners=True)
    return values.squeeze(-1).permute(0, 2, 1)
