"""What a reader must know before believing the numbers."""

from ..models.reader_file import find_reader, reader_sha256
from .definitions import ANCHOR_TITLES, BAD_ANCHORS, DEFINITIONS, HEADLINE
from .metric_definition import closeness
from .results import Results
from .set_networks import network_of
from .set_results import SetResults

BLIND_TO_MOTION = (
    "Distances between sets hardly see motion: frozen clips of real pictures score almost like real ones. They say "
    "nothing about steadiness; measure the same clips under clips_v1 too."
)
"""Stands above comparisons of sets that a frozen clip can win."""

TRAINED_AGAINST = (
    "The reader is the copy that training may be against: a model that was cannot be judged by it. Leave --reader out "
    "for the copy that only judges."
)


def find_set_warnings(results: SetResults) -> list[str]:
    """Sentences for the top of the report of two sets."""
    found = [] if network_of(results.protocol).sees_motion else [BLIND_TO_MOTION]
    file = find_reader("loss")
    if results.weights_hash is not None and file.is_file() and reader_sha256(file) == results.weights_hash:
        found.append(TRAINED_AGAINST)
    return found


def find_warnings(
    results: Results, entries: dict[str, dict[str, object]], anchors: dict[str, dict[str, float | None]]
) -> list[str]:
    """Sentences for the top of the report.

    Args:
        results: the evaluation.
        entries: metric -> its entry in results.json.
        anchors: anchor -> metric -> value.
    """
    found = []
    shortfall = results.shortfall()
    if shortfall is not None:
        found.append(f"No values: {shortfall}.")
    if results.reader_is_for_losses:
        found.append(TRAINED_AGAINST)
    found += _lost_to_anchors(entries, anchors)
    if results.missing:
        found.append(
            f"Real clips without a made one: {len(results.missing)} (first: {results.missing[0]}). They are not in "
            "the numbers. A method that leaves out its hard clips looks better than it is."
        )
    motion = entries["motion_ratio"]["value"]
    if isinstance(motion, float) and motion < 0.5:
        found.append(
            f"The made clips move {motion:.0%} as much as the real ones. Low warping error and low "
            "jerkiness mean nothing for a clip that stands still."
        )
    if isinstance(motion, float) and motion > 1.5:
        found.append(
            f"The made clips move {motion:.1f} times as much as the real ones: they jitter, jump, or move what stands "
            "still."
        )
    names = ("warping_error_reference_flow", "warping_error_real", "sharpness_ratio")
    known = [value for value in (entries[name]["value"] for name in names) if isinstance(value, float)]
    if len(known) == 3 and known[0] < 0.7 * known[1] and known[2] < 0.7:
        found.append(
            "The warping error lies below that of the real clips because the made clips are blurred "
            f"(sharpness {known[2]:.2f}), not because they are steadier."
        )
    copied = sum(
        len(c.made.psnr_per_frame) > 1 and c.made.psnr_per_frame[0] >= 60 > min(c.made.psnr_per_frame)
        for c in results.clips
    )
    if copied:
        found.append(
            f"In {copied} of {len(results.clips)} clips the first made frame is a copy of the real one, as where a "
            "model is given it. That lifts PSNR and SSIM: read the curve over time."
        )
    measured = next((len(c.anchors) for c in results.clips if c.anchors), 0)
    anchored = sum(bool(c.anchors) for c in results.clips)
    if measured and anchored < len(results.clips):
        found.append(f"Anchors were measured on {anchored} of the {len(results.clips)} clips, evenly spaced.")
    if len(results.clips) < 3:
        found.append("Fewer than three clips: there are no intervals, and one odd clip decides the mean.")
    resized = [clip for clip in results.clips if clip.resized_from]
    if resized:
        first = resized[0]
        width, height = first.resized_from or (0, 0)
        found.append(
            f"{len(resized)} of {len(results.clips)} made clips had another size than the real ones "
            f"and were resized (first: {first.clip_id}, {width}x{height} to {first.width}x{first.height}). "
            "Sharpness suffers from that."
        )
    methods = {clip.flow for clip in results.clips} - {"none"}
    if methods == {"dis"}:
        found.append(
            "The motion of the real clips was measured (DIS), not known exactly: read the floor beside it."
        )
    elif len(methods) > 1:
        found.append("Some clips carry exact motion and some were measured (DIS): warping errors mix both.")
    return found


def _lost_to_anchors(
    entries: dict[str, dict[str, object]], anchors: dict[str, dict[str, float | None]]
) -> list[str]:
    """A frozen or shuffled clip that scores better is said first: then these numbers prove nothing."""
    found = []
    for name in BAD_ANCHORS:
        if name not in anchors:
            continue
        lost = []
        for metric in HEADLINE:
            made, bad = entries[metric]["value"], anchors[name][metric]
            if not isinstance(made, float) or bad is None:
                continue
            closeness_made, closeness_bad = (
                closeness(DEFINITIONS[metric], made),
                closeness(DEFINITIONS[metric], bad),
            )
            if closeness_made is not None and closeness_bad is not None and closeness_bad > closeness_made:
                lost.append(DEFINITIONS[metric].title)
        if lost:
            found.append(
                f"The made clips lose to the anchor \u201c{ANCHOR_TITLES[name]}\u201d in: {'; '.join(lost)}."
            )
    return found
