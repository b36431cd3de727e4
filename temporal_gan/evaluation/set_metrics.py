"""The metrics of two sets of clips as wholes."""

from .metric_definition import MetricDefinition

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
