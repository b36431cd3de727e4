"""Every distance between two sets of features, and between the real set and its anchors."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..metrics.frechet import frechet_distance, frechet_over_parts
from ..metrics.inception_score import inception_score
from ..metrics.kernel import kid, permutation_p_value, squared_mmd
from ..metrics.precision_recall import support
from .clip_sets import Features
from .protocols import SetProtocol

Entry = dict[str, object]


@dataclass
class Vectors:
    """Features of a set.

    Attributes:
        parts: what was made of the clips' frames -> one array [K, D] a clip.
        names: of the clips that gave them.
        too_short: clips with fewer frames than the window.
        count: vectors there are.
    """

    parts: dict[str, list[np.ndarray]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    too_short: int = 0
    count: int = 0

    def add(self, name: str, features: Features, most: int) -> None:
        """Add one clip; the last one is cut so that there are never more than ``most`` vectors."""
        room = most - self.count
        for what, rows in features.items():
            self.parts.setdefault(what, []).append(rows[:room])
        self.names.append(name)
        self.count += min(room, len(features["pool"]))

    def all(self, what: str = "pool") -> Tensor:
        """[N, D]."""
        return torch.from_numpy(np.concatenate(self.parts[what]))

    def clips(self) -> np.ndarray:
        """int [N], the clip of each vector."""
        return np.repeat(np.arange(len(self.names)), [len(rows) for rows in self.parts["pool"]])

    def half(self, parity: int) -> Tensor:
        """Vectors of every second clip: disjoint clips, so independent vectors."""
        return torch.from_numpy(np.concatenate(self.parts["pool"][parity::2]))


def set_distances(made: Tensor, real: Tensor, protocol: SetProtocol) -> dict[str, float | str]:
    """Metric -> value, or the sentence that says why it has none, for two sets [N, D] and [M, D]."""
    count = min(len(made), len(real))
    if protocol.network == "i3d":
        return {"fvd": _frechet("FVD", made, real, protocol)}
    values: dict[str, float | str] = {"fid": _frechet("FID", made, real, protocol)}
    if count >= protocol.subset_size:
        values["kid"] = kid(made, real, protocol.subsets, protocol.subset_size)[0]
    else:
        values["kid"] = (
            f"{protocol.name} takes subsets of {protocol.subset_size} frames, got {len(made)} made and {len(real)} real"
        )
    few = f"needs 2 or more frames in each set, got {len(made)} made and {len(real)} real"
    values["kernel_distance"] = squared_mmd(made, real) if count >= 2 else few
    names = ("precision", "recall", "density", "coverage")
    if count > protocol.neighbours:
        found = support(made, real, protocol.neighbours)
        values |= {name: getattr(found, name) for name in names}
    else:
        values |= dict.fromkeys(names, f"needs more than {protocol.neighbours} frames in each set")
    return values


def floor(
    made: Vectors, real: Vectors, protocol: SetProtocol
) -> tuple[dict[str, float | str], dict[str, float | str]]:
    """Distances of made and real halves, and of two disjoint real halves: the same counts, so they compare."""
    if min(made.count, real.count) < protocol.fewest:
        why = _too_few(protocol, made.count, real.count)
        name = "fvd_of_halves" if protocol.network == "i3d" else "fid_of_halves"
        return {name: why}, {name: why}
    at_half = frechet_distance(made.half(0), real.half(1))
    real_half = frechet_distance(real.half(0), real.half(1))
    if protocol.network == "i3d":
        return {"fvd_of_halves": at_half}, {"fvd_of_halves": real_half}
    others = set_distances(real.half(0), real.half(1), protocol)
    others.pop("fid")
    return {"fid_of_halves": at_half}, {"fid_of_halves": real_half, **others}


def details(made: Vectors, real: Vectors, protocol: SetProtocol) -> dict[str, Entry]:
    """Metric -> what is said beside its value: spread over parts, p-value."""
    if min(made.count, real.count) < 2 * protocol.parts:
        return {}
    mean, spread = frechet_over_parts(made.all(), real.all(), protocol.parts, protocol.seed)
    parts = {"parts": protocol.parts, "mean": mean, "std": spread}
    if protocol.network == "i3d":
        return {"fvd": {"over_parts": parts}}
    found: dict[str, Entry] = {"fid": {"over_parts": parts}}
    if min(len(made.names), len(real.names)) >= 2:
        p_value = permutation_p_value(
            made.all(), real.all(), made.clips(), real.clips(), protocol.seed, protocol.draws
        )
        found["kernel_distance"] = {"p_value": p_value}
    return found


def inception_scores(made: Vectors, real: Vectors, protocol: SetProtocol) -> dict[str, float | str]:
    """Of both sets, or why not."""
    values: dict[str, float | str] = {}
    for name, side in (("inception_score", made), ("inception_score_real", real)):
        few = f"needs {protocol.splits} or more frames, got {side.count}"
        enough = side.count >= protocol.splits
        values[name] = inception_score(side.all("logits"), protocol.splits)[0] if enough else few
    return values


def _frechet(name: str, made: Tensor, real: Tensor, protocol: SetProtocol) -> float | str:
    if min(len(made), len(real)) < protocol.fewest:
        return _too_few(protocol, len(made), len(real))
    return frechet_distance(made, real)


def _too_few(protocol: SetProtocol, made: int, real: int) -> str:
    what = "clips" if protocol.network == "i3d" else "frames"
    return (
        f"{protocol.name} takes {protocol.fewest} {what} of each set, got {made} made and {real} real: a Frechet "
        "distance of fewer is mostly bias"
    )
