"""Compare made clips with real ones as two sets, through one network."""

from pathlib import Path
from typing import Any

import torch

from ..errors import CheckpointError, UserError
from ..weights import sha256_of_weights
from .clip_sets import ClipSet
from .feature_job import FeatureJob, from_row, to_row
from .journal import Journal, row_key
from .process_pool import do_all
from .protocols import SetProtocol
from .results import FailedClip, versions
from .run import EvaluationOptions, Progress
from .set_features import Features
from .set_networks import network_of
from .set_results import SetResults
from .set_scores import Vectors


def evaluate_sets(
    made: ClipSet,
    real: ClipSet,
    protocol: SetProtocol,
    progress: Progress | None = None,
    weights: Path | None = None,
    device: torch.device = torch.device("cpu"),
    split: str = "",
    options: EvaluationOptions = EvaluationOptions(),
) -> SetResults:
    """Extract features of just as many clips as the protocol takes, and compare the sets.

    Args:
        made, real: the sets; nothing is paired.
        protocol: one of ``SET_PROTOCOLS``.
        progress: called after each clip with the number done and its name.
        weights: file of the protocol's network; None looks in the weights folder, for the reader in the package. Where
            there is none, every value is null with the reason.
        device: where the network runs.
        split: which clips of the store these are, for the record.
        options: processes and resuming.
    Raises:
        UserError: no clip of one set can be read (the message is that of the first).
        CheckpointError: ``weights`` is missing or damaged.
    """
    try:
        file = network_of(protocol).find(weights)
    except CheckpointError as error:
        if weights is not None:
            raise
        return SetResults(protocol, (Vectors(), Vectors()), None, [], split, None, str(error))
    job = FeatureJob((made, real), [], protocol, file, device)
    extraction = _Extraction(job, progress, options)
    try:
        sides = extraction.take(0), extraction.take(1)
    finally:
        extraction.close()
    for side, label in zip(sides, ("made", "real"), strict=True):
        if not side.names and extraction.failed:
            raise UserError(f"no {label} clip could be read; first: {extraction.failed[0].reason}")
    blank = job.blank_page() if "blank_page" in protocol.anchors else None
    return SetResults(protocol, sides, blank, extraction.failed, split, sha256_of_weights(file), None)


class _Extraction:
    """Features clip by clip, from the journal where they are known."""

    def __init__(self, job: FeatureJob, progress: Progress | None, options: EvaluationOptions) -> None:
        self.job, self.progress, self.workers = job, progress, options.workers
        self.journal = Journal(options.journal) if options.journal else None
        self.failed: list[FailedClip] = []
        self._common = (job.protocol.to_dict(), versions(), sha256_of_weights(job.weights), job.device.type)
        self._done = 0

    def take(self, side: int) -> Vectors:
        """As many vectors of one set as the protocol wants, or all there are."""
        protocol = self.job.protocol
        names = self.job.sets[side].order(protocol.seed)
        vectors, start = Vectors(), 0
        while start < len(names) and vectors.count < protocol.fewest:
            # No clip gives more than this many, so no wave reads more than it must.
            wave = -(-(protocol.fewest - vectors.count) // protocol.vectors_per_clip)
            chosen = names[start : start + wave]
            start += len(chosen)
            for name, outcome in zip(chosen, self._features(side, chosen), strict=True):
                if isinstance(outcome, FailedClip):
                    self.failed.append(outcome)
                elif outcome:
                    vectors.add(name, outcome, protocol.fewest)
                else:
                    vectors.too_short += 1
        return vectors

    def close(self) -> None:
        """Close the journal."""
        if self.journal:
            self.journal.close()

    def _features(self, side: int, names: list[str]) -> list[Features | FailedClip]:
        outcomes: dict[int, Features | FailedClip] = {}
        keys = {}
        for index, name in enumerate(names):
            try:
                keys[index] = row_key(side, name, self.job.sets[side].key(name), *self._common)
            except OSError as error:
                outcomes[index] = FailedClip(name, f"{error.filename}: {error.strerror}")
                continue
            known = _known(self.journal.find(keys[index]) if self.journal else None)
            if known is not None:
                outcomes[index] = known
        left = [index for index in range(len(names)) if index not in outcomes]
        self._done += len(outcomes)
        protocol, sets = self.job.protocol, self.job.sets
        job = FeatureJob(sets, [(side, name) for name in names], protocol, self.job.weights, self.job.device)
        for index, outcome in do_all(job, left, self.workers) if left else ():
            if self.journal and not isinstance(outcome, FailedClip):
                self.journal.add(keys[index], to_row(outcome))
            outcomes[index] = outcome
            self._done += 1
            if self.progress is not None:
                self.progress(self._done, names[index])
        return [outcomes[index] for index in range(len(names))]


def _known(row: dict[str, Any] | None) -> Features | None:
    if row is None:
        return None
    try:
        return from_row(row)
    except (ValueError, KeyError, TypeError):
        # Damaged: that clip is read again.
        return None
