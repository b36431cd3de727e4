"""Every distance between two sets of features, and between the real set and its anchors."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..metrics.frechet import frechet_distance, frechet_over_parts
from ..metrics.kernel import permutation_p_value
from .protocols import SetProtocol
from .set_comparisons import Sample, Values
from .set_features import KINDS, Features, feature_key
from .set_networks import network_of

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

    def sample(self, anchor: str = "") -> Sample:
        """Every kind of features there is, of the clips themselves or of an anchor of theirs."""
        keys = {kind: feature_key(anchor, kind) for kind in KINDS}
        return {kind: self.all(key) for kind, key in keys.items() if key in self.parts}

    def half(self, parity: int) -> Sample:
        """Vectors of every second clip: disjoint clips, so independent vectors."""
        kept = {kind: self.parts[kind][parity::2] for kind in KINDS if kind in self.parts}
        return {kind: torch.from_numpy(np.concatenate(rows)) for kind, rows in kept.items()}

    def clips(self) -> np.ndarray:
        """int [N], the clip of each vector."""
        return np.repeat(np.arange(len(self.names)), [len(rows) for rows in self.parts["pool"]])


def set_distances(made: Sample, real: Sample, protocol: SetProtocol) -> Values:
    """Every number of two samples that is defined for what they hold."""
    network = network_of(protocol)
    values: Values = {}
    for name, kind in network.frechet.items():
        if kind not in made:
            continue
        enough = min(len(made[kind]), len(real[kind])) >= protocol.fewest
        few = _too_few(protocol, len(made[kind]), len(real[kind]))
        values[name] = frechet_distance(made[kind], real[kind]) if enough else few
    return values | network.compare(made, real, protocol)


def floor(made: Vectors, real: Vectors, protocol: SetProtocol) -> tuple[Values, Values]:
    """Distances of made and real halves, and of two disjoint real halves: the same counts, so they compare."""
    network = network_of(protocol)
    kinds = {f"{name}_of_halves": kind for name, kind in network.frechet.items()}
    if min(made.count, real.count) < protocol.fewest:
        why: Values = dict.fromkeys(kinds, _too_few(protocol, made.count, real.count))
        return why, why
    made_half, real_half, other_half = made.half(0), real.half(0), real.half(1)
    at_half: Values = {n: frechet_distance(made_half[k], other_half[k]) for n, k in kinds.items()}
    lowest: Values = {n: frechet_distance(real_half[k], other_half[k]) for n, k in kinds.items()}
    return at_half, lowest | network.compare(real_half, other_half, protocol)


def details(made: Vectors, real: Vectors, protocol: SetProtocol) -> dict[str, Entry]:
    """Metric -> what is said beside its value: spread over parts, p-value."""
    if min(made.count, real.count) < 2 * protocol.parts:
        return {}
    network = network_of(protocol)
    found: dict[str, Entry] = {}
    for name, kind in network.frechet.items():
        mean, spread = frechet_over_parts(made.all(kind), real.all(kind), protocol.parts, protocol.seed)
        found[name] = {"over_parts": {"parts": protocol.parts, "mean": mean, "std": spread}}
    if network.kernel and min(len(made.names), len(real.names)) >= 2:
        p_value = permutation_p_value(
            made.all(), real.all(), made.clips(), real.clips(), protocol.seed, protocol.draws
        )
        found[network.kernel] = {"p_value": p_value}
    return found


def descriptions(made: Vectors, real: Vectors, protocol: SetProtocol) -> Values:
    """Numbers of each set alone."""
    describe = network_of(protocol).describe
    of_real = describe(real.sample(), protocol)
    return describe(made.sample(), protocol) | {f"{name}_real": value for name, value in of_real.items()}


def _too_few(protocol: SetProtocol, made: int, real: int) -> str:
    return (
        f"{protocol.name} takes {protocol.fewest} {network_of(protocol).vectors} of each set, got {made} made and "
        f"{real} real: a Frechet distance of fewer is mostly bias"
    )
