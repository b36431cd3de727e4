"""Drawings cut out of a plain page: laid back on it they are the same, laid elsewhere no rim of the page shows."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from temporal_gan.keying import cut_out, key_page, lay_on_page, page_colour
from temporal_gan.video_io import read_picture

WHITE, CREAM = (255, 255, 255), (240, 230, 200)
MEDIA = Path(__file__).parents[1] / "../shared/media/drawings"


def disc(
    page: tuple[int, int, int], ink: tuple[int, int, int] = (180, 30, 40), blur: float = 0.7
) -> np.ndarray:
    """A disc of radius 20 in the middle of a page of 64x80, its edge soft; uint8 [64, 80, 3]."""
    cover = np.zeros((64, 80), np.float32)
    cv2.circle(cover, (40, 32), 20, 1.0, -1)
    cover = cv2.GaussianBlur(cover, (0, 0), blur)[..., None]
    return np.rint(cover * np.array(ink, np.float32) + (1 - cover) * np.array(page)).astype(np.uint8)


def back(picture: np.ndarray) -> np.ndarray:
    page = page_colour(picture)
    assert page is not None
    return np.abs(lay_on_page(key_page(picture, page), page).astype(int) - picture)


@pytest.mark.parametrize("page", [WHITE, CREAM, (0, 0, 0), (30, 90, 160)])
def test_laid_back_on_its_page_a_drawing_is_the_same(page: tuple[int, int, int]) -> None:
    picture = disc(page)
    np.testing.assert_array_equal(page_colour(picture), page)
    keyed = key_page(picture, np.array(page, np.uint8))
    assert (keyed[..., :3] <= keyed[..., 3:]).all()
    assert back(picture).max() <= 1
    assert (keyed[0, 0] == 0).all()
    assert keyed[32, 40].tolist() == [180, 30, 40, 255]


def test_no_rim_of_the_page_shows_on_another() -> None:
    """The same disc drawn on white and on black, both laid on green: the page is gone from the soft edge."""
    green = np.array([0, 160, 0], np.uint8)
    on_green = [lay_on_page(key_page(p, page_colour(p)), green) for p in (disc(WHITE), disc((0, 0, 0)))]
    for made in on_green:
        assert np.abs(made.astype(int) - disc((0, 160, 0))).max() <= 16
    # What cutting along the outline alone would do:
    hard = np.where((disc(WHITE) == 255).all(-1, keepdims=True), green, disc(WHITE))
    assert np.abs(hard.astype(int) - disc((0, 160, 0))).max() > 60


def test_what_the_figure_encloses_stays() -> None:
    picture = disc(WHITE)
    cv2.circle(picture, (40, 32), 8, WHITE, -1)
    keyed = key_page(picture, np.array(WHITE, np.uint8))
    assert keyed[32, 40].tolist() == [255, 255, 255, 255]


def test_a_highlight_near_the_edge_is_no_ringing() -> None:
    """It has the colour of ringing and lies as near to the page, but is not joined to it."""
    picture = disc(WHITE, blur=0.3)
    picture[32, 40 - 17] = (225, 225, 225)
    keyed = key_page(picture, np.array(WHITE, np.uint8))
    assert keyed[32, 40 - 17].tolist() == [225, 225, 225, 255]


def test_a_line_that_touches_by_corners_only_encloses() -> None:
    picture = np.full((40, 40, 3), 255, np.uint8)
    for step in range(12):
        for x, y in (
            (8 + step, 20 - step),
            (20 + step, 8 + step),
            (32 - step, 20 + step),
            (20 - step, 32 - step),
        ):
            picture[y, x] = (60, 20, 20)
    keyed = key_page(picture, np.array(WHITE, np.uint8))
    assert keyed[20, 20].tolist() == [255, 255, 255, 255]
    assert not keyed[2, 2].any()


def test_a_bay_is_page_from_whichever_side_it_opens() -> None:
    picture = np.full((40, 40, 3), 255, np.uint8)
    picture[8:32, :20] = (60, 20, 20)
    picture[12:28, :16] = 255
    for turns in range(4):
        keyed = np.rot90(key_page(np.rot90(picture, turns).copy(), np.array(WHITE, np.uint8)), -turns)
        assert not keyed[20, 2].any(), turns
        assert keyed[20, 18, 3] == 255, turns


def test_a_thin_stroke_is_kept_whole() -> None:
    picture = np.full((40, 40, 3), 255, np.uint8)
    picture[20, 5:35] = (20, 20, 120)
    keyed = key_page(picture, np.array(WHITE, np.uint8))
    assert (keyed[20, 6:34, 3] >= 250).all()
    assert back(picture).max() <= 1


def test_an_outline_of_another_colour_than_the_fill_is_kept() -> None:
    """Seen along the way from paper to fill, a yellow line around blue would hardly be there."""
    picture = disc(WHITE, ink=(40, 60, 200))
    cv2.circle(picture, (40, 32), 20, (255, 255, 60), 1, cv2.LINE_AA)
    assert back(picture).max() <= 1


@pytest.mark.parametrize("page", [(244, 216, 205), (12, 30, 40)])
def test_a_codec_s_ringing_on_a_page_that_is_nearly_white_or_black_is_no_veil(
    page: tuple[int, int, int],
) -> None:
    """Beyond the page's colour there is little room: a few levels would need an opaque white, or black."""
    draw = np.random.default_rng(0)
    picture = disc(page, ink=(130, 70, 60)).astype(int)
    beside = np.abs(np.hypot(*np.mgrid[-32:32, -40:40]) - 24) < 3
    outward = 1 if page[0] > 128 else -1
    picture[beside] += outward * draw.integers(0, 12, (int(beside.sum()), 1))
    keyed = key_page(picture.clip(0, 255).astype(np.uint8), np.array(page, np.uint8))
    assert (keyed[..., 3] > 250).any()
    assert keyed[beside, 3].max() < 32


def test_an_empty_page_is_transparent() -> None:
    assert not key_page(np.full((16, 16, 3), 250, np.uint8), np.full(3, 250, np.uint8)).any()


def test_a_picture_without_a_plain_border_has_no_page() -> None:
    draw = np.random.default_rng(0)
    assert page_colour(draw.integers(0, 256, (40, 40, 3), dtype=np.uint8)) is None
    slope = np.linspace(0, 255, 40).astype(np.uint8)
    assert page_colour(np.repeat(np.tile(slope, (40, 1))[..., None], 3, -1)) is None


def test_a_figure_may_be_cut_off_by_one_side() -> None:
    picture = np.full((40, 40, 3), 255, np.uint8)
    picture[20:, 5:35] = (90, 20, 20)
    np.testing.assert_array_equal(page_colour(picture), WHITE)
    picture[:, 5:] = (90, 20, 20)
    picture[10:20] = (0, 200, 0)
    assert page_colour(picture) is None


def test_grain_of_the_paper_is_cleaned_and_the_ringing_of_a_jpeg_is_no_rim() -> None:
    picture = disc(WHITE)
    noisy = np.clip(picture - np.random.default_rng(0).integers(0, 6, picture.shape), 0, 255).astype(np.uint8)
    page = page_colour(noisy)
    assert page is not None
    assert not key_page(noisy, page)[:4].any()
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])
    jpeg = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    green = np.array([0, 160, 0], np.uint8)
    made = lay_on_page(key_page(jpeg, page_colour(jpeg)), green).astype(int)
    ring = np.hypot(*(np.mgrid[:64, :80] - np.array([32, 40])[:, None, None])) > 23
    assert np.abs(made - green)[ring].max() <= 40
    assert back(jpeg).mean() < 0.5


def test_a_page_is_plain_if_seven_tenths_of_its_border_have_one_colour() -> None:
    """To six levels: paper is never quite even."""
    picture = np.full((40, 40, 3), 250, np.uint8)
    picture[::2, :, 1] -= 5
    found = page_colour(picture)
    assert found is not None
    assert np.abs(found.astype(int) - [250, 247, 250]).max() <= 3
    for rows, plain in ((4, True), (6, False)):
        spoiled = np.full((40, 40, 3), 250, np.uint8)
        spoiled[:rows] = (250, 235, 250)
        assert (page_colour(spoiled) is not None) == plain


@pytest.mark.parametrize("ink", [(255, 225, 225), (255, 255, 225)])
def test_a_pale_figure_is_no_paper(ink: tuple[int, int, int]) -> None:
    """Thirty levels off: near the page its soft edge might be a JPEG's ringing, further in it is the figure."""
    picture = disc(WHITE, ink=ink)
    keyed = key_page(picture, np.array(WHITE, np.uint8))
    assert keyed[32, 40].tolist() == [*ink, 255]
    at = np.hypot(*(np.mgrid[:64, :80] - np.array([32, 40])[:, None, None]))
    assert (keyed[at < 13, 3] == 255).all()
    assert back(picture).max() <= 1


def test_what_lies_well_inside_is_never_a_veil() -> None:
    """A ring half way to the colour of the paper, five pixels inside the edge, is paint."""
    picture = disc(WHITE, blur=0.4)
    cv2.circle(picture, (40, 32), 15, (218, 142, 148), 1)
    keyed = key_page(picture, np.array(WHITE, np.uint8))
    assert keyed[32, 25].tolist() == [218, 142, 148, 255]


def beside_a_disc(stroke: tuple[int, int, int]) -> np.ndarray:
    """Alpha of a line one pixel wide beside a blue disc: [30]."""
    picture = np.full((64, 80, 3), 255, np.uint8)
    cv2.circle(picture, (40, 40), 16, (40, 60, 200), -1)
    picture[10, 25:55] = stroke
    return key_page(picture, np.array(WHITE, np.uint8))[10, 25:55, 3] / 255


def test_a_strong_stroke_has_a_colour_of_its_own_and_a_faint_one_veils_the_nearest() -> None:
    assert (beside_a_disc((255, 60, 60)) == 1).all()
    # Fifty levels of grey are a veil of the disc's blue: the least squares of that line, in closed form.
    away, blue = np.array([-50.0] * 3), np.array([40, 60, 200]) - 255
    assert beside_a_disc((205, 205, 205)) == pytest.approx(away @ blue / (blue @ blue), abs=0.01)


def test_a_picture_is_cut_out_by_its_alpha_or_by_its_page_or_not_at_all() -> None:
    keyed = cut_out(disc(CREAM))
    assert keyed.page is not None
    assert keyed.page.tolist() == list(CREAM)
    assert not keyed.is_opaque
    assert np.abs(keyed.laid_back(keyed.picture_u8).astype(int) - disc(CREAM)).max() <= 1
    # Alpha of its own is believed, whatever the border is like, and lies on white.
    own = cut_out(keyed.picture_u8)
    assert own.page is None
    assert not own.is_opaque
    assert own.picture_u8 is keyed.picture_u8
    assert np.abs(own.laid_back(own.picture_u8).astype(int) - disc(WHITE)).max() <= 16
    # An alpha that is 1 everywhere says nothing.
    full = np.concatenate([disc(CREAM), np.full((64, 80, 1), 255, np.uint8)], axis=-1)
    np.testing.assert_array_equal(cut_out(full).picture_u8, keyed.picture_u8)
    busy = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    whole = cut_out(busy)
    assert whole.page is None
    assert whole.is_opaque
    np.testing.assert_array_equal(whole.picture_u8[..., :3], busy)
    np.testing.assert_array_equal(whole.laid_back(whole.picture_u8), busy)


@pytest.mark.skipif(not MEDIA.is_dir(), reason="needs the media folder")
@pytest.mark.parametrize("name", ["watercolor-man/0010.jpg", "watercolor-man/0080.jpg", "dino/Walk (3).jpeg"])
def test_real_drawings(name: str) -> None:
    error = back(read_picture(MEDIA / name)).max(-1)
    assert error.mean() < 0.1
    assert (error > 2).mean() < 0.02
