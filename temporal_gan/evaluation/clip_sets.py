"""Two sets of clips as feature vectors: which clips, which frames of them, and what a network sees there."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import rng
from ..batch import composite_on_white
from ..data.store import Store
from ..errors import UserError
from ..features import equispaced, i3d_features, inception_features, load_i3d, load_inception
from ..inference.animator import Animator
from .anchors import shuffled_order
from .clip_pairs import frames_to_tensor
from .clip_sources import ClipSource, read_clip, source_key
from .pairing import animate_row
from .protocols import SetProtocol
from .results import FailedClip

Features = dict[str, np.ndarray]
"""What was made of a clip's frames -> float32 [K, D]."""


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

    def read(self, name: str) -> Tensor:
        """[T, 3, H, W] in [0, 1], on white. Raises UserError where it cannot be read."""
        source = self.clips[name]
        if self.animator is not None and isinstance(source, tuple):
            store: Store = source[0]
            return composite_on_white(animate_row(self.animator, store, store.row(source[1])))
        return composite_on_white(frames_to_tensor(read_clip(source).frames_u8))

    def key(self, name: str) -> str:
        """Names everything that decides the clip's pixels."""
        return f"{self.animator_key}/{source_key(self.clips[name])}"


@dataclass(frozen=True)
class FeatureJob:
    """Features of chosen clips, for :mod:`.process_pool`.

    Attributes:
        sets: made, real.
        items: (0 made or 1 real, name) of each clip.
        protocol: what is taken from a clip.
        weights: file of its network.
        device: where the network runs.
    """

    sets: tuple[ClipSet, ClipSet]
    items: list[tuple[int, str]]
    protocol: SetProtocol
    weights: Path
    device: torch.device

    def tools(self) -> Any:
        """The network."""
        network = (
            load_inception(self.weights) if self.protocol.network == "inception" else load_i3d(self.weights)
        )
        return network.to(self.device)

    @torch.no_grad()
    def do(self, index: int, tools: Any) -> Features | FailedClip:
        """Features of one clip; of a real one also those of its anchors. Empty for a clip that is too short."""
        side, name = self.items[index]
        try:
            video = self.sets[side].read(name)
            if self.protocol.network == "inception":
                return self._pictures(video, side == 1, tools)
            return self._window(video, name, side == 1, tools)
        except UserError as error:
            return FailedClip(name, str(error))

    def _pictures(self, video: Tensor, real: bool, network: Any) -> Features:
        picks = equispaced(len(video), self.protocol.vectors_per_clip)
        wanted = [*picks, 0] if real else picks
        vectors, logits = (f.numpy() for f in inception_features(network, video[wanted].to(self.device)))
        count = len(picks)
        found = {"pool": vectors[:count], "logits": logits[:count]}
        if real:
            # A frozen clip shows its first frame at every moment.
            found["copy_first_frame"] = vectors[count:].repeat(count, axis=0)
        return found

    def _window(self, video: Tensor, name: str, real: bool, network: Any) -> Features:
        frames = self.protocol.window
        if len(video) < frames:
            return {}
        places = rng.numpy_generator(self.protocol.seed, "window", name)
        start = int(places.integers(len(video) - frames + 1))
        window = video[start : start + frames]
        variants = {"pool": window}
        if real:
            order = torch.from_numpy(shuffled_order(frames, self.protocol.seed, name))
            variants |= {"copy_first_frame": window[:1].expand_as(window), "shuffled": window[order]}
        return {
            what: i3d_features(network, clip[None].to(self.device)).numpy() for what, clip in variants.items()
        }


def blank_page_features(job: FeatureJob) -> np.ndarray:
    """float32 [1, D]: what the network sees in an empty white page."""
    page = torch.ones(1, 3, 64, 64, device=job.device)
    return inception_features(job.tools(), page)[0].numpy()


def to_row(features: Features) -> dict[str, object]:
    """Plain types for the journal, bit-exact."""
    return {
        name: {"shape": list(a.shape), "float32": base64.b64encode(a.astype("<f4").tobytes()).decode()}
        for name, a in features.items()
    }


def from_row(row: dict) -> Features:
    """Inverse of :func:`to_row`. Raises ValueError, KeyError, TypeError."""
    return {
        name: np.frombuffer(base64.b64decode(entry["float32"]), "<f4").reshape(entry["shape"])
        for name, entry in row.items()
    }
