"""Coherence: Lin's concordance of curves, and curves that say how fast a body and a face move."""

import pytest
import torch

from temporal_gan.losses.coherence import body_rate, coherence_mismatch, face_rate


def test_equal_curves_agree_opposite_ones_do_not_and_a_frozen_one_says_nothing() -> None:
    real = torch.rand(3, 20)
    middle = real.mean(1, keepdim=True)
    made = torch.stack([real[0], 2 * middle[1] - real[1], middle[2].expand(20)])
    assert coherence_mismatch(made, real).tolist() == pytest.approx([0, 2, 1], abs=1e-5)


def test_concordance_is_lins_formula() -> None:
    x, y = torch.rand(2, 9).double(), torch.rand(2, 9).double()
    for b, got in enumerate(coherence_mismatch(x, y).tolist()):
        s = torch.cov(torch.stack([x[b], y[b]]), correction=0)
        lin = 2 * s[0, 1] / (s[0, 0] + s[1, 1] + (x[b].mean() - y[b].mean()) ** 2)
        assert got == pytest.approx(1 - float(lin), abs=1e-6)


def test_half_the_movement_is_not_enough_though_it_correlates_perfectly() -> None:
    real = torch.rand(1, 30)
    # Variance v, v / 4, covariance v / 2, and means that differ by half of the real one.
    v, mean = float(real.var(correction=0)), float(real.mean())
    wanted = 1 - v / (1.25 * v + mean**2 / 4)
    assert float(coherence_mismatch(0.5 * real, real)) == pytest.approx(wanted, abs=1e-4)


def test_two_still_clips_agree_and_slopes_stay_finite() -> None:
    made, real = torch.zeros(1, 5, requires_grad=True), torch.zeros(1, 5)
    loss = coherence_mismatch(made, real)
    loss.sum().backward()
    assert loss.item() == 0
    assert made.grad is not None
    assert bool(made.grad.isfinite().all())
    frozen = torch.zeros(1, 5, requires_grad=True)
    coherence_mismatch(frozen, torch.tensor([[0.0, 1, 0, 1, 0]])).sum().backward()
    assert frozen.grad is not None
    # From a standstill the way out is to move where the real one does, and bounded.
    assert frozen.grad[0, 1] < 0 < frozen.grad[0, 0]
    assert float(frozen.grad.abs().max()) < 10


def test_the_bodys_rate_is_the_mean_speed_of_joints_seen_at_both_ends() -> None:
    points = torch.zeros(1, 3, 2, 2)
    points[0, 1:, 0, 0] = 0.3  # one joint moves once
    points[0, 1:, 0, 1] = 0.4
    seen = torch.ones(1, 3, 2, dtype=torch.bool)
    torch.testing.assert_close(body_rate(points, seen), torch.tensor([[0.25, 0.0]]), rtol=0, atol=1e-4)
    seen[0, 2, 1] = False
    seen[0, 0, 1] = False
    torch.testing.assert_close(body_rate(points, seen), torch.tensor([[0.5, 0.0]]), rtol=0, atol=1e-4)
    assert body_rate(points, torch.zeros_like(seen)).tolist() == [[0, 0]]


def test_the_faces_rate_is_the_length_of_its_change_where_there_is_a_face() -> None:
    face = torch.tensor([[[0.0, 0.0], [0.3, 0.4], [0.3, 0.4], [0.3, 0.9]]])
    seen = torch.ones(1, 4, dtype=torch.bool)
    torch.testing.assert_close(face_rate(face, seen), torch.tensor([[0.5, 0.0, 0.5]]), rtol=0, atol=1e-4)
    seen[0, 3] = False
    torch.testing.assert_close(face_rate(face, seen), torch.tensor([[0.5, 0.0, 0.0]]), rtol=0, atol=1e-4)


def test_the_real_clip_is_not_taught() -> None:
    made, real = torch.rand(1, 6, requires_grad=True), torch.rand(1, 6, requires_grad=True)
    coherence_mismatch(made, real).sum().backward()
    assert made.grad is not None
    assert real.grad is None
