"""A set of clips: by name, in a fixed random order, read or animated one at a time."""

from dataclasses import dataclass

from torch import Tensor

from .. import rng
from ..batch import composite_on_white
from ..data.store import Store
from ..inference.animator import Animator
from ..video_io import FOLDER_FPS
from .clip_pairs import frames_to_tensor
from .clip_sources import ClipSource, read_clip, source_key
from .pairing import animate_row


@dataclass(frozen=True)
class SetClip:
    """A clip of a set.

    Attributes:
        name: of the clip.
        video: [T, 3, H, W] in [0, 1], on white.
        fps: frames a second.
        real: of the real set, so that its anchors are wanted too.
    """

    name: str
    video: Tensor
    fps: float
    real: bool


@dataclass(frozen=True)
class ClipSet:
    """Clips by name, read or animated one at a time.

    Attributes:
        clips: where each clip is; for a run, the real clip whose command it follows.
        animator: of a run, else None.
        animator_key: names its weights.
    """

    clips: dict[str, ClipSource]
    animator: Animator | None = None
    animator_key: str = ""

    def order(self, seed: int) -> list[str]:
        """Names in a random order that depends on each name alone, so that more clips change no earlier choice."""
        return sorted(self.clips, key=lambda name: rng.mix_seed(seed, "choice", name))

    def read(self, name: str, real: bool) -> SetClip:
        """One clip. Raises UserError where it cannot be read."""
        source = self.clips[name]
        if self.animator is not None and isinstance(source, tuple):
            store: Store = source[0]
            row = store.row(source[1])
            video = composite_on_white(animate_row(self.animator, store, row))
            return SetClip(name, video, row.fps or store.info.fps, real)
        clip = read_clip(source)
        video = composite_on_white(frames_to_tensor(clip.frames_u8))
        return SetClip(name, video, clip.fps or FOLDER_FPS, real)

    def key(self, name: str) -> str:
        """Names everything that decides the clip's pixels."""
        return f"{self.animator_key}/{source_key(self.clips[name])}"
