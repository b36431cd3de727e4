"""The puppet: a procedural anime character with exact keypoints, expression, part map and optical flow."""

from .character import CHARACTERS
from .clip import PuppetClip, PuppetSpec, motion_keypoints, random_specs, render_clip
from .motion import MOTIONS

__all__ = [
    "CHARACTERS",
    "MOTIONS",
    "PuppetClip",
    "PuppetSpec",
    "motion_keypoints",
    "random_specs",
    "render_clip",
]
