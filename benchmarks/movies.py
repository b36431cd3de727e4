"""Movies of puppets of any length, of a size that people upload: a few shots, joined again and again as packets."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from strangers import FPS, write_h264

from temporal_gan.alpha import over_white
from temporal_gan.puppet import CHARACTERS, MOTIONS, PuppetSpec, render_clip

WIDTH, HEIGHT = 640, 360
KINDS = {
    f"{ground}, on {pace}": (background, hold)
    for ground, background in (("scenery", "random"), ("plain page", "transparent"))
    for pace, hold in (("ones", 1), ("twos", 2))
}
"""Name -> the puppet's background, and how many frames each drawing is shown."""


def write_shots(folder: Path, kind: str, count: int, frames: int) -> list[Path]:
    """Render shots of one kind, heads and arms as in a medium shot, each a file of its own; what is there is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    background, hold = KINDS[kind]
    characters, motions = sorted(CHARACTERS), sorted(MOTIONS)
    files = []
    for number in range(count):
        seed = 100 * list(KINDS).index(kind) + number
        file = folder / f"{kind} {number}.mp4"
        if not file.exists():
            spec = PuppetSpec(
                character=characters[seed % len(characters)],
                motion=motions[3 * seed % len(motions)],
                expression="auto:happy",
                seed=seed,
                frames=frames,
                size=WIDTH,
                fps=float(FPS),
                background=background,
                hold=hold,
            )
            write_h264(file, over_white(render_clip(spec).video)[:, :HEIGHT], FPS, 20)
        files.append(file)
    return files


def join_shots(file: Path, shots: Sequence[Path], frames: int) -> Path:
    """Put files of equally many frames one after the other without encoding them again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as made:
        stream = None
        for number, shot in enumerate(shots):
            with av.open(str(shot)) as part:
                own = part.streams.video[0]
                stream = stream or made.add_stream_from_template(own)
                shift = round(Fraction(number * frames, FPS) / own.time_base)
                for packet in part.demux(own):
                    if packet.dts is not None and packet.pts is not None:
                        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                        made.mux(packet)
    return file


def shuffled(shots: Sequence[Path], seconds: float, frames: int, seed: int) -> list[Path]:
    """As many shots as fill the time, in an order of their own."""
    order = np.random.default_rng(seed).integers(len(shots), size=round(seconds * FPS / frames))
    return [shots[number] for number in order]
