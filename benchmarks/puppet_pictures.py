"""Draws the pictures of the puppet in docs/: its cast, its faces, its motions, and ten seconds of it moving.

    python benchmarks/puppet_pictures.py --out docs

Writes ``cast.png``, ``expressions.png`` (every character, every class at full intensity), ``motions.png`` (a strip of
each), ``puppet_reel.mp4`` and ``puppet_reel.gif``.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from temporal_gan.alpha import over_white
from temporal_gan.expressions import CLASSES
from temporal_gan.puppet import CHARACTERS, PuppetSpec, render_clip
from temporal_gan.puppet.motion import MOTIONS
from temporal_gan.video_io import write_frames

FACE = 112
CAST_COLUMNS = 10
STRIP_FRAMES = 8
SHOTS = (
    (("hana", "wave", "auto:happy"), ("park", "day", "still")),
    (("kon", "run", "auto:happy"), ("hills", "day", "still")),
    (("pipi", "dance", "auto:happy"), ("dots", "day", "still")),
    (("kaito", "bow", "auto:embarrassed"), ("room", "right", "zoom")),
    (("mei", "cheer", "auto:surprised>happy"), ("park", "dusk", "shake")),
    (("kuma", "sit-down", "auto:sad"), ("hills", "dusk", "pan")),
    (("yuki", "point", "auto:angry"), ("stripes", "back", "still")),
    (("sample:5", "clap", "auto:happy"), ("room", "day", "still")),
    (("momo", "jump", "auto:happy"), ("hills", "day", "still")),
    (("leo", "walk", "auto:scared"), ("park", "night", "still")),
    (("sumire", "shake", "auto:disgusted"), ("room", "day", "still")),
    (("miko", "fall-asleep", "auto:neutral"), ("room", "night", "zoom")),
)
"""Six at a time, five seconds each."""


def labelled(picture: np.ndarray, text: str, height: int = 18) -> np.ndarray:
    """A picture [H, W, 3] over its caption."""
    caption = Image.new("RGB", (picture.shape[1], height), "white")
    ImageDraw.Draw(caption).text(
        (picture.shape[1] // 2, height // 2), text, fill="#333333", anchor="mm", font_size=12
    )
    return np.concatenate([picture, np.asarray(caption)])


def grid(pictures: list[np.ndarray], columns: int) -> np.ndarray:
    """Pictures of one shape, in rows; the last row must be full."""
    rows = [pictures[i : i + columns] for i in range(0, len(pictures), columns)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def cast_sheet() -> np.ndarray:
    """Every character standing."""
    pictures = []
    for name in CHARACTERS:
        clip = render_clip(PuppetSpec(name, "idle", "happy:0.3", 4, frames=8, size=224))
        pictures.append(labelled(over_white(clip.video[4])[:, 44:-44], name))
    return grid(pictures, CAST_COLUMNS)


def expression_sheet() -> np.ndarray:
    """A row a character, a column a class: the head, cut from a frame of 256 px around the eyes."""
    rows = [[labelled(np.full((1, FACE, 3), 255, np.uint8), name) for name in CLASSES]]
    for character in CHARACTERS:
        row = []
        for name in CLASSES:
            clip = render_clip(PuppetSpec(character, "idle", f"{name}:1.0", 4, 2, 256, coupling=0.3))
            x, y = (clip.keypoints[1, 14:16].mean(axis=0) * 256).astype(int)
            page = cv2.copyMakeBorder(over_white(clip.video[1]), 64, 64, 64, 64, cv2.BORDER_REPLICATE)
            row.append(
                page[y + 64 - FACE * 5 // 9 : y + 64 + FACE * 4 // 9, x + 64 - FACE // 2 : x + 64 + FACE // 2]
            )
        rows.append(row)
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def motion_sheet() -> np.ndarray:
    """A strip a motion, its name below, another character each time."""
    names, rows = list(CHARACTERS), []
    for i, motion in enumerate(MOTIONS):
        character = names[(3 * i + 1) % len(names)]
        clip = render_clip(PuppetSpec(character, motion, "auto:happy", i + 5, 72, 160))
        frames = over_white(clip.video[:: 72 // STRIP_FRAMES])[:, :, 20:-20]
        rows.append(labelled(np.concatenate(list(frames), axis=1), f"{motion} ({character})"))
    return np.concatenate(rows)


def reel(size: int) -> np.ndarray:
    """uint8 [240, 2 size, 3 size, 3]: ten seconds at 24 frames a second."""
    clips = [
        over_white(
            render_clip(
                PuppetSpec(
                    *who,
                    seed=i,
                    frames=120,
                    size=size,
                    lighting=world[1],
                    background=world[0],
                    camera=world[2],
                    hold=2,
                )
            ).video
        )
        for i, (who, world) in enumerate(SHOTS)
    ]
    pages = [
        np.concatenate(
            [np.concatenate(clips[s : s + 3], axis=2), np.concatenate(clips[s + 3 : s + 6], axis=2)], axis=1
        )
        for s in (0, 6)
    ]
    return np.concatenate(pages)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("docs"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    sheets = (("cast", cast_sheet), ("expressions", expression_sheet), ("motions", motion_sheet))
    for name, draw in sheets:
        # 256 colours of a flat drawing's own look the same, in a third of the bytes.
        Image.fromarray(draw()).quantize(256, dither=Image.Dither.NONE).save(
            out / f"{name}.png", optimize=True
        )
    write_frames(out / "puppet_reel.mp4", reel(192), 24.0)
    write_frames(out / "puppet_reel.gif", reel(144)[::2], 12.0)
    print(f"{out}: cast.png, expressions.png, motions.png, puppet_reel.mp4, puppet_reel.gif")


if __name__ == "__main__":
    main()
