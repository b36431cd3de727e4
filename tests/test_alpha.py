"""Alpha of uint8 pictures, against whole-number arithmetic on every pair of a colour and an alpha."""

import numpy as np
import pytest

from temporal_gan.alpha import over_white, premultiply, straighten

ALPHA, COLOUR = (x.reshape(-1) for x in np.meshgrid(np.arange(256), np.arange(256), indexing="ij"))


def pictures(*channels: np.ndarray) -> np.ndarray:
    return np.stack(channels, axis=-1).astype(np.uint8).reshape(2, 128, 256, 4)


def test_premultiplied_colour_is_the_nearest_whole_number() -> None:
    # Twice the numerator and the half of 255 keep everything whole; no product ends in just a half.
    expected = (2 * COLOUR * ALPHA + 255) // 510
    made = premultiply(pictures(COLOUR, COLOUR[::-1], COLOUR, ALPHA))
    assert (made[..., 0].reshape(-1) == expected).all()
    assert (made[..., 1].reshape(-1) == (2 * COLOUR[::-1] * ALPHA + 255) // 510).all()
    assert (made[..., 3].reshape(-1) == ALPHA).all()


def test_straight_colour_is_the_nearest_whole_number() -> None:
    colour = np.minimum(COLOUR, ALPHA)
    expected = np.where(ALPHA > 0, (2 * colour * 255 + ALPHA) // np.maximum(2 * ALPHA, 1), 0)
    given = pictures(colour, 0 * colour, colour, ALPHA)
    kept = given.copy()
    made = straighten(given)
    assert (made[..., 0].reshape(-1) == expected).all()
    assert (made[..., 1] == 0).all()
    assert (made[..., 3].reshape(-1) == ALPHA).all()
    assert (given == kept).all()


def test_what_is_missing_to_alpha_is_white() -> None:
    colour = np.minimum(COLOUR, ALPHA)
    made = over_white(pictures(colour, 0 * colour, ALPHA, ALPHA))
    assert made.shape == (2, 128, 256, 3)
    assert (made[..., 0].reshape(-1) == colour + 255 - ALPHA).all()
    assert (made[..., 1].reshape(-1) == 255 - ALPHA).all()
    assert (made[..., 2] == 255).all()
    # Colour above alpha, which no file holds, is as white as can be.
    assert (over_white(np.array([[200, 0, 90, 100]], np.uint8)) == [[255, 155, 245]]).all()


@pytest.mark.parametrize("change", [premultiply, straighten, over_white])
def test_views_single_pixels_and_nothing(change: object) -> None:
    assert callable(change)
    whole = premultiply(np.random.default_rng(0).integers(0, 256, (6, 8, 10, 4), np.uint8))
    assert (change(whole[::2, :, ::-1]) == change(whole)[::2, :, ::-1]).all()
    assert (change(whole[1, 2, 3]) == change(whole)[1, 2, 3]).all()
    assert change(whole[:0]).shape[:3] == (0, 8, 10)
