"""Weights that others publish: found by name in one folder or given by path, never downloaded.

Every error says in one line which file, where it comes from, how to know that it is the right one and where to
put it. A file given by path may hold other weights; results carry its sha256, so nobody is deceived.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .errors import CheckpointError

FOLDER_VARIABLE = "TEMPORAL_GAN_WEIGHTS"
"""Environment variable that names another weights folder."""


@dataclass(frozen=True)
class PublishedWeights:
    """A weights file as its authors publish it.

    Attributes:
        purpose: what it is for, in words.
        file: name of the file.
        source: where it comes from.
        sha256: the beginning of its sha256 as its authors tell it; empty where they publish none.
    """

    purpose: str
    file: str
    source: str
    sha256: str


INCEPTION = PublishedWeights(
    "FID, KID and Inception score",
    "weights-inception-2015-12-05-6726825d.pth",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    "6726825d",
)
ALEXNET = PublishedWeights(
    "LPIPS and tLP",
    "alexnet-owt-7be5be79.pth",
    "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "7be5be79",
)
VGG16 = PublishedWeights(
    "LPIPS as a loss",
    "vgg16-397923af.pth",
    "https://download.pytorch.org/models/vgg16-397923af.pth",
    "397923af",
)
VGG19 = PublishedWeights(
    "perceptual loss",
    "vgg19-dcbb9e9d.pth",
    "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    "dcbb9e9d",
)
I3D = PublishedWeights(
    "FVD",
    "i3d_pretrained_400.pt",
    "https://github.com/songweige/TATS/raw/main/tats/fvd/i3d_pretrained_400.pt",
    "",
)
RAFT_LARGE = PublishedWeights(
    "optical flow by RAFT",
    "raft_large_C_T_SKHT_V2-ff5fadd5.pth",
    "https://download.pytorch.org/models/raft_large_C_T_SKHT_V2-ff5fadd5.pth",
    "ff5fadd5",
)
RAFT_SMALL = PublishedWeights(
    "optical flow by the small RAFT",
    "raft_small_C_T_V2-01064c6d.pth",
    "https://download.pytorch.org/models/raft_small_C_T_V2-01064c6d.pth",
    "01064c6d",
)


def weights_folder() -> Path:
    """``$TEMPORAL_GAN_WEIGHTS``, else ``~/.cache/temporal_gan/weights``."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "temporal_gan" / "weights"


def find_weights(published: PublishedWeights, path: Path | None = None) -> Path:
    """The file to load.

    Args:
        published: which weights.
        path: the user's own file, taken as it is; None looks in :func:`weights_folder`, where the file must
            have the published sha256.
    Raises:
        CheckpointError: no such file, or the file in the folder is not the published one.
    """
    where = f"get it from {published.source}"
    known = f"sha256 {published.sha256}..." if published.sha256 else "no published sha256"
    if path is not None:
        if not path.is_file():
            raise CheckpointError(f"{published.purpose}: no weights file {path}; {where} ({known})")
        return path
    path = weights_folder() / published.file
    if not path.is_file():
        raise CheckpointError(
            f"{published.purpose}: weights not found; {where} ({known}) and put it at {path}, or give its path"
        )
    found = sha256_of_weights(path)
    if not found.startswith(published.sha256):
        raise CheckpointError(
            f"{published.purpose}: {path} has sha256 {found[:16]}..., expected {published.sha256}...: "
            f"damaged or another file; {where} again"
        )
    return path


def sha256_of_weights(path: Path) -> str:
    """Hex digest, for the result that was computed with this file."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def read_state_dict(published: PublishedWeights, path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file, without running any code it may carry.

    Raises:
        CheckpointError: the file is damaged, or holds anything but named tensors.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    # The reader of damaged files raises almost anything.
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{published.purpose}: {path} is not a state dict of tensors: {first}"
        ) from None
    if not isinstance(content, Mapping) or not all(isinstance(v, Tensor) for v in content.values()):
        raise CheckpointError(
            f"{published.purpose}: {path} is not a state dict of tensors, as {published.file} is"
        )
    return dict(content)


def load_into(
    network: torch.nn.Module, tensors: Mapping[str, Tensor], published: PublishedWeights, path: Path
) -> None:
    """``load_state_dict`` whose failure is one line.

    Raises:
        CheckpointError: names or shapes differ from those of the published file.
    """
    own = network.state_dict()
    # Batch norm's count of training steps: unused here, and absent from files older than PyTorch 0.4.1.
    counters = {n: own[n] for n in own.keys() - tensors.keys() if n.endswith(".num_batches_tracked")}
    tensors = {**tensors, **counters}
    for problem, names in (
        ("lacks", own.keys() - tensors.keys()),
        ("has the unknown", tensors.keys() - own.keys()),
        ("has the wrong shape of", {n for n in own if n in tensors and own[n].shape != tensors[n].shape}),
    ):
        if names:
            raise CheckpointError(
                f"{published.purpose}: {path} {problem} {min(names)} (and {len(names) - 1} more); "
                f"expected the tensors of {published.file}"
            )
    network.load_state_dict(tensors)
