"""Expression metrics by hand; identity and disentanglement at their extremes."""

import math

import pytest
import torch

from temporal_gan.errors import UserError
from temporal_gan.metrics import expression as faces
from temporal_gan.metrics import identity


def one_hot(labels: list[list[int]], strength: float = 1.0) -> torch.Tensor:
    return strength * torch.nn.functional.one_hot(torch.tensor(labels), 3).float()


def test_accuracy_and_macro_f1_by_hand() -> None:
    commanded = one_hot([[0, 0, 0, 1], [1, 2, 2, 2]])
    commanded[1, 3] *= 0.4
    read = one_hot([[0, 0, 1, 1], [1, 2, 0, 0]])
    visible = torch.ones(2, 4, dtype=torch.bool)
    visible[1, 2] = False
    result = faces.expression_accuracy(read, commanded, visible)
    assert result.accuracy == pytest.approx(5 / 6)
    # F1: 2*2/(3+2), 2*2/(2+3), 2*1/(1+1).
    assert result.macro_f1 == pytest.approx((0.8 + 0.8 + 1) / 3)
    assert result.confusion.tolist() == [[2, 1, 0], [0, 2, 0], [0, 0, 1]]
    assert result.per_clip.tolist() == pytest.approx([3 / 4, 1])


def test_a_class_that_nobody_commands_or_reads_does_not_count() -> None:
    read = one_hot([[0, 1]])
    assert faces.expression_accuracy(read, read, torch.ones(1, 2, dtype=torch.bool)).macro_f1 == 1
    with pytest.raises(UserError, match="no frame"):
        faces.expression_accuracy(read, read, torch.zeros(1, 2, dtype=torch.bool))
    with pytest.raises(UserError, match="visible"):
        faces.expression_accuracy(read, read, torch.ones(1, 3, dtype=torch.bool))


def test_always_neutral_has_a_low_macro_f1() -> None:
    commanded = one_hot([[0] * 8 + [1, 2]])
    result = faces.expression_accuracy(one_hot([[0] * 10]), commanded, torch.ones(1, 10, dtype=torch.bool))
    assert result.accuracy == pytest.approx(0.8)
    assert result.macro_f1 == pytest.approx((16 / 18) / 3)


def test_correlation_sees_the_shape_and_concordance_also_the_gain() -> None:
    time = torch.linspace(0, 1, 20)
    commanded = torch.stack([time, time.square()], dim=-1)[None]
    known = torch.ones(1, 20, 2, dtype=torch.bool)
    pearson, concordance = faces.intensity_correlation(commanded, commanded, known)
    assert float(pearson) == pytest.approx(1, abs=1e-6)
    assert float(concordance) == pytest.approx(1)
    pearson, concordance = faces.intensity_correlation(0.5 * commanded + 0.1, commanded, known)
    assert float(pearson) == pytest.approx(1, abs=1e-6)
    x, y = (0.5 * commanded + 0.1).double(), commanded.double()
    by_hand = []
    for e in range(2):
        a, b = x[0, :, e], y[0, :, e]
        cov = ((a - a.mean()) * (b - b.mean())).mean()
        by_hand.append(2 * cov / (a.var(correction=0) + b.var(correction=0) + (a.mean() - b.mean()) ** 2))
    assert float(concordance) == pytest.approx(float(sum(by_hand) / 2), rel=1e-6)
    pearson, _ = faces.intensity_correlation(-commanded, commanded, known)
    assert float(pearson) == pytest.approx(-1, abs=1e-6)


def test_correlation_of_a_frozen_face_is_zero_and_of_no_command_undefined() -> None:
    time = torch.linspace(0, 1, 20)[None, :, None]
    known = torch.ones(1, 20, 1, dtype=torch.bool)
    assert float(faces.intensity_correlation(torch.full_like(time, 0.7), time, known)[0]) == 0
    pearson, concordance = faces.intensity_correlation(time, torch.full_like(time, 0.3), known)
    assert math.isnan(float(pearson))
    assert math.isnan(float(concordance))
    gap = time.clone()
    gap[:, 5] = math.nan
    known[:, 5] = False
    assert float(faces.intensity_correlation(gap, time, known)[0]) == pytest.approx(1, abs=1e-6)


def test_flips_count_only_where_the_command_is_held() -> None:
    commanded = one_hot([[0, 0, 0, 0, 1, 1, 1]])
    # Flips at 1-2 and 2-3 inside the first hold, the commanded change at 3-4 does not count, and -1 is not read.
    labels = torch.tensor([[0, 0, 2, 0, 1, -1, 1]])
    assert float(faces.flip_rate(labels, commanded)) == pytest.approx(2 / 3)
    assert float(faces.flip_rate(torch.zeros(1, 7, dtype=torch.long), commanded)) == 0
    moving = torch.linspace(0, 1, 7).view(1, 7, 1)
    assert math.isnan(float(faces.flip_rate(torch.zeros(1, 7, dtype=torch.long), moving)))


def test_transition_time_of_a_ramp_is_eight_tenths_of_it() -> None:
    ramp = torch.cat([torch.zeros(5), torch.linspace(0, 0.8, 11), torch.full((5,), 0.8)])
    step = torch.cat([torch.zeros(10), torch.full((11,), 0.8)])
    seconds = faces.transition_time(torch.stack([ramp, 1 - ramp, step, torch.full((21,), 0.3)]), fps=10)
    assert seconds[:3].tolist() == pytest.approx([0.8, 0.8, 0.08], rel=1e-5)
    assert math.isnan(float(seconds[3]))


def test_transition_time_of_a_sudden_first_step_and_a_wobble() -> None:
    curve = torch.tensor([[0.0, 1.0, 1.0, 1.0], [0.0, 0.3, 0.05, 1.0]])
    # The second goes back below a tenth before it rises: from 2 + 0.05 / 0.95 to 2 + 0.85 / 0.95.
    assert faces.transition_time(curve, fps=1).tolist() == pytest.approx([0.8, 0.8 / 0.95], rel=1e-5)


def test_identity_consistency_at_its_extremes() -> None:
    reference = torch.eye(4)[None, :1].expand(2, 3, 4)
    made = torch.eye(4)[[0, 1]][:, None].expand(2, 5, 4) * 7
    assert identity.identity_consistency(made, reference).tolist() == pytest.approx([1, 0])
    # A long reference vector weighs no more than a short one.
    uneven = torch.tensor([[[100.0, 0.0], [0.0, 1.0]]])
    assert float(identity.identity_consistency(torch.ones(1, 1, 2), uneven)) == pytest.approx(1)
    with pytest.raises(UserError, match="reference"):
        identity.identity_consistency(made, reference[:1])


def test_subject_consistency_by_hand() -> None:
    made = torch.tensor([[[1.0, 0.0], [0.6, 0.8], [0.0, 2.0]]])
    assert float(identity.subject_consistency(made)) == pytest.approx(((0.6 + 0.6) / 2 + (0.8 + 0) / 2) / 2)
    assert float(identity.subject_consistency(made[:, :1].expand(1, 4, 2))) == pytest.approx(1)
    with pytest.raises(UserError, match="T >= 2"):
        identity.subject_consistency(made[:, :1])


def test_edit_leakage_is_zero_for_a_clean_edit_and_one_for_a_random_one() -> None:
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(400, 6, generator=generator)
    before, other = torch.randn(300, 6, generator=generator), torch.randn(300, 6, generator=generator)
    assert identity.edit_leakage(before, before, real).tolist() == [0] * 300
    assert float(identity.edit_leakage(before, other, real).mean()) == pytest.approx(1, abs=0.05)
    with pytest.raises(UserError, match="do not differ"):
        identity.edit_leakage(before, other, real[:1].expand(5, 6))
