"""Detectors by name; in one process each is loaded once and serves body and face."""

from functools import lru_cache

from temporal_gan.errors import UserError

from ..detection import FaceBackend, PoseBackend
from .finding import PoseConfig
from .mediapipe_offline import OfflineMediapipe
from .mediapipe_tasks import MediapipeTasks, create_mediapipe_tasks
from .offline_install import offline_folder, offline_python
from .reader_backend import ReaderBackend
from .rtmlib_backend import RtmlibWholeBody

Detector = MediapipeTasks | OfflineMediapipe | RtmlibWholeBody | ReaderBackend


def open_pose_backend(config: PoseConfig) -> PoseBackend | None:
    """The detector that ``config.backend`` names; None for ``labels`` and ``none``.

    Raises:
        UserError: it is not installed, lacks a model, or lacks consent; says how to mend it.
    """
    return _open(config.backend, config)


def open_face_backend(backend: str, config: PoseConfig) -> FaceBackend | None:
    """The face side of a detector, which may be another one than that for the body.

    Args:
        backend: its name, as in ``PoseConfig.backend``.
        config: models and consent.
    Returns:
        the same object as :func:`open_pose_backend` where both name the same; None for ``labels`` and ``none``.
    Raises:
        UserError: as :func:`open_pose_backend`, or an unknown name.
    """
    return _open(backend, config)


@lru_cache(maxsize=4)
def _open(backend: str, config: PoseConfig) -> Detector | None:
    if backend in ("labels", "none"):
        return None
    if backend == "mediapipe-offline":
        return OfflineMediapipe(offline_python(config.offline_folder or offline_folder()), config.hands)
    if backend == "mediapipe":
        return create_mediapipe_tasks(
            config.accept_mediapipe_telemetry,
            config.pose_model,
            config.face_model,
            config.hand_model,
            config.pose_model_sha256,
            config.face_model_sha256,
            config.hands,
        )
    if backend == "rtmlib":
        return RtmlibWholeBody(config.pose_model, config.hands)
    if backend == "reader":
        return ReaderBackend(config.reader)
    raise UserError(
        f"backend {backend!r} is not one of: mediapipe, mediapipe-offline, rtmlib, labels, reader, none"
    )
