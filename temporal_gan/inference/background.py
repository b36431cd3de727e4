"""What a clip with alpha is shown on."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import UserError
from ..video_io import read_frames


def lay_on_background(video: Tensor, background: str) -> Tensor:
    """Lay a clip on ``white``, on a picture, or leave it as it is (``none``).

    Args:
        video: [T, C, H, W] in [0, 1]; without alpha (C = 3) there is nothing to lay, and a picture is refused.
        background: ``white``, ``none``, or a picture's path; it is scaled to cover the frame, and cut.
    Returns:
        [T, 3, H, W] in [0, 1], or the clip itself.
    Raises:
        UserError: no such picture, or a clip without alpha.
    """
    if background == "none" or (background == "white" and video.shape[1] == 3):
        return video
    if video.shape[1] == 3:
        raise UserError(f"--background {background}: this animator was trained on clips without alpha")
    behind = (
        torch.ones_like(video[:1, :3]) if background == "white" else _picture(background, *video.shape[-2:])
    )
    return (video[:, :3] + (1 - video[:, 3:]) * behind).clamp(0, 1)


def _picture(path: str, height: int, width: int) -> Tensor:
    if not Path(path).is_file():
        raise UserError(f"--background {path!r}: expected white, none, or a picture; there is no such file")
    frame = (
        torch.from_numpy(read_frames(path).frames_u8[0, :, :, :3].copy()).permute(2, 0, 1)[None].float() / 255
    )
    scale = max(height / frame.shape[-2], width / frame.shape[-1])
    wanted = [max(height, round(frame.shape[-2] * scale)), max(width, round(frame.shape[-1] * scale))]
    scaled = functional.interpolate(frame, wanted, mode="bilinear", antialias=True)
    top, left = (wanted[0] - height) // 2, (wanted[1] - width) // 2
    return scaled[:, :, top : top + height, left : left + width]
