"""The flow reader finds shifts it was told of, and finds nothing where nothing is drawn."""

import cv2
import numpy as np
import pytest
import torch

from temporal_gan.evaluation.keypoint_transfer import to_frames_u8, transfer_keypoints
from temporal_gan.metrics.pose import keypoint_box_side, pck

JOINTS = torch.tensor([[48.0, 26.0], [34.0, 44.0], [62.0, 44.0], [48.0, 64.0]])


def figure(shift: tuple[int, int] = (0, 0)) -> torch.Tensor:
    """A head, two hands and a patterned body on a white page: [1, 3, 96, 96]."""
    page = np.full((96, 96, 3), 255, np.uint8)
    dx, dy = shift
    for y in range(34, 76, 6):
        colour = (200, 60, 60) if y % 12 else (60, 60, 200)
        cv2.rectangle(page, (38 + dx, y + dy), (58 + dx, y + 5 + dy), colour, -1)
    cv2.circle(page, (48 + dx, 26 + dy), 10, (240, 200, 170), -1)
    cv2.circle(page, (48 + dx, 22 + dy), 9, (90, 50, 130), -1)
    for x in (34, 62):
        cv2.circle(page, (x + dx, 44 + dy), 5, (30, 30, 30), -1)
        cv2.circle(page, (x + dx, 44 + dy), 3, (240, 200, 170), -1)
    return torch.from_numpy(page).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-5, 1), (0, 6)])
def test_transfer_finds_a_known_shift(shift: tuple[int, int]) -> None:
    found = transfer_keypoints(figure(), figure(shift), JOINTS[None])
    error = (found - JOINTS - torch.tensor(shift)).norm(dim=-1)
    # NaN fails the comparison too: every joint must be found. One pixel: DIS smooths over drawn edges.
    assert bool((error < 1).all())


def test_pck_of_shifted_figures_turns_at_the_threshold() -> None:
    """The box is 38 px high, so 0.1 of it is 3.8 px: 3 px pass, 5 px do not."""
    confidence = torch.ones(1, 1, 4)
    side = keypoint_box_side(JOINTS[None, None], confidence)
    scores = {}
    for dx in (0, 3, 5):
        read = transfer_keypoints(figure(), figure((dx, 0)), JOINTS[None])[None]
        scores[dx] = float(pck(read, JOINTS[None, None], confidence, side))
    assert scores == {0: 1.0, 3: 1.0, 5: 0.0}


@pytest.mark.parametrize("made", [torch.ones(1, 3, 96, 96), torch.full((1, 3, 96, 96), 0.5)])
def test_an_empty_page_holds_no_joints(made: torch.Tensor) -> None:
    """Flow from a figure to a blank page is near zero both ways: without looking at colours it would pass."""
    assert bool(transfer_keypoints(figure(), made, JOINTS[None]).isnan().all())


def test_joints_outside_the_picture_or_unlabelled_are_not_found() -> None:
    joints = JOINTS.clone()
    joints[0] = torch.tensor([-3.0, 20.0])
    joints[1] = torch.nan
    found = transfer_keypoints(figure(), figure(), joints[None])
    assert found.isnan().any(dim=-1).tolist() == [[True, True, False, False]]


def test_frames_u8_are_rounded_and_clamped() -> None:
    video = torch.tensor([0.0, 0.5, 0.999, 1.0]).view(1, 1, 1, 4).expand(1, 3, 1, 4)
    assert to_frames_u8(video)[0, 0, :, 0].tolist() == [0, 128, 255, 255]
