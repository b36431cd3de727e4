"""Labels that somebody brings along for ``run``: finding them, reading them, and laying them over what was detected."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from temporal_gan.data.manifest import ORIGINS
from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25, Skeleton, canonical_joints

from .clip import Clip, Expression, Pose
from .importers.coco import read_coco
from .importers.json_file import read_json
from .importers.label_table import read_label_table
from .importers.mediapipe import read_mediapipe
from .importers.openpose import read_openpose
from .label_track import LabelTrack
from .sidecar import VALUES, name_key

NOT_LABELLED = "not labelled"
"""Verdict of a frame without labels in which nothing was looked for."""
_SHAPE = 0.03
"""By which part a picture's aspect may differ: pose programs round sizes to multiples of up to 64 pixels."""
LABELLED_EMPTY = "labelled as empty"
"""Verdict of a frame of which the labels say that nobody is to be seen."""


def find_labels(folder: Path, source: str) -> Path | None:
    """The labels of one source in a folder that mirrors the sources' relative paths.

    For ``a/b.mp4`` they are ``a/b.csv`` (our table), ``a/b.json`` (MediaPipe or COCO) or a folder ``a/b`` of OpenPose
    JSON; ``a/b.mp4.csv`` and so on where several sources are alike but for the suffix. A JSON file of nothing but
    provenance, as it may lie beside a source, is none of them.

    Raises:
        UserError: two of them are there.
    """
    name = PurePosixPath(source)
    stems = [folder / name, folder / name.with_suffix("")]
    for stem in stems if stems[0] != stems[1] else stems[:1]:
        files = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".csv", ".json")]
        found = [file for file in files if file.is_file() and not _is_provenance(file)]
        if stem.is_dir() and any(stem.glob("*.json")):
            found.append(stem)
        if len(found) > 1:
            raise UserError(
                f"{found[0]}: {found[1].name} beside it is of the same source {source!r}; keep one of the two"
            )
        if found:
            return found[0]
    return None


def _is_provenance(file: Path) -> bool:
    """Whether this is what :func:`.sidecar.read_own_sidecar` reads."""
    if file.suffix != ".json":
        return False
    try:
        value = read_json(file).value
    except UserError:
        return False
    return isinstance(value, dict) and value.keys() <= set(VALUES)


def unused_labels(folder: Path, sources: Sequence[str]) -> list[Path]:
    """Label files and folders of OpenPose JSON that belong to none of the sources, sorted.

    Raises:
        UserError: no such folder, or one file belongs to two sources.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder of labels")
    used: dict[Path, str] = {}
    for source in sources:
        file = find_labels(folder, source)
        if file in used:
            raise UserError(
                f"{file}: is it of {used[file]!r} or of {source!r}? name it {PurePosixPath(source).name}{file.suffix}"
            )
        if file is not None:
            used[file] = source
    single = {folder} | {file.parent for file in used}
    unused = set()
    for file in folder.rglob("*"):
        if file.suffix in (".csv", ".json") and file not in used and file.parent not in used:
            if _is_provenance(file):
                continue
            # A folder of JSON files is one clip's labels, and is named once.
            unused.add(file if file.suffix == ".csv" or file.parent in single else file.parent)
    return sorted(unused)


def read_labels(file: Path, size: tuple[int, int]) -> LabelTrack:
    """Read what :func:`find_labels` found.

    Args:
        file: a table, a JSON file, or a folder of OpenPose JSON.
        size: width and height of the source in pixels.
    Raises:
        UserError: file, and line or element; or it names another source than it is named after.
    """
    if file.is_dir():
        tracks = read_openpose(file, lambda _: size)
    elif file.suffix.lower() == ".csv":
        tracks = read_label_table(file)
    else:
        root = read_json(file)
        tracks = read_coco(file) if root.find("annotations") is not None else read_mediapipe(file)
    if len(tracks) != 1:
        raise UserError(
            f"{file}: labels {len(tracks)} sources ({', '.join(list(tracks)[:3])} ...), expected those of one; "
            "import the whole data set with: temporal-gan-preprocess import"
        )
    name, track = next(iter(tracks.items()))
    whose = PurePosixPath(name_key(name))
    if name and not {whose.name, whose.stem} & {name_key(file.stem), name_key(Path(file.stem).stem)}:
        raise UserError(
            f"{file}: labels {name!r}, expected the source that the file is named after; rename one of them"
        )
    return track


def check_fit(track: LabelTrack, frames: int, size: tuple[int, int], name: str) -> LabelTrack:
    """The same track, if its source has all the frames it labels, in the shape it was labelled in.

    Args:
        track: of one source.
        frames: that the source has.
        size: width and height of the source in pixels.
        name: of the labels or the source, for the message.
    Raises:
        UserError: the first frame that is not there, or is of another aspect ratio; or the labels are only counted, and
            not as many as the frames.
    """
    if track.counted and len(track.frame) != frames:
        raise UserError(
            f"{name}: has {frames} frames, but labels of {len(track.frame)}, and their names do not say of which; "
            "name the files as OpenPose does, NAME_000000000012_keypoints.json, the first frame being 0"
        )
    beyond = track.frame[track.frame >= frames]
    if len(beyond):
        raise UserError(
            f"{name}: has labels for frame {beyond[0]}, but the source has {frames} frames, 0 to {frames - 1}; "
            "are they of another clip?"
        )
    if track.aspect is not None:
        wide, high = size
        # NaN, which is what does not say, is never greater.
        other = np.flatnonzero(np.abs(np.log(track.aspect * high / wide)) > _SHAPE)
        if len(other):
            frame, aspect = track.frame[other[0]], track.aspect[other[0]]
            raise UserError(
                f"{name}: frame {frame} was labelled in a picture {aspect:.3g} times as wide as high, but "
                f"the source has {wide}x{high} pixels ({wide / high:.3g}); are they of another clip?"
            )
    return track


def apply_labels(clip: Clip, track: LabelTrack) -> Clip:
    """Lay labels over what was detected, before anything is cut from the frames. What is labelled always wins.

    A frame of the clip takes the labels of the source frame it shows. In it every joint, hand point and expression
    channel that the labels have replaces what was there, also by missing; the rest stays as it was. A drawing may be
    labelled in any of the frames that show it: those without a label of their own take that of the drawing's first
    frame with one. Depth layers and face points of the labels have no place in a clip.

    Args:
        clip: whose frames are the source's whole pictures, with its drawings marked.
        track: of the clip's source; see :func:`check_fit`.
    Raises:
        UserError: a joint of the labels that canonical25 does not have.
    """
    target = _canonical(track.skeleton, clip.source.name)
    # Of whoever made the labels; none of them was detected here.
    made = ["imported" if origin == "detected" else origin for origin in track.origins()]
    origins = np.array([ORIGINS.index(origin) for origin in made], np.uint8)
    return replace(
        clip,
        pose=_pose(clip, track, origins, target),
        expression=_expression(clip, track, origins),
    )


def _taken(clip: Clip, track: LabelTrack, given: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the frames of a clip take from its labels.

    Args:
        clip, track: as for :func:`apply_labels`.
        given: bool [N, E], what each labelled frame tells.
    Returns:
        int64, as long as each other: frame of the clip, element of E, and row of the labels that it comes from.
    """
    nearest = np.minimum(np.searchsorted(track.frame, clip.source_frame), len(track.frame) - 1)
    labelled = (track.frame[nearest] == clip.source_frame)[:, None] & given[nearest]
    row = np.where(labelled, nearest[:, None], -1)
    drawing = np.searchsorted(clip.hold[clip.drawings], clip.hold)
    of_drawing = np.full((drawing[-1] + 1, given.shape[1]), -1)
    # Backwards, so that the first frame of a drawing is written last.
    frame, element = (index[::-1] for index in np.nonzero(labelled))
    of_drawing[drawing[frame], element] = row[frame, element]
    row = np.where(labelled, row, of_drawing[drawing])
    frame, element = np.nonzero(row >= 0)
    return frame, element, row[frame, element]


def _canonical(skeleton: Skeleton, source: str) -> np.ndarray:
    """int64 [J]: where each joint of the labels is in canonical25."""
    if skeleton.joints == CANONICAL25.joints:
        return np.arange(25)
    found = canonical_joints(skeleton)
    unknown = [joint for index, joint in enumerate(skeleton.joints) if index not in found]
    targets = list(found.values())
    twice = [skeleton.joints[index] for index, target in found.items() if targets.count(target) > 1]
    if unknown or twice:
        which = f"{', '.join(unknown)} of its labels" if unknown else f"{' and '.join(twice)} of its labels"
        what = "are no joints of canonical25" if unknown else "are the same joint of canonical25"
        raise UserError(
            f"{source}: {which} {what}; leave them out, or keep the skeleton as it is with: "
            "temporal-gan-preprocess import"
        )
    return np.array([found[index] for index in range(len(skeleton.joints))])


def _pose(clip: Clip, track: LabelTrack, origins: np.ndarray, target: np.ndarray) -> Pose:
    pose = clip.pose or Pose.nothing(len(clip.frames_u8), NOT_LABELLED)
    keypoints, confidence, origin = pose.keypoints.copy(), pose.confidence.copy(), pose.origin.copy()
    frame, joint, row = _taken(clip, track, track.told())
    keypoints[frame, target[joint]] = track.keypoints[row, joint]
    confidence[frame, target[joint]] = track.confidence[row, joint]
    origin[frame, target[joint]] = origins[row]
    verdict = np.array(pose.verdict, object)
    verdict[frame[track.confidence[row, joint] > 0]] = ""
    told = np.unique(frame)
    verdict[told[~confidence[told].any(axis=-1)]] = LABELLED_EMPTY
    made = replace(
        pose, keypoints=keypoints, confidence=confidence, origin=origin, verdict=tuple(verdict.tolist())
    )
    return _with_hands(made, clip, track, origins)


def _with_hands(pose: Pose, clip: Clip, track: LabelTrack, origins: np.ndarray) -> Pose:
    points, told = track.told_hands()
    if not told.any() or (pose.hands is None and track.hands is None):
        return pose
    count = len(pose.confidence)
    hands = np.zeros((count, 42, 3), np.float32)
    if pose.hands is not None:
        hands[:] = pose.hands.reshape(-1, 42, 3)
    origin = np.full((count, 42), ORIGINS.index("detected"), np.uint8)
    if pose.hands_origin is not None:
        origin[:] = pose.hands_origin.reshape(-1, 42)
    frame, point, row = _taken(clip, track, told)
    hands[frame, point] = points[row, point]
    origin[frame, point] = origins[row]
    return replace(pose, hands=hands.reshape(-1, 2, 21, 3), hands_origin=origin.reshape(-1, 2, 21))


def _expression(clip: Clip, track: LabelTrack, origins: np.ndarray) -> Expression | None:
    if track.expression is None or track.expression_confidence is None:
        return clip.expression
    expression = clip.expression or Expression.unknown(len(clip.frames_u8))
    intensity, confidence = expression.intensity.copy(), expression.confidence.copy()
    origin = expression.origin.copy()
    frame, channel, row = _taken(clip, track, track.expression_confidence > 0)
    intensity[frame, channel] = track.expression[row, channel]
    confidence[frame, channel] = track.expression_confidence[row, channel]
    origin[frame] = origins[row]
    everywhere = len(np.unique(frame)) == len(origin)
    method = "labels" if everywhere or not expression.method else expression.method
    return Expression(intensity, confidence, origin, method if len(frame) else expression.method)
