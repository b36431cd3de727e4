"""How well does a run draw poses of drawings it never saw?

    temporal-gan-preprocess import charactergan DRAWINGS --out STORE --hold-out A,B,C
    temporal-gan train drawings256 --data STORE --out RUN
    python benchmarks/held_out_drawings.py --run RUN --store STORE [--pictures DIR]

Prints, for every held-out drawing and on average, at the drawings' own size: PSNR and SSIM of the whole frame and of
the character, and the sharpness ratio; beside them the bare limb warp of the nearest training drawing, the floor, plain
and by depth layers.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from temporal_gan.batch import composite_on_white
from temporal_gan.data.store import Store
from temporal_gan.evaluation.held_out_drawings import nearest_warp, picture_scores
from temporal_gan.evaluation.pairing import pair_run
from temporal_gan.inference.animator import load_animator
from temporal_gan.video_io import write_frames


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
        row, real = store.row(pair.clip_id), composite_on_white(pair.real)
        shown = {"made": pair.made} | {name: floor(row) for name, floor in floors.items()}
        pictures = {name: composite_on_white(picture) for name, picture in shown.items()}
        for name, picture in pictures.items():
            table[name].append(picture_scores(picture, real))
            print(f"{pair.clip_id:20} {name:10}", *(f"{k} {v:.3f}" for k, v in table[name][-1].items()))
        if options.pictures:
            strip = torch.cat([real, *pictures.values()], dim=-1)
            options.pictures.mkdir(parents=True, exist_ok=True)
            pixels = (strip * 255).round().byte().permute(0, 2, 3, 1).numpy()
            write_frames(options.pictures / f"{pair.clip_id}.png", pixels, 1.0)
    for name, rows in table.items():
        print(f"{'mean':20} {name:10}", *(f"{k} {np.mean([r[k] for r in rows]):.3f}" for k in rows[0]))


if __name__ == "__main__":
    main()
