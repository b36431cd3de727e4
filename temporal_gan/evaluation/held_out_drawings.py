"""Held-out drawings of a character: what a picture of one scores, and the floor, a warp with nothing learned."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..data.manifest import ClipRow
from ..data.store import Store
from ..errors import StoreError
from ..limb_warp import limb_warp
from ..metrics import paired


def nearest_warp(store: Store, layered: bool) -> Callable[[ClipRow], Tensor]:
    """The bare limb warp: the training drawing in the nearest pose, carried limb by limb to a held-out drawing's pose.

    Args:
        store: of square drawings of one size, a clip of one frame each.
        layered: depth layer by depth layer, by the held-out drawing's own layers.
    Returns:
        a function of a drawing's row: float32 [1, C, S, S] in [0, 1].
    Raises:
        StoreError: drawings that are not square.
    """
    rows = store.split("train")
    oblong = next((row.id for row in store.clips if row.width != row.height), None)
    if oblong is not None:
        raise StoreError(f"{store.path}: drawing {oblong} is not square, and the bare warp is for squares")
    labels = [store.labels(row.id) for row in rows]

    def warp(held_out: ClipRow) -> Tensor:
        target = store.labels(held_out.id)
        shared = [(target.confidence[0] > 0) & (drawing.confidence[0] > 0) for drawing in labels]
        distance = [
            ((d.keypoints[0] - target.keypoints[0]) ** 2).sum(-1)[s].mean() if s.any() else np.inf
            for d, s in zip(labels, shared, strict=True)
        ]
        best = int(np.argmin(distance))
        picture = torch.from_numpy(store.frames(rows[best].id)).permute(0, 3, 1, 2)[None].float() / 255
        source = labels[best]
        poses = (source.keypoints, source.confidence, target.keypoints, target.confidence)
        told = [torch.from_numpy(values)[None] for values in poses]
        layer = torch.from_numpy(target.layer.astype(np.int64))[None] if layered else None
        edges = store.info.skeleton.edges
        return limb_warp(picture, told[0], told[1], told[2], told[3], edges, layer)[0, :, 0]

    return warp


def picture_scores(made: Tensor, real: Tensor) -> dict[str, float]:
    """PSNR and SSIM of a picture, of the character alone, and how sharp it is.

    Args:
        made, real: [1, 3, H, W] in [0, 1].
    Returns:
        ``psnr``, ``ssim``, ``foreground_psnr``, ``foreground_ssim``, ``sharpness_ratio`` (made / real).
    """
    made, real = made[None], real[None]
    mask = paired.union_foreground(made, real)
    values = {
        "psnr": paired.psnr(made, real),
        "ssim": paired.ssim(made, real),
        "foreground_psnr": paired.foreground_psnr(made, real, mask),
        "foreground_ssim": paired.ssim(made, real, mask),
        "sharpness_ratio": paired.sharpness_ratio(made, real, mask),
    }
    return {name: float(value) for name, value in values.items()}
