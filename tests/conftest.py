"""One thread and plain arithmetic, so that a test gives the same numbers on every machine and does not fight others."""

import os

# Before torch, OpenCV and NumPy are imported, here and in the processes that tests start.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import cv2
import pytest
import torch

torch.set_num_threads(1)
cv2.setNumThreads(1)


@pytest.fixture(autouse=True)
def _no_leftover_randomness() -> None:
    """Nothing may depend on torch's global generator; a test that does will differ from run to run of the suite."""
    torch.manual_seed(0)
