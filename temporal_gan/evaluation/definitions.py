"""Every number of the report: name, unit, direction, and what it means in plain words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MetricDefinition:
    """One row of results.json and of the report.

    Attributes:
        name: key in results.json.
        title: what people call it.
        unit: of the value.
        higher_is_better: None where neither end is good (ratios, floors).
        ideal: the value of a perfect clip, or None where it depends on the clip.
        temporal: judges frames against each other; shown only with the motion ratio beside it.
        digits: decimals to print.
        meaning: what it measures, for a reader who never met it.
        good: what a good value is.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool | None
    ideal: float | None
    temporal: bool
    digits: int
    meaning: str
    good: str


METRICS = (
    MetricDefinition(
        "foreground_psnr",
        "PSNR, character only",
        "dB",
        True,
        100.0,
        False,
        2,
        "How close the pixels are, counted only where the made or the real character is drawn. "
        "An empty page cannot flatter it.",
        "3 dB more is half the squared error. Thin lines are judged harshly: a blur of one pixel "
        "on a drawing of 128 px already gives about 18 dB. It should lie well above the anchors.",
    ),
    MetricDefinition(
        "foreground_ssim",
        "SSIM, character only",
        "",
        True,
        1.0,
        False,
        3,
        "How alike the local structure (lines, edges, contrast) is inside the silhouettes.",
        "1 is identical. A blur of one pixel on a drawing of 128 px gives 0.7, a frozen clip about 0.5.",
    ),
    MetricDefinition(
        "psnr",
        "PSNR, whole frame",
        "dB",
        True,
        100.0,
        False,
        2,
        "How close the pixels are over the whole frame, background included.",
        "A white page makes it look good: compare it with the anchors, and trust the character-only value.",
    ),
    MetricDefinition(
        "ssim",
        "SSIM, whole frame",
        "",
        True,
        1.0,
        False,
        3,
        "Local structure over the whole frame: Gaussian window 11x11, sigma 1.5, valid region.",
        "1 is identical. Flat backgrounds lift it: compare it with the anchors.",
    ),
    MetricDefinition(
        "sharpness_ratio",
        "Sharpness, made / real",
        "ratio",
        None,
        1.0,
        False,
        2,
        "Strength of lines and edges inside the silhouettes, made divided by real.",
        "1 is as crisp as the real drawing. Below about 0.5 the picture is blurred, above 1.2 it is noisy.",
    ),
    MetricDefinition(
        "motion_ratio",
        "Motion, made / real",
        "ratio",
        None,
        1.0,
        True,
        2,
        "How far the character moves from frame to frame, made divided by real. "
        "A frozen clip has 0 and would win every other steadiness score, so it is read first.",
        "0.8 to 1.2 is right. Below 0.5 the character hardly moves; far above 1 it jumps.",
    ),
    MetricDefinition(
        "warping_error_reference_flow",
        "Warping error along the real motion",
        "squared difference on [0, 1]",
        False,
        None,
        True,
        5,
        "Follow every visible point along the motion of the real clip: how much does its colour "
        "change in the made clip? Flicker, jitter and wrong motion all raise it.",
        "Close to the next row, the same number of the real clip. Below it is no merit: blur does that.",
    ),
    MetricDefinition(
        "warping_error_real",
        "Warping error of the real clip (floor)",
        "squared difference on [0, 1]",
        None,
        None,
        True,
        5,
        "The same number of the real clip: what shading and resampling cost even when nothing is wrong.",
        "Not a score, but the level to compare the row above with. Only blur gets below it.",
    ),
    MetricDefinition(
        "acceleration_ratio",
        "Jerkiness, made / real",
        "ratio",
        None,
        1.0,
        True,
        2,
        "How abruptly the motion changes from frame to frame, made divided by real.",
        "1 is as smooth as the real clip. Above 2 it jitters, well below 1 it is smoothed or still.",
    ),
    MetricDefinition(
        "pck@0.1",
        "Joints in place (PCK@0.1)",
        "fraction",
        True,
        1.0,
        False,
        3,
        "Share of joints less than a tenth of the character's box away from where they belong. "
        "Joints that could not be found count as wrong.",
        "1 is every joint. Compare with the frozen column: joints that hardly move are easy.",
    ),
    MetricDefinition(
        "pck@0.05",
        "Joints in place, strict (PCK@0.05)",
        "fraction",
        True,
        1.0,
        False,
        3,
        "The same with half the distance.",
        "The gap to the row above tells near misses from misses.",
    ),
)
"""In the order of the report."""

DEFINITIONS = {metric.name: metric for metric in METRICS}

ANCHOR_MEANINGS = {
    "copy_first_frame": (
        "the real clip's first frame, repeated (a frozen clip); paired scores skip that frame itself"
    ),
    "shuffled": "the real frames in another order, no frame in its own place",
    "blank_page": "an empty white page",
    "nearest_training_frame": "for each frame the nearest frame of the training data, copied",
}
ANCHOR_TITLES = {
    "copy_first_frame": "frozen",
    "shuffled": "shuffled",
    "blank_page": "blank page",
    "nearest_training_frame": "nearest training frame",
}
