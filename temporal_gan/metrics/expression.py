"""Does the face show what it was told to, how strongly, and without flickering?

All functions take readings of the made clips (of whatever network, which is named beside the result together with
its own accuracy on real clips, the ceiling) and the commanded intensities.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError

SHOWN = 0.5
"""Commanded intensity from which a class must be recognisable."""

HELD = 0.02
"""Change of intensity a frame below which a command is being held."""

SMALLEST_CHANGE = 0.1
"""Range of a curve below which it has no correlation and no transition."""


@dataclass(frozen=True)
class ExpressionAccuracy:
    """Higher is better, in [0, 1].

    Attributes:
        accuracy: part of the counted frames read as commanded.
        macro_f1: mean of the F1 of every class that was commanded or read; rare classes weigh as much as neutral.
        confusion: int64 [C, C], commanded by row, read by column.
        per_clip: float64 [B], accuracy of each clip, NaN where none of its frames counts; for intervals.
    """

    accuracy: float
    macro_f1: float
    confusion: Tensor
    per_clip: Tensor


def expression_accuracy(read: Tensor, commanded: Tensor, visible: Tensor) -> ExpressionAccuracy:
    """Top-1 accuracy over frames with a visible face and a commanded intensity of at least 0.5, pooled over clips.

    Args:
        read: [B, T, C], score of each class (logits, probabilities or intensities).
        commanded: [B, T, C], intensity of each class, [0, 1].
        visible: bool [B, T], the face can be seen.
    Raises:
        UserError: shapes disagree, or no frame counts.
    """
    if read.shape != commanded.shape or visible.shape != read.shape[:2]:
        raise UserError(
            f"expression_accuracy: read {tuple(read.shape)}, commanded {tuple(commanded.shape)}, "
            f"visible {tuple(visible.shape)}; expected [B, T, C] twice and [B, T]"
        )
    strength, wanted = commanded.max(dim=-1)
    counted = visible & (strength >= SHOWN)
    if not bool(counted.any()):
        raise UserError("expression_accuracy: no frame has a visible face and a command of 0.5 or more")
    seen = read.argmax(dim=-1)
    classes = read.shape[-1]
    pairs = wanted[counted] * classes + seen[counted]
    confusion = torch.bincount(pairs, minlength=classes**2).view(classes, classes)
    right = ((seen == wanted) & counted).double().sum(dim=1)
    return ExpressionAccuracy(
        accuracy=float(confusion.diagonal().sum() / counted.sum()),
        macro_f1=macro_f1(confusion),
        confusion=confusion,
        per_clip=right / counted.double().sum(dim=1),
    )


def macro_f1(confusion: Tensor) -> float:
    """Mean of the F1 of every class that occurs: int [C, C] -> [0, 1], NaN for an empty matrix; higher is better."""
    f1 = 2 * confusion.diagonal().double() / (confusion.sum(dim=1) + confusion.sum(dim=0))
    return float(f1.nanmean())


def intensity_correlation(read: Tensor, commanded: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Does the made intensity follow the commanded one? Over the channels whose command changes by 0.1 or more.

    Args:
        read, commanded: [B, T, E], intensities.
        known: bool [B, T, E], the channel is commanded and was read.
    Returns:
        Pearson correlation [B], mean over channels by Fisher's z, and Lin's concordance [B], which also punishes
        wrong gain and offset; both in [-1, 1], higher is better, NaN where no channel changes over three or more
        known frames. A reading that does not move at all correlates 0.
    Raises:
        UserError: shapes disagree.
    """
    if not read.shape == commanded.shape == known.shape or read.ndim != 3:
        raise UserError(
            f"intensity_correlation: read {tuple(read.shape)}, commanded {tuple(commanded.shape)}, "
            f"known {tuple(known.shape)}; expected [B, T, E] three times"
        )
    weight = known.double()
    count = weight.sum(dim=1)
    x, y = (torch.where(known, v.double(), 0.0) for v in (read, commanded))
    mean_x, mean_y = x.sum(dim=1) / count, y.sum(dim=1) / count
    dx, dy = (x - mean_x[:, None]) * weight, (y - mean_y[:, None]) * weight
    var_x, var_y, cov = dx.square().sum(dim=1), dy.square().sum(dim=1), (dx * dy).sum(dim=1)
    # 1e-12: a flat reading has no variance but for rounding.
    pearson = torch.where(var_x > 1e-12 * count, cov / (var_x * var_y).sqrt(), 0.0)
    concordance = 2 * cov / (var_x + var_y + count * (mean_x - mean_y).square())
    high = torch.where(known, commanded.double(), -torch.inf).amax(dim=1)
    low = torch.where(known, commanded.double(), torch.inf).amin(dim=1)
    counted = (count >= 3) & (high - low >= SMALLEST_CHANGE)
    # Held below 1: a perfect channel has an infinite z and would hide all others.
    z = pearson.clamp(-1 + 1e-9, 1 - 1e-9).atanh()
    return torch.tanh(_mean(z, counted)), _mean(concordance, counted)


def flip_rate(labels: Tensor, commanded: Tensor) -> Tensor:
    """How often the class read from the face changes while the command is held.

    Args:
        labels: int [B, T], class read from each frame; -1 = not read.
        commanded: [B, T, C], intensity of each class.
    Returns:
        [B] float64, changes per pair of consecutive held frames, [0, 1]; NaN where nothing is held. Lower is
        better; a frozen face scores 0, so it means nothing without the accuracy.
    Raises:
        UserError: shapes disagree.
    """
    if labels.shape != commanded.shape[:2]:
        raise UserError(f"flip_rate: labels {tuple(labels.shape)}, commanded {tuple(commanded.shape)}")
    steady = commanded.double().diff(dim=1).abs().amax(dim=-1) < HELD
    held = steady & (labels[:, 1:] >= 0) & (labels[:, :-1] >= 0)
    return ((labels.diff(dim=1) != 0) & held).double().sum(dim=1) / held.double().sum(dim=1)


def transition_time(curve: Tensor, fps: float) -> Tensor:
    """Seconds from 10 % to 90 % of the way from a curve's first value to the farthest one, between frames.

    Held against the commanded curve's own time it says whether the face snaps or drags.

    Args:
        curve: [B, T], intensity over time.
        fps: frames a second.
    Returns:
        [B] float64; NaN where the curve changes by less than 0.1.
    """
    away = (curve.double() - curve[:, :1].double()).abs()
    reach, peak = away.max(dim=1)
    times = []
    for way, top, last in zip(away, reach, peak.tolist(), strict=True):
        if float(top) < SMALLEST_CHANGE:
            times.append(float("nan"))
            continue
        # From the last visit below 10 % on the way to the peak, to the first crossing of 90 %.
        start = _last_below(way[: last + 1] / top, 0.1)
        end = _last_below(way[: last + 1] / top, 0.9, first=int(start))
        times.append((end - start) / fps)
    return torch.tensor(times, dtype=torch.float64)


def _last_below(way: Tensor, level: float, first: int = -1) -> float:
    """Where a curve that ends above the level crosses it: for good, or after ``first`` for the first time."""
    below = way < level
    if first < 0:
        i = int(below.nonzero()[-1])
    else:
        i = first + int((~below[first:]).nonzero()[0]) - 1
    return i + float((level - way[i]) / (way[i + 1] - way[i]))


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    """Mean over the last dimension where counted, NaN where nothing is."""
    return torch.where(counted, values, 0.0).sum(dim=-1) / counted.double().sum(dim=-1)
