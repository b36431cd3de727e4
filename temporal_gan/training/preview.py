"""What a run shows of itself on the way: real beside made clips, and the DCGAN's grid."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.utils import make_grid

from .. import rng
from ..batch import ClipBatch, composite_on_white, to_display_range
from ..data.clips import collate, with_nearest_references
from ..inference.weights_file import References
from ..metrics.paired import foreground_psnr, union_foreground
from ..models.generator import Generator
from ..video_io import write_frames

CLIPS, FRAMES = 4, 24


def preview_clips(
    clips: list[ClipBatch],
    banks: References,
    characters: tuple[str, ...],
    references: int,
    flip: np.ndarray | None = None,
) -> ClipBatch:
    """The first frames of a few whole clips as one batch, without flow; all as long as the shortest.

    Args:
        clips: batches of one.
        banks: each character's reference frames; a target must not be among them, or its picture proves nothing.
        characters: names in the order of their indices.
        references: R; 0: none are added.
        flip: the skeleton's flip permutation, to choose among mirrored references too; None: not.
    """
    count = min(FRAMES, min(c.video.shape[1] for c in clips))
    cut = [clip.frames(slice(count)) for clip in clips[:CLIPS]]
    if references:
        who = [characters[int(clip.character)] for clip in cut]
        cut = [
            with_nearest_references(c, banks.get(w, {}), references, flip)
            for c, w in zip(cut, who, strict=True)
        ]
    return collate(cut)


@torch.no_grad()
def write_clip_preview(
    path: Path, generator: Generator, clips: ClipBatch, fps: float
) -> tuple[float, Tensor]:
    """Write ``path`` (.mp4): real above made, a column a clip.

    Returns:
        mean foreground PSNR in dB, and the middle frame as a picture [3, H, W] in [0, 1].
    """
    weight = next(generator.parameters())
    generator.eval()
    batch = clips.to(weight.device, weight.dtype)
    condition = generator.tell(batch)
    noise = rng.normal((len(clips), generator.config.nz), 0, "preview").to(weight)
    made, _ = generator(condition, noise)
    generator.train()
    real = to_display_range(clips.video)
    made_rgb, real_rgb = composite_on_white(to_display_range(made.float().cpu())), composite_on_white(real)
    psnr = foreground_psnr(made_rgb, real_rgb, union_foreground(made_rgb, real))
    rows = torch.cat([torch.cat(list(real_rgb), dim=-1), torch.cat(list(made_rgb), dim=-1)], dim=-2)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_frames(path, (rows * 255).round().byte().permute(0, 2, 3, 1).numpy(), fps)
    return float(psnr.nanmean()), rows[len(rows) // 2]


def write_picture_grid(path: Path, images: Tensor) -> Tensor:
    """Write pictures [N, 3, S, S] in [-1, 1] as one PNG, eight a row; returns the grid [3, H, W] in [0, 1]."""
    grid = make_grid(to_display_range(images), nrow=8, padding=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_frames(path, (grid * 255).round().byte().permute(1, 2, 0)[None].numpy(), 1.0)
    return grid


@torch.no_grad()
def sample_pictures(generator: nn.Module, noise: Tensor, label: Tensor, batch: int = 64) -> Tensor:
    """Pictures [N, 3, S, S] of noise [N, nz] and labels [N], a batch at a time, in the generator's present mode."""
    # Around a compiled network, which would be compiled anew for this batch.
    made = [generator.forward(n, c) for n, c in zip(noise.split(batch), label.split(batch), strict=True)]
    return torch.cat(made).float().cpu()
