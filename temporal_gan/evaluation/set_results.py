"""What a comparison of two sets found, and its results.json, of the same form as that of paired clips."""

import hashlib
import json
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from .definitions import ANCHOR_MEANINGS
from .metric_definition import MetricDefinition
from .protocols import SetProtocol
from .results import SCHEMA, FailedClip, versions, write_atomically
from .set_comparisons import Values
from .set_networks import network_of
from .set_scores import Vectors, descriptions, details, floor, set_distances

_NO_INTERVAL = "a set distance has no bootstrap interval: repeated vectors shrink the covariance and bias it"


class SetResults:
    """Values, anchors and counts of one comparison.

    Attributes:
        protocol: the protocol that was followed.
        definitions: the metrics of this protocol, in the order of the report.
        failed: clips that could not be read.
        anchor_names: anchors that were asked for.
    """

    def __init__(
        self,
        protocol: SetProtocol,
        sides: tuple[Vectors, Vectors],
        blank_page: np.ndarray | None,
        failed: list[FailedClip],
        split: str,
        weights_hash: str | None,
        why_nothing: str | None,
    ) -> None:
        """Compute every value.

        Args:
            protocol: see :class:`SetProtocol`.
            sides: features of the made and of the real set.
            blank_page: features of an empty page [1, D], or None.
            failed: clips that could not be read.
            split: which clips of the store these are, "" where that was not said.
            weights_hash: of the network's file.
            why_nothing: why there are no features at all, or None.
        """
        self.protocol, self.failed, self.split, self.weights_hash = protocol, failed, split, weights_hash
        self.definitions = network_of(protocol).metrics
        self.anchor_names = protocol.anchors
        self.missing: list[str] = []
        self._made, self._real = sides
        self._blank_page, self._why_nothing = blank_page, why_nothing

    def metric(self, name: str) -> dict[str, object]:
        """The entry of one metric, as in results.json. Raises KeyError for an unknown name."""
        found = {metric.name: metric for metric in self.definitions}
        if name not in found:
            raise KeyError(f"no metric {name!r}; there are: {', '.join(found)}")
        return self._entry(found[name])

    def anchor_values(self) -> dict[str, dict[str, float | None]]:
        """Anchor -> metric -> value (None where it is not defined)."""
        return {
            anchor: {m.name: _number(self._anchors[anchor].get(m.name)) for m in self.definitions}
            for anchor in self.anchor_names
        }

    def counts(self) -> dict[str, dict[str, int]]:
        """Clips and vectors of both sets, and how many clips were too short."""
        sides = (("made", self._made), ("real", self._real))
        return {
            name: {"clips": len(side.names), "vectors": side.count, "too_short": side.too_short}
            for name, side in sides
        }

    def protocol_dict(self) -> dict[str, object]:
        """The protocol as results.json has it, with everything that was left to the caller."""
        protocol = self.protocol.to_dict()
        protocol["anchors"] = {name: ANCHOR_MEANINGS[name] for name in self.anchor_names}
        protocol["split"] = self.split or "not named"
        protocol["weights"] = {self.protocol.network: self.weights_hash}
        return protocol

    def to_dict(self) -> dict[str, object]:
        """The content of results.json: plain types, no NaN."""
        digest = hashlib.sha256()
        for name, rows in zip(self._real.names, self._real.parts.get("pool", []), strict=True):
            digest.update(name.encode() + b"\0" + rows.tobytes())
        return {
            "schema": SCHEMA,
            "protocol": self.protocol_dict(),
            "reference": {"hash": digest.hexdigest(), **self.counts()},
            "metrics": [self._entry(metric) for metric in self.definitions],
            "anchors": self.anchor_values(),
            "failed": [{"clip_id": clip.clip_id, "reason": clip.reason} for clip in self.failed],
            "missing": [],
            "clips": [],
            "versions": versions(),
        }

    def write(self, path: Path) -> None:
        """Write results.json whole or not at all."""
        write_atomically(path, [json.dumps(self.to_dict(), indent=1, allow_nan=False), "\n"])

    def _entry(self, metric: MetricDefinition) -> dict[str, object]:
        value = self._why_nothing or self._values[metric.name]
        entry: dict[str, object] = {
            "name": metric.name,
            "value": _number(value),
            "interval": None,
            "interval_reason": _NO_INTERVAL,
            "unit": metric.unit,
            "higher_is_better": metric.higher_is_better,
            "ideal": metric.ideal,
            "clips": len(self._made.names),
            "frames": self._made.count * self.protocol.window,
            "real_clips": len(self._real.names),
            "real_frames": self._real.count * self.protocol.window,
            "weights_sha256": self.weights_hash,
        }
        if isinstance(value, str):
            return entry | {"reason": value}
        return entry | self._details.get(metric.name, {})

    @property
    def _empty(self) -> bool:
        return self._why_nothing is not None or not (self._made.count and self._real.count)

    @cached_property
    def _halves(self) -> tuple[Values, Values]:
        return floor(self._made, self._real, self.protocol)

    @cached_property
    def _values(self) -> Values:
        if self._empty:
            counts = self.counts()
            short = counts["made"]["too_short"] + counts["real"]["too_short"]
            why = (
                f"no clip of {self.protocol.window} frames or more in one of the sets ({short} are too short)"
            )
            return {metric.name: why for metric in self.definitions}
        values = set_distances(self._made.sample(), self._real.sample(), self.protocol)
        return values | self._halves[0] | descriptions(self._made, self._real, self.protocol)

    @cached_property
    def _details(self) -> dict[str, dict[str, object]]:
        return {} if self._empty else details(self._made, self._real, self.protocol)

    @cached_property
    def _anchors(self) -> dict[str, Values]:
        if self._empty:
            return {name: {} for name in self.anchor_names}
        real = self._real.sample()
        found: dict[str, Values] = {}
        for name in self.anchor_names:
            if name == "real_halves":
                found[name] = self._halves[1]
            elif name == "blank_page":
                assert self._blank_page is not None
                page = torch.from_numpy(self._blank_page).expand(self._real.count, -1)
                found[name] = set_distances({"pool": page}, real, self.protocol)
            else:
                found[name] = set_distances(self._real.sample(name), real, self.protocol)
        return found


def _number(value: float | str | None) -> float | None:
    return value if isinstance(value, float) else None
