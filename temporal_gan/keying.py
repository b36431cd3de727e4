"""Drawings on a plain page: which colour the page has, and the figure cut out of it with soft edges.

The page is what is joined to the picture's border, so a white shirt on white paper stays, and so does a patch of paper
that the figure encloses.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from .alpha import over_white

PLAIN_SHARE = 0.7
"""Least part of the border that must show the page: a figure may be cut off by one side of the picture."""

PAGE_LEVELS = 6
"""A border pixel shows the page if no channel is further than this from the border's median."""

PAPER_LEVELS = 16
"""What is joined to the border and no further than this from the page's colour is page: paper has grain."""

RINGING_LEVELS = 40
RINGING_PIXELS = 4
"""So near to the page, what is so near to its colour is page as well: a JPEG rings around lines."""

EDGE_PIXELS = 2
"""How far into the figure its edge is soft."""

TRACE_PIXELS = 8
"""How far out of the figure its traces stay, a JPEG's block; beyond, the page is clean."""

STROKE_LEVELS = 64
"""A stroke too thin to have an inside says what colour it is if it is this far from the page's; a fainter one may as
well be a JPEG's ringing, and is taken as a veil of the colour nearest to it."""


@dataclass(frozen=True)
class CutOut:
    """A drawing with alpha.

    Attributes:
        picture_u8: uint8 [H, W, 4], colour premultiplied by alpha.
        page: uint8 [3], colour of the page it was cut out of; None where it had alpha of its own, or no plain page.
    """

    picture_u8: np.ndarray
    page: np.ndarray | None

    @property
    def is_opaque(self) -> bool:
        """Nothing could be cut away."""
        return bool(self.picture_u8[..., 3].min() == 255)

    def laid_back(self, picture_u8: np.ndarray) -> np.ndarray:
        """Other premultiplied pictures on this one's page, white where it has none.

        uint8 [..., H, W, 4] -> uint8 [..., H, W, 3].
        """
        return over_white(picture_u8) if self.page is None else lay_on_page(picture_u8, self.page)


def cut_out(picture_u8: np.ndarray) -> CutOut:
    """Give a drawing alpha: its own, or by its page; where the page is not plain, 1 everywhere.

    Args:
        picture_u8: uint8 [H, W, 3], or [H, W, 4] premultiplied.
    """
    if picture_u8.shape[-1] == 4:
        if picture_u8[..., 3].min() < 255:
            return CutOut(picture_u8, None)
        picture_u8 = picture_u8[..., :3]
    page = page_colour(picture_u8)
    if page is not None:
        return CutOut(key_page(picture_u8, page), page)
    return CutOut(np.concatenate([picture_u8, np.full_like(picture_u8[..., :1], 255)], axis=-1), None)


def page_colour(picture_u8: np.ndarray) -> np.ndarray | None:
    """The colour of the page a drawing lies on.

    Args:
        picture_u8: uint8 [H, W, 3].
    Returns:
        uint8 [3], or None where the border is not plain.
    """
    border = np.concatenate([picture_u8[0], picture_u8[-1], picture_u8[1:-1, 0], picture_u8[1:-1, -1]])
    colour = np.median(border, axis=0)
    plain = (np.abs(border - colour) <= PAGE_LEVELS).all(axis=-1).mean() >= PLAIN_SHARE
    return colour.astype(np.uint8) if plain else None


def key_page(picture_u8: np.ndarray, page: np.ndarray) -> np.ndarray:
    """Cut a drawing out of its page.

    With F the colour of the figure near an edge pixel C, and P the page's, C = a F + (1 - a) P is solved for a, and the
    premultiplied colour is C - (1 - a) P; a is never so small that it would leave [0, a]. So laying the result back on
    the page gives the drawing again, but for the page's own dirt.

    Args:
        picture_u8: uint8 [H, W, 3].
        page: uint8 [3], :func:`page_colour` of it.
    Returns:
        uint8 [H, W, 4], colour premultiplied by alpha.
    """
    away = page_distance(picture_u8, page)
    outside = _joined_to_border(away <= PAPER_LEVELS)
    made = np.zeros((*outside.shape, 4), np.uint8)
    if outside.all():
        return made
    # Beyond the figure and its traces there is nothing to work out.
    rows, columns = np.flatnonzero(~outside.all(axis=1)), np.flatnonzero(~outside.all(axis=0))
    reach = TRACE_PIXELS + 1
    around = np.s_[
        max(rows[0] - reach, 0) : rows[-1] + reach + 1, max(columns[0] - reach, 0) : columns[-1] + reach + 1
    ]
    made[around] = _key_figure(np.ascontiguousarray(picture_u8[around]), page, away[around], outside[around])
    return made


def page_distance(picture_u8: np.ndarray, page: np.ndarray) -> np.ndarray:
    """How far each pixel is from the page's colour, in the channel that differs most.

    uint8 [H, W, 3], uint8 [3] -> uint8 [H, W].
    """
    # A scalar has four numbers in OpenCV.
    red, green, blue = cv2.split(cv2.absdiff(picture_u8, (*map(float, page), 0.0)))  # type: ignore[call-overload]
    return cv2.max(cv2.max(red, green), blue)


def lay_on_page(picture_u8: np.ndarray, page: np.ndarray) -> np.ndarray:
    """Premultiplied uint8 [..., H, W, 4] on a page of one colour, uint8 [3] -> uint8 [..., H, W, 3]."""
    rest = (255 - picture_u8[..., 3:].astype(np.float32)) / 255
    return np.rint(picture_u8[..., :3] + rest * page).clip(0, 255).astype(np.uint8)


def _key_figure(
    picture_u8: np.ndarray, page: np.ndarray, away: np.ndarray, outside: np.ndarray
) -> np.ndarray:
    """A figure, a little of the page around it, cut out: uint8 [h, w, 3], its distance from the page's colour uint8
    [h, w], and what is page for sure, bool [h, w] -> uint8 [h, w, 4]."""
    outside = _joined_to_border(outside | ((away <= RINGING_LEVELS) & _grown(outside, RINGING_PIXELS)))
    in_by = cv2.distanceTransform((~outside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    edge = _grown(~outside, TRACE_PIXELS) & (in_by <= EDGE_PIXELS)
    made = cv2.cvtColor(picture_u8, cv2.COLOR_RGB2RGBA)
    made.view(np.uint32)[outside] = 0
    at = np.flatnonzero(edge)
    if len(at) and not outside.all():
        paper = page.astype(np.float32) / 255
        picture = picture_u8.reshape(-1, 3)[at].astype(np.float32) / 255
        across = _nearest_colours(picture_u8, in_by, away, at).astype(np.float32) / 255 - paper
        share = ((picture - paper) * across).sum(-1) / np.maximum((across**2).sum(-1), 1e-4)
        room = np.where(picture > paper, 1 - paper, paper)
        least = np.abs(picture - paper) / np.maximum(room, 1 / 255)
        # On a page that is nearly white, ringing a little whiter would need a white that hides the page.
        least = np.where(outside[edge][:, None] & (room < 0.5), 0, least)
        alpha = np.clip(np.maximum(share, least.max(-1)), 0, 1)
        covered = np.ceil(alpha * 255 - 1e-3).astype(np.uint8)
        rest = 255 - covered.astype(np.float32)
        colour = np.rint(picture * 255 - rest[:, None] * paper).clip(0, covered[:, None])
        made.reshape(-1, 4)[at] = np.concatenate([colour.astype(np.uint8), covered[:, None]], axis=-1)
    return made


def _grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """A mask [h, w] and what is no further than this from it."""
    y, x = np.mgrid[-pixels : pixels + 1, -pixels : pixels + 1]
    disc = (x**2 + y**2 <= pixels**2).astype(np.uint8)
    return cv2.dilate(mask.astype(np.uint8), disc).astype(bool)


def _joined_to_border(page: np.ndarray) -> np.ndarray:
    """The part of a mask [H, W] that is joined to the picture's border."""
    _, parts = cv2.connectedComponents(page.astype(np.uint8), connectivity=4)
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    joined = np.zeros(int(parts.max()) + 1, bool)
    joined[border] = True
    joined[0] = False
    return np.asarray(joined[parts])


def _nearest_colours(picture: np.ndarray, in_by: np.ndarray, away: np.ndarray, at: np.ndarray) -> np.ndarray:
    """For the pixels of uint8 [h, w, 3] with these numbers the colour of the nearest one that lies well inside the
    figure; where a strong stroke is too thin to have an inside, of its middle; where there is neither, their own."""
    ridge = (in_by > 0) & (in_by >= cv2.dilate(in_by, np.ones((3, 3), np.uint8)))
    inside = ((in_by > EDGE_PIXELS) & (away > PAPER_LEVELS)) | (ridge & (away > STROKE_LEVELS))
    if not inside.any():
        return picture.reshape(-1, 3)[at]
    _, labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros(int(labels.max()) + 1, np.int64)
    places[labels[inside]] = np.flatnonzero(inside)
    return np.asarray(picture.reshape(-1, 3)[places[labels.reshape(-1)[at]]])
