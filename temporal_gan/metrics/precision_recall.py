"""Is what was made real, and is all that is real made? Nearest-neighbour balls around features.

Precision and recall of Kynkaanniemi et al. 2019, density and coverage of Naeem et al. 2020.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from .frechet import check_features


@dataclass(frozen=True)
class Support:
    """Higher is better throughout.

    Attributes:
        precision: part of the made vectors inside any ball of the real ones, [0, 1].
        recall: part of the real vectors inside any ball of the made ones, [0, 1].
        density: how many real balls a made vector lies in, over k; about 1 for sets of the same law.
        coverage: part of the real balls that hold any made vector, [0, 1].
    """

    precision: float
    recall: float
    density: float
    coverage: float


def support(made: Tensor, real: Tensor, neighbours: int = 3) -> Support:
    """Precision, recall, density and coverage; a vector is inside a ball up to and with its border.

    Args:
        made: [N, D], any floating dtype, N > ``neighbours``.
        real: [M, D], M > ``neighbours``.
        neighbours: a ball reaches to the k-th neighbour in its own set, itself not counted.
    Raises:
        UserError: too few vectors, different dimensions, values that are not finite.
    """
    if real.ndim != 2:
        raise UserError(f"support: features are {tuple(real.shape)}, expected [N, D]")
    a, b = (check_features("support", f, real.shape[1]) for f in (made, real))
    if min(len(a), len(b)) <= neighbours:
        raise UserError(
            f"support: {len(a)} made and {len(b)} real vectors, need more than {neighbours} of each"
        )
    # Direct differences: the faster expansion of the square loses equal vectors to rounding.
    across = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    reach_made, reach_real = _reach(a, neighbours), _reach(b, neighbours)
    in_real, in_made = across <= reach_real, across <= reach_made[:, None]
    return Support(
        precision=float(in_real.any(dim=1).double().mean()),
        recall=float(in_made.any(dim=0).double().mean()),
        density=float(in_real.double().sum(dim=1).mean() / neighbours),
        coverage=float(in_real.any(dim=0).double().mean()),
    )


def _reach(points: Tensor, neighbours: int) -> Tensor:
    """Distance of each point to its k-th neighbour: [N, D] -> [N]."""
    distance = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    return distance.kthvalue(neighbours + 1, dim=1).values
