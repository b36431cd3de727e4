"""Every number of the report: name, unit, direction, and what it means in plain words."""

import math
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
        "foreground_psnr_pooled",
        "PSNR, character only, pooled",
        "dB",
        True,
        100.0,
        False,
        2,
        "The same from the mean squared error of all frames of a clip together, instead of the mean of the frames' "
        "decibels.",
        "Below the row above. One perfect frame lifts the mean by many decibels and this by almost nothing: a frozen "
        "copy of the first frame cannot win it.",
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
        "lpips",
        "LPIPS, whole frame",
        "",
        False,
        0.0,
        False,
        4,
        "How different the pictures look to a network trained on people's judgements of photographs.",
        "0 is identical. A ranking aid: flat-coloured drawings are not what it was trained on.",
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
        "foreground_warping_error_reference_flow",
        "Warping error, character only",
        "squared difference on [0, 1]",
        False,
        None,
        True,
        5,
        "The same along the real motion, counted only over the character: a still background cannot "
        "dilute it.",
        "Compare with the anchors; a still page cannot hide anything here.",
    ),
    MetricDefinition(
        "warping_error_own_flow",
        "Warping error along its own motion",
        "squared difference on [0, 1]",
        False,
        None,
        True,
        5,
        "The same along the motion that is seen in the made clip itself. It cannot see wrong motion: a "
        "frozen clip scores best of all.",
        "Never a score by itself: read it beside the warping error along the real motion and the motion "
        "ratio.",
    ),
    MetricDefinition(
        "flow_distance",
        "Motion difference (tOF)",
        "px",
        False,
        0.0,
        True,
        3,
        "Mean length of the difference between the motion of the made clip and that of the real clip, "
        "whole frame.",
        "0 is the same motion. Frozen, shuffled, reversed and jittering clips all raise it.",
    ),
    MetricDefinition(
        "foreground_flow_distance",
        "Motion difference (tOF), character only",
        "px",
        False,
        0.0,
        True,
        3,
        "The same over the character alone.",
        "0 is the same motion; the frozen column is about the mean motion of the real character.",
    ),
    MetricDefinition(
        "perceptual_change_distance",
        "Perceptual change (tLP)",
        "",
        False,
        0.0,
        True,
        4,
        "How differently made and real frames change from one to the next, by LPIPS.",
        "0 is the same amount of change. Published values are 100 times this.",
    ),
    MetricDefinition(
        "perceptual_change_excess",
        "Perceptual change, made minus real",
        "",
        None,
        0.0,
        True,
        4,
        "The same with its sign: above 0 the made clip changes more than the real one, below 0 less.",
        "0 is right. Flicker lies above, frozen clips below.",
    ),
    MetricDefinition(
        "flicker_static",
        "Flicker where nothing moves",
        "difference on [0, 1]",
        False,
        None,
        True,
        5,
        "Mean change from frame to frame in the parts of the picture that stand still in the real clip.",
        "Close to the next row, the same number of the real clip. Moving parts are not counted.",
    ),
    MetricDefinition(
        "flicker_static_real",
        "Flicker of the real clip (floor)",
        "difference on [0, 1]",
        None,
        None,
        True,
        5,
        "The same number of the real clip.",
        "Not a score, but the level to compare the row above with.",
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
        "keypoint_jerk_ratio",
        "Jerk of the joints, made / real",
        "ratio",
        None,
        1.0,
        True,
        2,
        "How abruptly the acceleration of the joints changes (third differences), made divided by real.",
        "1 is as smooth as the real clip. The most sensitive to jitter, also to that of the reader.",
    ),
    MetricDefinition(
        "keypoint_acceleration_error",
        "Acceleration error of the joints",
        "px per frame²",
        False,
        0.0,
        True,
        3,
        "Mean length of the difference between the joints' acceleration in the made and in the real "
        "clip. It also sees motion at the wrong time.",
        "0 is the same acceleration at every moment.",
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
    MetricDefinition(
        "average_keypoint_distance",
        "Joint distance (AKD)",
        "px at 256",
        False,
        0.0,
        False,
        2,
        "Mean distance of the joints that were found from where they belong (half the L1 distance, as "
        "published).",
        "0 is in place. Only with the next row: dropping hard joints lowers it.",
    ),
    MetricDefinition(
        "missing_keypoint_rate",
        "Joints not found (MKR)",
        "fraction",
        False,
        0.0,
        False,
        3,
        "Share of the real clip's joints that could not be found in the made clip.",
        "0 is none missing.",
    ),
)
"""Of clips against their real ones, in the order of the report."""

PICTURE_SET_METRICS = (
    MetricDefinition(
        "fid",
        "FID",
        "",
        False,
        0.0,
        False,
        2,
        "Frechet distance of Inception features (torch-fidelity): how far the made frames as a set are "
        "from the real ones.",
        "0 is the same set. Compare with the floor below; only equal counts may be compared.",
    ),
    MetricDefinition(
        "fid_of_halves",
        "FID at the floor's count",
        "",
        False,
        0.0,
        False,
        2,
        "The same between a half of the made and a half of the real frames: this, not the row above, is "
        "to be held against the floor.",
        "Near the floor is as good as real. Smaller sets always score worse.",
    ),
    MetricDefinition(
        "kid",
        "KID",
        "",
        False,
        0.0,
        False,
        5,
        "Squared kernel distance of Inception features over random subsets: unbiased, so the count "
        "matters less than for FID.",
        "About 0 for sets of the same kind; half of such values are negative.",
    ),
    MetricDefinition(
        "kernel_distance",
        "Kernel distance of the whole sets",
        "",
        False,
        0.0,
        False,
        5,
        "The same over the whole sets at once, defined for sets of any size, with a test: how often do "
        "sets this far apart arise when whole clips are dealt out at random?",
        "About 0 for sets of the same kind. Read its p-value.",
    ),
    MetricDefinition(
        "precision",
        "Precision",
        "fraction",
        True,
        1.0,
        False,
        3,
        "Share of the made frames that lie among the real ones.",
        "Near the floor. Low: things that are not real.",
    ),
    MetricDefinition(
        "recall",
        "Recall",
        "fraction",
        True,
        1.0,
        False,
        3,
        "Share of the real frames that lie among the made ones.",
        "Near the floor. Low: something real is never made.",
    ),
    MetricDefinition(
        "density",
        "Density",
        "",
        True,
        None,
        False,
        3,
        "In how many real neighbourhoods a made frame lies, over what is expected.",
        "About 1, near the floor.",
    ),
    MetricDefinition(
        "coverage",
        "Coverage",
        "fraction",
        True,
        1.0,
        False,
        3,
        "Share of the real neighbourhoods that hold any made frame.",
        "Near the floor.",
    ),
    MetricDefinition(
        "inception_score",
        "Inception score (not decision-grade)",
        "",
        True,
        None,
        False,
        3,
        "Kept because the literature prints it: its classes are those of photographs and say nothing "
        "about drawings.",
        "No good value is known for drawings: compare with that of the real frames.",
    ),
    MetricDefinition(
        "inception_score_real",
        "Inception score of the real frames",
        "",
        None,
        None,
        False,
        3,
        "The same number of the real frames.",
        "Not a score, but the level to compare the row above with.",
    ),
)
"""Of frames as two sets."""

CLIP_SET_METRICS = (
    MetricDefinition(
        "fvd",
        "FVD",
        "",
        False,
        0.0,
        False,
        2,
        "Frechet distance of I3D logits: how far the made clips as a set are from the real ones. It sees "
        "content more than motion.",
        "0 is the same set. Compare with the floor; only equal counts may be compared. Not for judging "
        "steadiness.",
    ),
    MetricDefinition(
        "fvd_of_halves",
        "FVD at the floor's count",
        "",
        False,
        0.0,
        False,
        2,
        "The same between a half of the made and a half of the real clips: this is to be held against "
        "the floor.",
        "Near the floor is as good as real. Smaller sets always score worse.",
    ),
)
"""Of clips as two sets."""

DEFINITIONS = {metric.name: metric for metric in (*METRICS, *PICTURE_SET_METRICS, *CLIP_SET_METRICS)}

HEADLINE = (
    "foreground_psnr_pooled",
    "foreground_ssim",
    "motion_ratio",
    "acceleration_ratio",
    "warping_error_reference_flow",
    "pck@0.1",
)
"""What stands at the top of the report: a frozen or shuffled clip must lose each of these against a fair one.

Sharpness is not among them, because a frozen clip is perfectly sharp; nor is the motion difference, because standing
still is nearer to a small motion than a slight jitter is.
"""

BAD_ANCHORS = ("copy_first_frame", "shuffled", "other_character", "blank_page")

ANCHOR_MEANINGS = {
    "real_halves": "two disjoint halves of the real clips against each other, at half the count: the floor",
    "real_saved_as_jpeg": (
        "the real clip itself, saved as JPEG pictures of quality 90 and read back: a perfect clip that went through "
        "one lossy file, the floor"
    ),
    "copy_first_frame": (
        "the real clip's first frame, repeated (a frozen clip); paired scores skip that frame itself"
    ),
    "shuffled": "the real frames in another order, no frame in its own place",
    "other_character": (
        "the real clip of another character of the same set, or else of its store (any other clip, where characters "
        "are not known), stretched to this size, looped or cut to this length"
    ),
    "blank_page": "an empty white page",
    "nearest_training_frame": "for each frame the nearest frame of the training data, copied",
}
ANCHOR_TITLES = {
    "real_halves": "real against real",
    "real_saved_as_jpeg": "real, saved as JPEG",
    "copy_first_frame": "frozen",
    "shuffled": "shuffled",
    "other_character": "other character",
    "blank_page": "blank page",
    "nearest_training_frame": "nearest training frame",
}


def closeness(metric: MetricDefinition, value: float) -> float | None:
    """The value on a scale where larger is better; None where it is no score."""
    if metric.higher_is_better is not None:
        return value if metric.higher_is_better else -value
    if metric.ideal is None:
        return None
    if metric.unit == "ratio":
        # Twice as much is as far off as half as much, and nothing at all is infinitely far.
        return -abs(math.log(value)) if value > 0 else -math.inf
    return -abs(value - metric.ideal)
