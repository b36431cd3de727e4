"""Features of many clips, in one process or in several, and their form in the journal."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import UserError
from .clip_sets import ClipSet, SetClip
from .protocols import SetProtocol
from .results import FailedClip
from .set_features import Features
from .set_networks import network_of


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
        return network_of(self.protocol).load(self.weights).to(self.device)

    def do(self, index: int, tools: Any) -> Features | FailedClip:
        """Features of one clip; of a real one also those of its anchors. Empty for a clip that is too short."""
        side, name = self.items[index]
        try:
            clip = self.sets[side].read(name, side == 1)
            return network_of(self.protocol).features(tools, clip, self.protocol)
        except UserError as error:
            return FailedClip(name, str(error))

    def blank_page(self) -> np.ndarray:
        """float32 [1, D]: what the network sees in an empty white page."""
        page = SetClip("blank page", torch.ones(1, 3, 64, 64), 1.0, real=False)
        return network_of(self.protocol).features(self.tools(), page, self.protocol)["pool"]


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
