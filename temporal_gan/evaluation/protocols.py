"""Named scoring protocols: the name fixes every choice that could change a number."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Protocol:
    """How clips are scored.

    Attributes:
        name: ``<what>_v<version>``; any change that moves a number makes a new version.
        description: one sentence.
        temporal: score frames against each other too; False = every frame stands alone.
        anchors: names of the anchors that are computed beside the score.
        pck_thresholds: fractions of the character's box.
        bootstrap_draws, interval_level, seed: of the interval over clips and of the shuffled anchor.
        The other fields say in words what the code does.
    """

    name: str
    description: str
    temporal: bool
    anchors: tuple[str, ...]
    pck_thresholds: tuple[float, ...] = (0.1, 0.05)
    bootstrap_draws: int = 1000
    interval_level: float = 0.95
    seed: int = 0
    size: str = "the real clip's own; a made clip of another size is resized to it (bicubic, antialiased)"
    frames: str = "all frames of both clips, which must be equally many"
    stride: int = 1
    fps: str = "as the clip says; recorded, not resampled"
    background: str = "white"
    region: str = (
        "whole frame, and foreground = union of both silhouettes: the real clip's alpha > 0 where it has "
        "alpha, else more than 5 % off the border colour"
    )
    psnr: str = "range 1, capped at 100 dB, mean of frames, then of clips"
    ssim: str = "Gaussian 11x11, sigma 1.5, valid region, population covariance, per colour channel"
    flow: str = (
        "exact where the clip carries it, else DIS (OpenCV, medium) on grey frames of the real clip, "
        "forward-backward checked"
    )
    motion: str = (
        "DIS (OpenCV, medium) on grey frames of both clips, over the foreground; "
        "acceleration is the change of that flow at a fixed pixel"
    )
    keypoint_box: str = "longer side of the box around the known joints of each real frame"
    aggregation: str = (
        "mean over clips of the mean over frames; interval by bootstrap over clips (percentile)"
    )

    def to_dict(self) -> dict[str, object]:
        """Plain types for JSON, every field."""
        return asdict(self)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="clips_v1",
            description="Made clips against real clips of the same poses and expressions, frame by frame.",
            temporal=True,
            anchors=("copy_first_frame", "shuffled"),
        ),
        Protocol(
            name="frames_v1",
            description=(
                "Single made drawings or frames against the real ones; no frame meets its neighbour."
            ),
            temporal=False,
            anchors=("blank_page",),
        ),
    )
}
