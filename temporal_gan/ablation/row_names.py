"""Names of what a sweep does on its own beside the arms of its file."""

WARP_FLOOR = "layered_bare_warp"

FLOOR_TITLES = {
    "real_saved_as_jpeg": "real clips, saved as JPEG",
    "copy_first_frame": "first frame copied",
    "nearest_training_frame": "nearest training frame",
    WARP_FLOOR: "nearest training frame, warped",
}
"""Best first; the first is a ceiling."""

DCGAN_ARM = "plain DCGAN"
"""Of the textbook, frame by frame, as a floor: it hears neither of pose nor of time."""

COMMON_ARM = "common start"
"""The base arm's first steps, which all arms of a seed go on from; trained and not scored."""
