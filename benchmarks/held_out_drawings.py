"""How well does a run draw poses of drawings it never saw?

    temporal-gan-preprocess import charactergan DRAWINGS --out STORE --hold-out A,B,C
    temporal-gan train drawings256 --data STORE --out RUN
    python benchmarks/held_out_drawings.py --run RUN --store STORE [--pictures DIR]

Prints, for every held-out drawing and on average, at the drawings' own size: PSNR and SSIM of the whole frame and of
the character, and the sharpness ratio; beside them the bare limb warp of the nearest training drawing, the floor, plain
and by depth layers.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from temporal_gan.data.letterbox import Letterbox
from temporal_gan.data.store import Store
from temporal_gan.evaluation.clip_pairs import ClipPair
from temporal_gan.evaluation.pairing import pair_run
from temporal_gan.inference.animator import load_animator
from temporal_gan.limb_warp import limb_warp
from temporal_gan.metrics import paired
from temporal_gan.video_io import write_frames


def nearest_warp(store: Store, layered: bool) -> Callable[[ClipPair], Tensor]:
    """The training drawing in the nearest pose, warped limb by limb at its own size (square drawings only); layered:
    by the held-out drawing's depth layers."""
    rows = store.split("train")
    labels = [store.labels(row.id) for row in rows]

    def warp(pair: ClipPair) -> Tensor:
        assert pair.keypoints is not None
        assert pair.confidence is not None
        target, known = pair.keypoints[0].numpy(), pair.confidence[0].numpy() > 0
        shared = [known & (drawing.confidence[0] > 0) for drawing in labels]
        distance = [
            ((d.keypoints[0] - target) ** 2).sum(-1)[s].mean() for d, s in zip(labels, shared, strict=True)
        ]
        best = int(np.argmin(distance))
        row = rows[best]
        assert Letterbox(row.width, row.height, row.width).inner == (0, 0, row.width, row.width)
        picture = torch.from_numpy(store.frames(row.id)).permute(0, 3, 1, 2)[None].float() / 255
        pose = torch.from_numpy(labels[best].keypoints)[None], torch.from_numpy(labels[best].confidence)[None]
        targets = pair.keypoints[None], pair.confidence[None]
        layer = torch.from_numpy(store.labels(pair.clip_id).layer.astype(np.int64))[None] if layered else None
        return limb_warp(picture, *pose, *targets, store.info.skeleton.edges, layer)[0, :, 0]

    return warp


def scores(made: Tensor, real: Tensor) -> dict[str, float]:
    """Of one picture [1, 3, H, W] in [0, 1]."""
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument(
        "--pictures", type=Path, help="folder for real | made | warped | warped in layers, a PNG a drawing"
    )
    options = parser.parse_args()
    store = Store.open(options.store)
    floors = {"limb warp": nearest_warp(store, False), "layered": nearest_warp(store, True)}
    table: dict[str, list[dict[str, float]]] = {"made": [], "limb warp": [], "layered": []}
    for pair in pair_run(load_animator(options.run), store):
        pictures = {"made": pair.made} | {name: floor(pair) for name, floor in floors.items()}
        for name, picture in pictures.items():
            table[name].append(scores(picture, pair.real))
            print(f"{pair.clip_id:20} {name:10}", *(f"{k} {v:.3f}" for k, v in table[name][-1].items()))
        if options.pictures:
            row = torch.cat([pair.real, *pictures.values()], dim=-1)
            options.pictures.mkdir(parents=True, exist_ok=True)
            pixels = (row * 255).round().byte().permute(0, 2, 3, 1).numpy()
            write_frames(options.pictures / f"{pair.clip_id}.png", pixels, 1.0)
    for name, rows in table.items():
        print(f"{'mean':20} {name:10}", *(f"{k} {np.mean([r[k] for r in rows]):.3f}" for k in rows[0]))


if __name__ == "__main__":
    main()
