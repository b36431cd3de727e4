"""All metrics by name, which of them stand at the top of a report, and what its anchors are."""

from .clip_metrics import METRICS
from .reader_metrics import READER_METRICS
from .reader_set_metrics import READER_CLIP_SET_METRICS, READER_PICTURE_SET_METRICS
from .set_metrics import CLIP_SET_METRICS, PICTURE_SET_METRICS

PAIRED_METRICS = (*METRICS, *READER_METRICS)
"""Of clips against their real ones, in the order of the report."""

DEFINITIONS = {
    metric.name: metric
    for metric in (
        *PAIRED_METRICS,
        *PICTURE_SET_METRICS,
        *CLIP_SET_METRICS,
        *READER_PICTURE_SET_METRICS,
        *READER_CLIP_SET_METRICS,
    )
}

HEADLINE = (
    "foreground_psnr_pooled",
    "foreground_ssim",
    "motion_ratio",
    "acceleration_ratio",
    "warping_error_reference_flow",
    "pck@0.1",
    "reader_pck@0.05",
    "expression_intensity_correlation",
)
"""What stands at the top of the report: a frozen or shuffled clip must lose each of these against a fair one.

Sharpness is not among them, because a frozen clip is perfectly sharp; nor is the motion difference, because standing
still is nearer to a small motion than a slight jitter is; nor is the expression accuracy, because a clip that is frozen
in the right face has it all where the command holds one expression.
"""

CARDS = (*HEADLINE, "expression_accuracy")
"""Large at the top of the report."""

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
