"""Does the made character stand where it was told to? Keypoint metrics on readings, whoever read them."""

import torch
from torch import Tensor

from ..errors import UserError


def keypoint_box_side(keypoints: Tensor, confidence: Tensor) -> Tensor:
    """Longer side of the box around the known joints of each frame.

    Args:
        keypoints: [B, T, J, 2], any unit that is the same in x and y (pixels).
        confidence: [B, T, J]; 0 = missing.
    Returns:
        [B, T], same unit; 0 with fewer than two known joints.
    """
    known = (confidence > 0).unsqueeze(-1)
    high = torch.where(known, keypoints, -torch.inf).amax(dim=2)
    low = torch.where(known, keypoints, torch.inf).amin(dim=2)
    return (high - low).amax(dim=-1).clamp(min=0)


def pck(
    predicted: Tensor, target: Tensor, confidence: Tensor, box_side: Tensor, threshold: float = 0.1
) -> Tensor:
    """Percentage of correct keypoints, as a fraction: distance / box side < threshold, strictly.

    The mean is over the known joints of all frames of a clip. A prediction that is missing (NaN) counts as
    wrong, so hiding the hard joints cannot help; a target that is missing (confidence 0) is not scored.

    Args:
        predicted: [B, T, J, 2], pixels; NaN = the reader found no such joint.
        target: [B, T, J, 2], pixels.
        confidence: [B, T, J] of the target; 0 = missing.
        box_side: [B, T], longer side of the character's box, pixels, from :func:`keypoint_box_side`.
        threshold: 0.1 or 0.05 by custom.
    Returns:
        [B] float64 in [0, 1]; NaN where no joint is known. Higher is better.
    Raises:
        UserError: shapes disagree.
    """
    _check("pck", predicted, target, confidence)
    if box_side.shape != target.shape[:2]:
        raise UserError(f"pck: box_side is {tuple(box_side.shape)}, expected {tuple(target.shape[:2])}")
    scored = (confidence > 0) & (box_side > 0).unsqueeze(-1)
    distance = (predicted.double() - target.double()).norm(dim=-1)
    # A comparison with NaN is False: a missing prediction is wrong without a special case.
    correct = distance < threshold * box_side.double().unsqueeze(-1)
    weight = scored.double()
    return (correct & scored).double().sum(dim=(1, 2)) / weight.sum(dim=(1, 2))


def keypoint_distance(predicted: Tensor, target: Tensor, confidence: Tensor) -> tuple[Tensor, Tensor]:
    """Average keypoint distance (AKD) and missing keypoint rate (MKR); neither may be shown without the other.

    AKD as published (Siarohin et al. 2019, its evaluation code): the mean of |dx| and |dy| over the joints known
    on both sides, which is half the L1 distance and not the Euclidean one. A reader that drops the hard joints
    improves AKD: MKR, the part of the target's known joints that are missing in the prediction, shows it.

    Args:
        predicted: [B, T, J, 2], pixels (published values: of 256 x 256 frames); NaN = missing.
        target: [B, T, J, 2], pixels.
        confidence: [B, T, J] of the target; 0 = missing.
    Returns:
        AKD [B] float64, pixels, NaN where no joint is known on both sides; MKR [B] float64 in [0, 1], NaN where no
        target joint is known. Lower is better.
    Raises:
        UserError: shapes disagree.
    """
    _check("keypoint_distance", predicted, target, confidence)
    known = confidence > 0
    found = known & predicted.isfinite().all(dim=-1)
    # where, not a product: a missing joint may hold NaN coordinates.
    distance = torch.where(found, (predicted.double() - target.double()).abs().mean(dim=-1), 0.0)
    count = found.double().sum(dim=(1, 2))
    return distance.sum(dim=(1, 2)) / count, 1 - count / known.double().sum(dim=(1, 2))


def _check(who: str, predicted: Tensor, target: Tensor, confidence: Tensor) -> None:
    if predicted.shape != target.shape or confidence.shape != target.shape[:-1]:
        raise UserError(
            f"{who}: predicted {tuple(predicted.shape)}, target {tuple(target.shape)}, "
            f"confidence {tuple(confidence.shape)}; expected [B, T, J, 2] twice and [B, T, J]"
        )
