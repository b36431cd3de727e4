"""Networks that losses ask: which are loaded, and what is refused."""

from pathlib import Path

import pytest
from single_steps import CPU, DOMAIN, settings
from tiny_networks import CHAIN14, tiny_domain

from temporal_gan.errors import CheckpointError, UserError
from temporal_gan.models import reader_file
from temporal_gan.models.conditioning import Domain
from temporal_gan.skeletons import CANONICAL25, Skeleton
from temporal_gan.training.guides import load_guides
from temporal_gan.weights import FOLDER_VARIABLE, VGG19


def test_nothing_is_loaded_where_nothing_is_asked() -> None:
    assert load_guides(settings(losses__reader="no such file"), DOMAIN, CPU).reader is None


def test_the_judge_is_refused_under_whatever_name(
    reader: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_file, "__file__", str(tmp_path / "models" / "reader_file.py"))
    judge = tmp_path / "readers" / "metrics.safetensors"
    judge.parent.mkdir()
    judge.write_bytes(reader.read_bytes())
    with pytest.raises(UserError, match="is a copy of the reader that judges"):
        load_guides(settings(losses__reader=str(reader), losses__pose_weight=1.0), DOMAIN, CPU)
    with pytest.raises(UserError, match="'metrics' is the reader that judges"):
        settings(losses__reader=str(judge))


def test_what_the_data_has_not_cannot_be_asked_for(reader: Path) -> None:
    chain = tiny_domain(skeleton=CHAIN14)
    with pytest.raises(UserError, match=r"losses.pose_weight: the skeleton chain14 has no joint"):
        load_guides(settings(losses__reader=str(reader), losses__pose_weight=1.0), chain, CPU)
    with pytest.raises(UserError, match=r"losses.l1_face_weight: the skeleton chain14 has no neck and nose"):
        load_guides(settings(losses__l1_face_weight=1.0), chain, CPU)
    mute = tiny_domain(expressions=("smirk",))
    with pytest.raises(UserError, match=r"losses.expression_weight: none of the expressions .*\(smirk\)"):
        load_guides(settings(losses__reader=str(reader), losses__expression_weight=1.0), mute, CPU)


def test_a_missing_weights_file_is_named_with_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    cfg = settings(losses__perceptual="vgg", losses__perceptual_weight=1.0)
    with pytest.raises(CheckpointError) as caught:
        load_guides(cfg, DOMAIN, CPU)
    for words in ("perceptual loss", VGG19.source, str(tmp_path / VGG19.file)):
        assert words in str(caught.value)
    cfg = settings(losses__perceptual="lpips", losses__perceptual_weight=1.0)
    with pytest.raises(CheckpointError, match=r"LPIPS as a loss.*vgg16-397923af"):
        load_guides(cfg, DOMAIN, CPU)


def with_face(*joints: str) -> Domain:
    """Clips whose skeleton has these joints."""
    return tiny_domain(skeleton=Skeleton("some", joints, (), (), (1,) * len(joints)))


def test_a_face_is_where_neck_and_nose_are_and_is_read_by_its_eyes(reader: Path) -> None:
    square = settings(losses__l1_face_weight=1.0)
    assert load_guides(square, with_face("tail", "neck", "nose"), CPU).face == (1, 2)
    for lacking in (("nose", "tail"), ("neck", "tail")):
        with pytest.raises(UserError, match=r"losses.l1_face_weight: the skeleton some has no neck and nose"):
            load_guides(square, with_face(*lacking), CPU)
    read = settings(losses__reader=str(reader), losses__expression_weight=1.0)
    all_four = ("right_eye", "neck", "left_eye", "nose")
    guides = load_guides(read, with_face(*all_four), CPU)
    assert [CANONICAL25.joints[place] for place in guides.joints[1]] == [
        all_four[i] for i in guides.joints[0]
    ]
    for left_out in all_four:
        lacking = tuple(joint for joint in all_four if joint != left_out)
        with pytest.raises(
            UserError, match=r"losses.expression_weight: the skeleton some has no neck, nose and eyes"
        ):
            load_guides(read, with_face(*lacking), CPU)
        # Whoever does not ask is not refused.
        assert load_guides(settings(), with_face(*lacking), CPU).reader is None
