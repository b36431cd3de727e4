"""The face network by itself: many faces a second, where whole frames give a few.

    python benchmarks/face_stage.py --animator FILE --store STORE --out FILE2 [--faces 6000] [--steps 1500]

Takes an animator's weights, makes one frame each of many clips of a puppet store's train split, cuts out the squares
around their faces, and trains the face network alone to give them the real face and, to the loss reader, the commanded
expression. Everything else stays as it was.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from temporal_gan.batch import composite_on_white, to_display_range
from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import ClipDataset, collate
from temporal_gan.data.store import Store
from temporal_gan.inference.weights_file import load_generator, save_animator
from temporal_gan.losses.consistency import expression_consistency
from temporal_gan.losses.reconstruction import l1
from temporal_gan.models.face import FaceNetwork, cut_square, face_square, paste_square
from temporal_gan.models.generator import Generator
from temporal_gan.models.reader import FACE_JOINTS
from temporal_gan.models.reader_file import load_reader
from temporal_gan.puppet.dataset import exact_flow_source

BATCH, RATE, SMOOTH, EXPRESSION_WEIGHT = 48, 2e-3, 0.02, 0.01


class Faces(NamedTuple):
    """N faces: what the network sees, what it should make, what it is told, and where the square lies."""

    seen: Tensor
    real: Tensor
    told: Tensor
    expression: Tensor
    keypoints: Tensor
    confidence: Tensor
    middle: Tensor
    reach: Tensor


@torch.no_grad()
def cut_faces(generator: Generator, store: Store, count: int, seed: int) -> Faces:
    """Squares of one frame each of ``count`` samples, as the face network meets them."""
    face = generator.face
    assert face is not None
    assert face.joints is not None
    model = generator.config
    cache = open_cache(store, model.size, "exact", exact_flow_source(store))
    data = ClipDataset(store, cache, "train", 1, seed, model.references, smallest_pool=1)
    parts = []
    generator.face = None
    for first in range(0, count, 12):
        batch = replace(collate([data[i] for i in range(first, first + 12)]), flow=None, flow_valid=None)
        condition = generator.tell(batch)
        assert condition.warped is not None
        with torch.autocast("cpu", torch.bfloat16):
            made, _ = generator(condition, torch.randn(12, model.nz))
        middle, reach, _ = face_square(batch.keypoints[:, 0], batch.confidence[:, 0], face.joints)
        frames = torch.cat(
            [made[:, 0].float(), condition.warped.flatten(2, 3)[:, 0], batch.video[:, 0]], dim=1
        )
        crops = cut_square(frames, middle, reach, face.side)
        channels = batch.video.shape[2]
        parts.append(
            Faces(
                crops[:, :-channels],
                crops[:, -channels:],
                condition.face[:, 0],
                batch.expression[:, 0],
                batch.keypoints[:, 0],
                batch.confidence[:, 0],
                middle,
                reach,
            )  # fmt: skip
        )
    generator.face = face
    return Faces(*(torch.cat(values) for values in zip(*parts, strict=True)))


def train_faces(face: FaceNetwork, faces: Faces, size: int, steps: int, seed: int) -> None:
    """Adam with a rate that rises over 50 steps and falls over the second half."""
    reader = load_reader("loss").eval().requires_grad_(False)
    draw = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(face.parameters(), RATE, betas=(0.9, 0.99))
    began = time.monotonic()
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 50) * max(0.05, min(1, 2 - 2 * step / steps))
        chosen = torch.randint(len(faces.seen), (BATCH,), generator=draw)
        part = Faces(*(values[chosen] for values in faces))
        with torch.autocast("cpu", torch.bfloat16):
            residual = face.repaint(part.seen, part.told)
        made = part.seen[:, : part.real.shape[1]] + residual.float()
        page = paste_square(made, part.middle, part.reach, size)
        frames = composite_on_white(to_display_range(page[:, None]))[:, 0]
        with torch.autocast("cpu", torch.bfloat16):
            read = reader.read_expression(frames, part.keypoints, part.confidence)
        known = torch.ones(BATCH, 1, part.expression.shape[-1], dtype=torch.bool)
        plain = part.confidence[:, FACE_JOINTS].amin(-1) >= 0.75
        missed = expression_consistency(
            *(logits.float()[:, None] for logits in read), part.expression[:, None], known, plain[:, None]
        ).mean()
        pixels = l1(made, part.real, SMOOTH).mean()
        adam.zero_grad()
        (pixels + EXPRESSION_WEIGHT * missed).backward()
        adam.step()
        if (step + 1) % 100 == 0:
            spent = time.monotonic() - began
            print(
                f"{step + 1}: {spent:.0f} s, pixels {float(pixels):.4f}, expression {float(missed):.3f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--animator", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--into", type=Path, help="give the face to these weights, which were trained on meanwhile"
    )
    parser.add_argument("--faces", type=int, default=6000, help="a multiple of 12")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_flush_denormal(True)
    generator, _ = load_generator(options.animator)
    assert generator.face is not None
    faces = cut_faces(generator, Store.open(options.store), options.faces, options.seed)
    print(f"{len(faces.seen)} faces", flush=True)
    train_faces(
        generator.face.requires_grad_(True).train(), faces, generator.config.size, options.steps, options.seed
    )
    whole = generator
    if options.into is not None:
        whole, _ = load_generator(options.into)
        assert whole.face is not None
        whole.face.load_state_dict(generator.face.state_dict())
    save_animator(options.out, whole, {})


if __name__ == "__main__":
    main()
