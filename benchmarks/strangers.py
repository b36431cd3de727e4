"""Puppet clips written as ordinary H.264 files, for trying preprocessing on what it knows nothing about."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from temporal_gan.alpha import over_white
from temporal_gan.puppet import CHARACTERS, MOTIONS, PuppetClip, PuppetSpec, render_clip
from temporal_gan.puppet.background import PREFIX

FPS = 24
_MOODS = ("happy", "sad", "angry", "surprised", "scared", "disgusted", "embarrassed")


@dataclass(frozen=True)
class Stranger:
    """A file of several shots.

    Attributes:
        file: the .mp4.
        specs: of its shots, in order.
    """

    file: Path
    specs: tuple[PuppetSpec, ...]

    def first_frames(self) -> list[int]:
        """Number of the first frame of each shot."""
        return np.cumsum([0, *(spec.frames for spec in self.specs[:-1])]).tolist()


def stranger_specs(files: int, shots: int, frames: int, size: int, background: str) -> list[list[PuppetSpec]]:
    """What each file shows: shots of one character, of growing length, drawn on ones, twos and threes in turn."""
    characters, motions = sorted(CHARACTERS), sorted(MOTIONS)
    return [
        [
            PuppetSpec(
                character=characters[file % len(characters)],
                motion=motions[(file * shots + shot) % len(motions)],
                expression=f"auto:{_MOODS[(file + shot) % len(_MOODS)]}",
                seed=100 * file + shot,
                frames=frames + 5 * shot,
                size=size,
                fps=float(FPS),
                background=background,
                hold=1 + (file + shot) % 3,
            )
            for shot in range(shots)
        ]
        for file in range(files)
    ]


def write_strangers(folder: Path, files: list[list[PuppetSpec]], crf: int = 20) -> list[Stranger]:
    """Render and encode; a file that is there is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    strangers = []
    for number, specs in enumerate(files):
        settled = tuple(spec.settled() for spec in specs)
        file = folder / f"stranger {number:03d}.mp4"
        if not file.exists():
            write_h264(file, np.concatenate([over_white(render_clip(s).video) for s in settled]), FPS, crf)
        strangers.append(Stranger(file, settled))
    return strangers


def truth_of(spec: PuppetSpec) -> PuppetClip:
    """Everything that is known of one shot."""
    return render_clip(spec, truth=True)


def figure(clip: PuppetClip) -> np.ndarray:
    """bool [T, S, S]: the character itself, without its background."""
    own = np.array([False, *(not name.startswith(PREFIX) for name in clip.parts)])
    return own[clip.part_map]


def write_h264(file: Path, frames_u8: np.ndarray, fps: int, crf: int) -> None:
    """uint8 [T, H, W, 3], even sides -> an .mp4 as people upload it: B-frames, a key frame every 250."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(fps), options={"crf": str(crf), "threads": "1"}
        )
        stream.height, stream.width = frames_u8.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames_u8:
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24"))
            )
        container.mux(stream.encode(None))
