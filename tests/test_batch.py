"""The batch contract: every shape and type is checked by name, and [-1, 1] has one way in and one way out."""

from dataclasses import replace

import pytest
import torch
from tiny_networks import random_batch, tiny_domain

from temporal_gan.batch import ClipBatch, composite_on_white, to_display_range, to_model_range


def full_batch() -> ClipBatch:
    """Two clips of three frames with flow and two references."""
    batch = random_batch(tiny_domain(), 2, 3, size=8, references=2)
    flow = torch.zeros(2, 2, 2, 8, 8)
    return replace(batch, flow=flow, flow_valid=torch.ones(2, 2, 1, 8, 8, dtype=torch.bool))


def test_a_sound_batch_is_returned_as_it_is() -> None:
    batch = full_batch()
    assert batch.validate() is batch
    assert len(batch) == 2
    replace(batch, flow=None, flow_valid=None).validate()
    random_batch(tiny_domain(channels=4), 2, 3, size=8).validate()


@pytest.mark.parametrize(
    "name",
    [
        "keypoints",
        "confidence",
        "layer",
        "expression_confidence",
        "time",
        "hold",
        "flow",
        "flow_valid",
        "reference_keypoints",
        "reference_confidence",
        "reference_layer",
    ],
)
def test_a_field_of_another_shape_or_type_is_named(name: str) -> None:
    batch = full_batch()
    value = getattr(batch, name)
    with pytest.raises(ValueError, match=rf"ClipBatch\.{name} is .*clip_0"):
        replace(batch, **{name: value[:, :-1]}).validate()
    with pytest.raises(ValueError, match=rf"ClipBatch\.{name} is torch.float64"):
        replace(batch, **{name: value.double()}).validate()


def test_wrong_channels_clips_and_characters_are_named() -> None:
    batch = full_batch()
    with pytest.raises(ValueError, match="video has 2 channels, expected 3 or 4"):
        replace(batch, video=batch.video[:, :, :2], reference_video=None).validate()
    with pytest.raises(ValueError, match="2 clips but 1 clip ids"):
        replace(batch, clip_id=("a",)).validate()
    with pytest.raises(ValueError, match=r"ClipBatch\.character"):
        replace(batch, character=batch.character[:1]).validate()
    with pytest.raises(ValueError, match=r"ClipBatch\.video is torch.float64"):
        replace(batch, video=batch.video.double()).validate()


def test_to_moves_every_tensor_and_keeps_the_rest() -> None:
    moved = full_batch().to(torch.device("meta"))
    tensors = [v for v in vars(moved).values() if isinstance(v, torch.Tensor)]
    assert len(tensors) == 15
    assert all(t.device.type == "meta" for t in tensors)
    assert moved.clip_id == ("clip_0", "clip_1")
    assert random_batch(tiny_domain(), 1, 2, size=8).to(torch.device("cpu")).flow is None


def test_ranges_are_inverse_and_display_is_clamped() -> None:
    assert to_model_range(torch.tensor([0.0, 0.5, 1.0])).tolist() == [-1, 0, 1]
    assert to_display_range(torch.tensor([-1.0, 0.0, 1.0, -3.0, 2.0])).tolist() == [0, 0.5, 1, 0, 1]
    eighths = torch.arange(9) / 8
    assert torch.equal(to_display_range(to_model_range(eighths)), eighths)


def test_premultiplied_colour_lies_on_a_white_page() -> None:
    # Half-transparent red, premultiplied, over white: (0.5 + 0.5, 0.5, 0.5).
    pixel = torch.tensor([0.5, 0.0, 0.0, 0.5]).view(4, 1, 1)
    assert composite_on_white(pixel).flatten().tolist() == [1, 0.5, 0.5]
    assert composite_on_white(torch.zeros(4, 1, 1)).flatten().tolist() == [1, 1, 1]
    rgb = torch.rand(2, 3, 4, 4)
    assert composite_on_white(rgb) is rgb
    # Colour above alpha, which a network may make, does not leave the range.
    assert (
        float(composite_on_white(torch.ones(4, 1, 1) * torch.tensor([1, 1, 1, 0.2]).view(4, 1, 1)).max()) == 1
    )


def test_first_frames_keep_their_flow_and_a_single_frame_has_none() -> None:
    batch = full_batch()
    batch = replace(batch, flow=torch.rand(2, 2, 2, 8, 8))
    assert batch.first_frames(3) is batch
    assert batch.first_frames(9) is batch
    two = batch.first_frames(2).validate()
    assert torch.equal(two.video, batch.video[:, :2])
    assert batch.flow is not None
    assert two.flow is not None
    assert torch.equal(two.flow, batch.flow[:, :1])
    one = batch.first_frames(1).validate()
    assert one.flow is None
    assert one.flow_valid is None
    assert one.reference_video is batch.reference_video
