"""The puppet: a procedural anime character with exact keypoints, expression, part map and optical flow."""

from .background import BACKGROUNDS
from .camera import CAMERAS
from .cast import CHARACTERS
from .clip import PuppetClip, motion_keypoints, render_clip
from .degradation import DEGRADATIONS
from .lighting import LIGHTS
from .motion import MOTIONS
from .spec import PuppetSpec, random_specs

__all__ = [
    "BACKGROUNDS",
    "CAMERAS",
    "CHARACTERS",
    "DEGRADATIONS",
    "LIGHTS",
    "MOTIONS",
    "PuppetClip",
    "PuppetSpec",
    "motion_keypoints",
    "random_specs",
    "render_clip",
]
