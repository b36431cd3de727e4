"""Named scoring protocols: the name fixes every choice that could change a number."""

from dataclasses import asdict, dataclass
from typing import Literal

HELD_OUT_CLIPS = 16
"""Fewer clips of a held-out split give intervals too wide to tell two models apart."""


@dataclass(frozen=True)
class Protocol:
    """How clips are scored one by one against the real ones.

    Attributes:
        name: ``<what>_v<version>``; any change that moves a number makes a new version.
        description: one sentence.
        temporal: score frames against each other too; False = every frame stands alone.
        anchors: names of the anchors that are computed beside the score.
        split: the split of the reference store that is scored; None: the one that was asked for.
        fewest_clips: with fewer scored clips every value is null.
        whole_split: every clip of the split must have been made and scored, else every value is null.
        exact_flow: clips whose real motion is not known exactly have no warping error or flicker.
        interval_unit: what the bootstrap draws: clips, or characters with all of their clips.
        anchor_clips: of more clips than this the anchors are measured on this many, evenly spaced.
        pck_thresholds: fractions of the character's box.
        bootstrap_draws, interval_level, seed: of the interval over clips and of the shuffled anchor.
        The other fields say in words what the code does.
    """

    name: str
    description: str
    temporal: bool
    anchors: tuple[str, ...]
    split: str | None = None
    fewest_clips: int = 1
    whole_split: bool = False
    exact_flow: bool = False
    interval_unit: Literal["clip", "character"] = "clip"
    anchor_clips: int = 256
    pck_thresholds: tuple[float, ...] = (0.1, 0.05)
    bootstrap_draws: int = 1000
    interval_level: float = 0.95
    seed: int = 0
    size: str = "the real clip's own; a made clip of another size is resized to it (bicubic, antialiased)"
    frames: str = (
        "all frames of both clips, which must be equally many; drawings that GIF, APNG or WebP store once and show "
        "longer are written out first"
    )
    stride: int = 1
    fps: str = "as the clip says; recorded, not resampled; made and real must agree, pictures fit any"
    background: str = "white"
    region: str = (
        "whole frame, and foreground = union of both silhouettes: the real clip's alpha > 0 where it has "
        "alpha, else more than 5 % off the border colour"
    )
    psnr: str = (
        "range 1, capped at 100 dB, mean of frames, then of clips; pooled: from a clip's mean squared error"
    )
    ssim: str = "Gaussian 11x11, sigma 1.5, valid region, population covariance, per colour channel"
    lpips: str = "lpips 0.1, AlexNet, scalar form, mean of frames; tLP on frames t and t+1, times 1"
    flow: str = (
        "exact where the clip carries it, else DIS (OpenCV, medium) on grey frames of the real clip, "
        "forward-backward checked"
    )
    motion: str = (
        "DIS (OpenCV, medium) on grey frames of both clips, over the foreground; "
        "acceleration is the change of that flow at a fixed pixel"
    )
    dis: str = "preset medium: finest scale 1, patches of 8 px every 3 px, 25 gradient steps, 5 variational refinements"
    keypoint_box: str = "longer side of the box around the known joints of each real frame"
    keypoint_distance: str = (
        "half the L1 distance (Siarohin et al. 2019), in pixels of a frame whose longer side is 256"
    )
    aggregation: str = (
        "mean over clips of the mean over frames; interval by bootstrap over clips (percentile)"
    )

    def to_dict(self) -> dict[str, object]:
        """Plain types for JSON, every field."""
        return asdict(self)


@dataclass(frozen=True)
class SetProtocol:
    """How two sets of clips are compared as wholes: nothing is paired, and the sets may differ in content.

    Attributes:
        name, description: as in :class:`Protocol`.
        network: ``inception`` for pictures, ``i3d`` for clips, ``reader`` (the project's own) for both.
        fewest: vectors each set must give; the distance takes exactly so many, because its bias depends on it.
        vectors_per_clip: pictures taken from a clip, evenly spaced; 1 where the vector is that of a clip.
        window: frames of the window taken from a clip at a random place; 1 for pictures.
        subsets, subset_size: of KID.
        neighbours: of precision and recall.
        parts: in so many disjoint parts the spread of a Frechet distance is measured.
        seed: of the choice of clips and windows.
        The other fields say in words what the code does.
    """

    name: str
    description: str
    network: Literal["inception", "i3d", "reader"]
    anchors: tuple[str, ...]
    fewest: int = 2048
    vectors_per_clip: int = 1
    window: int = 1
    subsets: int = 100
    subset_size: int = 1000
    neighbours: int = 3
    splits: int = 10
    parts: int = 4
    draws: int = 999
    seed: int = 0
    split: str | None = None
    stride: int = 1
    size: str = "each clip's own"
    resize: str = ""
    fps: str = "as the clip says; recorded, not resampled; both sets should have one rate"
    background: str = "white"
    region: str = "whole frame"
    flow: str = "none"
    choice: str = "clips in a random order fixed by the seed and the clip's name; too short ones are left out"
    aggregation: str = (
        "one value for the two sets; no bootstrap: it would repeat vectors and shrink covariances"
    )

    def to_dict(self) -> dict[str, object]:
        """Plain types for JSON, every field."""
        return asdict(self)


_CLIP_ANCHORS = ("real_saved_as_jpeg", "copy_first_frame", "shuffled", "other_character")


def _held_out(what: str, split: str, description: str, unit: Literal["clip", "character"]) -> Protocol:
    return Protocol(
        name=f"puppet_heldout_{what}_v1",
        description=description,
        temporal=True,
        anchors=_CLIP_ANCHORS,
        split=split,
        fewest_clips=HELD_OUT_CLIPS,
        whole_split=True,
        exact_flow=True,
        interval_unit=unit,
        flow="exact, rendered with the clip",
        aggregation=f"mean over clips of the mean over frames; interval by bootstrap over {unit}s (percentile)",
    )


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="clips_v1",
            description="Made clips against real clips of the same poses and expressions, frame by frame.",
            temporal=True,
            anchors=_CLIP_ANCHORS,
        ),
        Protocol(
            name="frames_v1",
            description=(
                "Single made drawings or frames against the real ones; no frame meets its neighbour."
            ),
            temporal=False,
            anchors=("real_saved_as_jpeg", "blank_page", "other_character"),
        ),
        _held_out(
            "motion", "test_motion", "Puppet: characters seen in training, in motions never seen.", "clip"
        ),
        _held_out(
            "character",
            "test_character",
            "Puppet: characters never seen in training, in known motions.",
            "character",
        ),
        _held_out(
            "combination",
            "test_combination",
            "Puppet: characters never seen in training, in motions never seen.",
            "character",
        ),
    )
}

_READER_RESIZE = (
    "centred on a white square, bilinear to 128x128 (half-pixel centres, antialiased); features scaled to mean "
    "square 1"
)

SET_PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        SetProtocol(
            name="images2048_v1",
            description="Frames of made clips against frames of real ones, as two sets of pictures.",
            network="inception",
            anchors=("real_halves", "copy_first_frame", "blank_page"),
            vectors_per_clip=4,
            resize="torch-fidelity 0.4: rounded to uint8, TensorFlow 1 bilinear to 299x299, (x - 128) / 128",
        ),
        SetProtocol(
            name="fvd2048_16f",
            description="Windows of 16 frames of made clips against real ones, as two sets of clips.",
            network="i3d",
            anchors=("real_halves", "copy_first_frame", "shuffled"),
            window=16,
            resize="bilinear to 224x224 (half-pixel centres, no antialias), 2x - 1, logits averaged over time",
        ),
        SetProtocol(
            name="reader_images2048_v1",
            description=(
                "Poses and expressions in frames of made clips against those in frames of real ones, as two sets."
            ),
            network="reader",
            anchors=("real_halves", "copy_first_frame", "blank_page"),
            vectors_per_clip=4,
            resize=_READER_RESIZE,
        ),
        SetProtocol(
            name="reader_clips512_16f_v1",
            description=(
                "Poses, expressions and their change in windows of 16 frames of made clips against real ones, as two "
                "sets of clips."
            ),
            network="reader",
            anchors=("real_halves", "copy_first_frame", "shuffled"),
            fewest=512,
            window=16,
            resize=_READER_RESIZE,
        ),
    )
}
