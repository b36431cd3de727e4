"""Numbers of two samples beside their Frechet distance, by what the samples are of."""

import numpy as np
from torch import Tensor

from ..metrics.inception_score import inception_score
from ..metrics.kernel import kid, squared_mmd
from ..metrics.pose_distribution import diversity, mode_coverage
from ..metrics.precision_recall import support
from .protocols import SetProtocol

Sample = dict[str, Tensor]
"""Kind of features -> [N, D]; ``pool`` are those the distances are of."""

Values = dict[str, float | str]
"""Metric -> its value, or the sentence that says why it has none."""


def compare_inception_pictures(made: Sample, real: Sample, protocol: SetProtocol) -> Values:
    """KID, kernel distance, precision, recall, density, coverage."""
    return _compare_pictures(made["pool"], real["pool"], protocol, "")


def compare_reader_pictures(made: Sample, real: Sample, protocol: SetProtocol) -> Values:
    """The same of reader features, and which expressions are shown."""
    return _compare_pictures(made["pool"], real["pool"], protocol, "reader_") | _compare_modes(made, real)


def compare_reader_windows(made: Sample, real: Sample, protocol: SetProtocol) -> Values:
    """Kernel distance."""
    return {"reader_video_kernel_distance": _kernel_distance(made["pool"], real["pool"], "clips")}


def compare_nothing_more(made: Sample, real: Sample, protocol: SetProtocol) -> Values:
    """Of I3D logits FVD is all there is."""
    return {}


def describe_inception(sample: Sample, protocol: SetProtocol) -> Values:
    """Inception score of one set."""
    logits = sample["logits"]
    if len(logits) < protocol.splits:
        return {"inception_score": f"needs {protocol.splits} or more frames, got {len(logits)}"}
    return {"inception_score": inception_score(logits, protocol.splits)[0]}


def describe_reader_pictures(sample: Sample, protocol: SetProtocol) -> Values:
    """Diversity of one set."""
    pool = sample["pool"]
    few = f"needs 2 or more frames, got {len(pool)}"
    return {"diversity": diversity(pool) if len(pool) >= 2 else few}


def describe_nothing(sample: Sample, protocol: SetProtocol) -> Values:
    """Windows have no number of one set alone."""
    return {}


def _compare_pictures(made: Tensor, real: Tensor, protocol: SetProtocol, prefix: str) -> Values:
    count = min(len(made), len(real))
    values: Values = {}
    if count >= protocol.subset_size:
        values["kid"] = kid(made, real, protocol.subsets, protocol.subset_size)[0]
    else:
        values["kid"] = (
            f"{protocol.name} takes subsets of {protocol.subset_size} frames, got {len(made)} made and {len(real)} real"
        )
    values["kernel_distance"] = _kernel_distance(made, real, "frames")
    names = ("precision", "recall", "density", "coverage")
    if count > protocol.neighbours:
        found = support(made, real, protocol.neighbours)
        values |= {name: getattr(found, name) for name in names}
    else:
        values |= dict.fromkeys(names, f"needs more than {protocol.neighbours} frames in each set")
    return {f"{prefix}{name}": value for name, value in values.items()}


def _kernel_distance(made: Tensor, real: Tensor, what: str) -> float | str:
    if min(len(made), len(real)) < 2:
        return f"needs 2 or more {what} in each set, got {len(made)} made and {len(real)} real"
    return squared_mmd(made, real)


def _compare_modes(made: Sample, real: Sample) -> Values:
    names = ("mode_coverage", "mode_overlap")
    if "mode" not in made:
        return {}
    sides = [sample["mode"].flatten().numpy().astype(np.int64) for sample in (made, real)]
    shown = [modes[modes >= 0] for modes in sides]
    if min(map(len, shown)) == 0:
        why = (
            f"no sure face in one of the sets: {len(shown[0])} made and {len(shown[1])} real frames have one"
        )
        return dict.fromkeys(names, why)
    return dict(zip(names, mode_coverage(*shown), strict=True))
