"""Drawings on a plain page: which colour the page has, and the figure cut out of it with soft edges.

The page is what is joined to the picture's border, so a white shirt on white paper stays, and so does a patch of paper
that the figure encloses.
"""

import cv2
import numpy as np

PLAIN_SHARE = 0.7
"""Least part of the border that must show the page: a figure may be cut off by one side of the picture."""

PAGE_LEVELS = 6
"""A border pixel shows the page if no channel is further than this from the border's median."""

CLEAN_LEVELS = 16
"""The page's own dirt, such as a JPEG's ringing around lines: it is cleaned away up to this many levels, but for the
pixels that touch the figure."""

EDGE_PIXELS = 2
"""How far into the figure its edge is soft, and how far out of it traces of it stay."""


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
    picture, paper = picture_u8.astype(np.float32) / 255, page.astype(np.float32) / 255
    away = np.abs(picture_u8.astype(np.int16) - page.astype(np.int16)).max(axis=-1)
    outside = _joined_to_border(away <= CLEAN_LEVELS)
    out_by, in_by = (
        cv2.distanceTransform(m.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for m in (outside, ~outside)
    )
    alpha = np.where(outside, 0.0, 1.0).astype(np.float32)
    edge = (out_by <= EDGE_PIXELS) & (in_by <= EDGE_PIXELS)
    if edge.any() and not outside.all():
        figure = _nearest_colours(picture, in_by)
        across = figure - paper
        share = ((picture - paper) * across).sum(-1) / np.maximum((across**2).sum(-1), 1e-4)
        least = np.where(picture > paper, picture - paper, 0) / np.maximum(1 - paper, 1 / 255)
        least = np.maximum(least, np.where(picture < paper, paper - picture, 0) / np.maximum(paper, 1 / 255))
        alpha = np.where(edge, np.clip(np.maximum(share, least.max(-1)), 0, 1), alpha)
    alpha_u8 = np.ceil(alpha * 255 - 1e-3).astype(np.uint8)
    rest = 255 - alpha_u8.astype(np.float32)
    colour = np.rint(picture * 255 - rest[..., None] * paper).clip(0, alpha_u8[..., None])
    return np.concatenate([colour.astype(np.uint8), alpha_u8[..., None]], axis=-1)


def lay_on_page(picture_u8: np.ndarray, page: np.ndarray) -> np.ndarray:
    """Premultiplied uint8 [..., H, W, 4] on a page of one colour, uint8 [3] -> uint8 [..., H, W, 3]."""
    rest = (255 - picture_u8[..., 3:].astype(np.float32)) / 255
    return np.rint(picture_u8[..., :3] + rest * page).clip(0, 255).astype(np.uint8)


def _joined_to_border(page: np.ndarray) -> np.ndarray:
    """The part of a mask [H, W] that is joined to the picture's border."""
    _, parts = cv2.connectedComponents(page.astype(np.uint8), connectivity=4)
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    return np.isin(parts, np.unique(border[border > 0]))


def _nearest_colours(picture: np.ndarray, in_by: np.ndarray) -> np.ndarray:
    """For every pixel the colour of the nearest one that lies well inside the figure; where a stroke is too thin to have
    an inside, of its middle."""
    deep = in_by > EDGE_PIXELS
    ridge = (in_by > 0) & (in_by >= cv2.dilate(in_by, np.ones((3, 3), np.uint8)))
    inside = deep | ridge
    _, labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(labels.max()) + 1, 3), np.float32)
    colours[labels[inside]] = picture[inside]
    return np.asarray(colours[labels])
