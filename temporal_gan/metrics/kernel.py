"""Kernel distance between two sets of features: unbiased, so it may be compared at small and unequal counts.

KID (Binkowski et al. 2018): squared maximum mean discrepancy with the kernel ``(x.y / D + 1)^3``. Its expectation
for two sets from the same law is 0, so single values are negative half of the time: print them.
"""

import numpy as np
import torch
from scipy.stats import norm
from torch import Tensor

from ..errors import UserError
from .frechet import check_features


def squared_mmd(features_a: Tensor, features_b: Tensor) -> float:
    """Unbiased squared MMD of whole sets (Gretton et al. 2012, eq. 3).

    Unbiased for independent vectors. Several frames of one clip are alike, which adds a little, the less the more
    clips there are: take as many from each real clip as from each made one, and show the real-vs-real floor.

    Args:
        features_a, features_b: [N, D] and [M, D], N and M at least 2, any floating dtype.
    Returns:
        Near 0 for sets of the same law, may be negative; lower is nearer.
    Raises:
        UserError: too few vectors, different dimensions, values that are not finite.
    """
    a, b = _check(features_a, features_b, 2)
    within_a, within_b, across = _kernel(a, a), _kernel(b, b), _kernel(a, b)
    return float(_mean_off_diagonal(within_a) + _mean_off_diagonal(within_b) - 2 * across.mean())


def kid(
    features_a: Tensor, features_b: Tensor, subsets: int = 100, subset_size: int = 1000, seed: int = 2020
) -> tuple[float, float]:
    """Mean and standard deviation of the squared MMD over random subsets, as torch-fidelity draws them.

    The defaults are the published protocol. The standard deviation is that of one subset, not of the mean. For
    sets below the subset size use :func:`squared_mmd` with :func:`permutation_p_value`.

    Args:
        features_a, features_b: [N, D] and [M, D].
        subsets, subset_size: how many subsets of how many vectors, without replacement.
        seed: of the subsets.
    Raises:
        UserError: a set smaller than the subset size.
    """
    a, b = _check(features_a, features_b, subset_size)
    # The old generator on purpose: torch-fidelity's, so that the same seed draws the same subsets.
    rng = np.random.RandomState(seed)  # noqa: NPY002
    values = []
    for _ in range(subsets):
        rows_a = torch.from_numpy(rng.choice(len(a), subset_size, replace=False))
        rows_b = torch.from_numpy(rng.choice(len(b), subset_size, replace=False))
        values.append(squared_mmd(a[rows_a], b[rows_b]))
    return float(np.mean(values)), float(np.std(values))


def permutation_p_value(
    features_a: Tensor,
    features_b: Tensor,
    clips_a: np.ndarray,
    clips_b: np.ndarray,
    seed: int,
    draws: int = 999,
) -> float:
    """How often sets as far apart as these arise when clips are dealt out at random.

    Args:
        features_a, features_b: [N, D] and [M, D].
        clips_a, clips_b: int [N], [M]: the clip of each vector. Whole clips are dealt, because frames of one clip
            are alike; the two sets' numbers are unrelated.
        seed, draws: of the random deals.
    Returns:
        (1 + deals at least as far apart) / (1 + draws); never 0.
    Raises:
        UserError: fewer than 2 clips in a set, or counts that do not match.
    """
    pairs = _ClipPairs(features_a, features_b, clips_a, clips_b)
    dealt = pairs.in_a
    observed = pairs.distance(dealt, 1 - dealt)
    rng = np.random.default_rng(seed)
    # Rounding may put an equal deal a hair below.
    slack = 1e-12 * abs(observed)
    far = 0
    for _ in range(draws):
        first = dealt[torch.from_numpy(rng.permutation(len(dealt)))]
        far += pairs.distance(first, 1 - first) >= observed - slack
    return (1 + far) / (1 + draws)


def squared_mmd_interval(
    features_a: Tensor, features_b: Tensor, clips_a: np.ndarray, clips_b: np.ndarray, level: float = 0.95
) -> tuple[float, float]:
    """Interval of :func:`squared_mmd`: jackknife over clips (Efron & Stein 1981), normal approximation.

    Each clip is left out once, in either set. A nominal 95 % covers about 90 % at 32 clips, since the cubic kernel has
    heavy tails. Where the sets are of the same law it says little: that is the question of :func:`permutation_p_value`.

    Args:
        features_a, features_b, clips_a, clips_b: as in :func:`permutation_p_value`; 3 or more clips in each set.
        level: nominal coverage.
    Raises:
        UserError: fewer than 3 clips in a set, or counts that do not match.
    """
    pairs = _ClipPairs(features_a, features_b, clips_a, clips_b, fewest=3)
    first, second = pairs.in_a, 1 - pairs.in_a
    variance = 0.0
    for members in (first, second):
        left_out = []
        for clip in members.nonzero().flatten():
            kept = torch.ones_like(first)
            kept[clip] = 0
            left_out.append(pairs.distance(first * kept, second * kept))
        variance += (len(left_out) - 1) * float(np.var(left_out))
    half = float(norm.ppf((1 + level) / 2)) * variance**0.5
    value = pairs.distance(first, second)
    return value - half, value + half


class _ClipPairs:
    """Kernel sums over pairs of clips: a choice of clips then costs the square of the clips, not of the vectors."""

    def __init__(
        self,
        features_a: Tensor,
        features_b: Tensor,
        clips_a: np.ndarray,
        clips_b: np.ndarray,
        fewest: int = 2,
    ) -> None:
        a, b = _check(features_a, features_b, 2)
        if len(clips_a) != len(a) or len(clips_b) != len(b):
            raise UserError(
                f"kernel distance: {len(a)} and {len(b)} vectors, {len(clips_a)} and {len(clips_b)} clip numbers"
            )
        names_a, numbers_a = np.unique(clips_a, return_inverse=True)
        names_b, numbers_b = np.unique(clips_b, return_inverse=True)
        if min(len(names_a), len(names_b)) < fewest:
            raise UserError(
                f"kernel distance: {len(names_a)} and {len(names_b)} clips, need {fewest} or more in each set"
            )
        both = torch.cat([a, b])
        kernel = _kernel(both, both)
        clip = torch.from_numpy(np.concatenate([numbers_a, numbers_b + len(names_a)]))
        member = torch.nn.functional.one_hot(clip, len(names_a) + len(names_b)).double()
        self.sums, self.diagonal = member.T @ kernel @ member, member.T @ kernel.diagonal()
        self.sizes = member.sum(dim=0)
        self.in_a = (torch.arange(len(self.sizes)) < len(names_a)).double()

    def distance(self, first: Tensor, second: Tensor) -> float:
        """Squared MMD between two choices of clips, [C] of 0 and 1 each."""
        n, m = float(first @ self.sizes), float(second @ self.sizes)
        within_first = (first @ self.sums @ first - first @ self.diagonal) / (n * (n - 1))
        within_second = (second @ self.sums @ second - second @ self.diagonal) / (m * (m - 1))
        return float(within_first + within_second - 2 * (first @ self.sums @ second) / (n * m))


def _check(features_a: Tensor, features_b: Tensor, fewest: int) -> tuple[Tensor, Tensor]:
    if features_a.ndim != 2:
        raise UserError(f"kernel distance: features are {tuple(features_a.shape)}, expected [N, D]")
    a, b = (check_features("kernel distance", f, features_a.shape[1]) for f in (features_a, features_b))
    if min(len(a), len(b)) < fewest:
        raise UserError(f"kernel distance: {len(a)} and {len(b)} vectors, need at least {fewest} in each set")
    return a, b


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _mean_off_diagonal(kernel: Tensor) -> Tensor:
    n = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))
