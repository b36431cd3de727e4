"""BVH: places by hand, names of several programs, and files that are broken."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from person_bvh import PERSON, write_bvh

from temporal_gan.bvh import JOINT_NAMES, person_joints, read_bvh
from temporal_gan.bvh_file import parse_bvh
from temporal_gan.errors import UserError


def test_the_rest_pose_is_read_as_written(tmp_path: Path) -> None:
    take = read_bvh(write_bvh(tmp_path / "a.bvh", {}, frames=3, fps=120.0))
    assert take.fps == pytest.approx(120.0, rel=1e-4)
    np.testing.assert_allclose(take.points["hip"], np.tile([0, 100, 0], (3, 1)))
    np.testing.assert_allclose(take.points["left_wrist"][0], [72, 150, 0])
    np.testing.assert_allclose(take.points["right_ankle"][2], [-9, 10, 0])
    np.testing.assert_allclose(take.face, np.tile([0, 0, 1], (3, 1)), atol=1e-12)
    np.testing.assert_allclose(take.crown, np.tile([0, 1, 0], (3, 1)), atol=1e-12)
    np.testing.assert_allclose(take.toes["left"], 0.0, atol=1e-12)


def test_rotations_turn_what_hangs_on_them(tmp_path: Path) -> None:
    rotations = {"LeftArm": (-90.0, 0.0, 0.0), "RightUpLeg": (0.0, -90.0, 0.0), "Head": (0.0, 30.0, 0.0)}
    take = read_bvh(write_bvh(tmp_path / "a.bvh", rotations))
    shoulder = take.points["left_shoulder"][0]
    # Minus 90 about z: an arm that pointed to +x hangs down.
    np.testing.assert_allclose(take.points["left_elbow"][0] - shoulder, [0, -28, 0], atol=1e-6)
    np.testing.assert_allclose(take.points["left_wrist"][0] - shoulder, [0, -54, 0], atol=1e-6)
    # Minus 90 about x: a hanging leg points forwards.
    knee = take.points["right_knee"][0] - take.points["right_hip"][0]
    np.testing.assert_allclose(knee, [0, 0, 45], atol=1e-6)
    # The head looks down by 30 degrees.
    np.testing.assert_allclose(take.face[0], [0, -0.5, np.sqrt(0.75)], atol=1e-6)


def test_channels_apply_in_their_order(tmp_path: Path) -> None:
    file = write_bvh(tmp_path / "a.bvh", {"LeftArm": (90.0, 90.0, 0.0)})
    elbow = read_bvh(file).points["left_elbow"][0] - [18, 150, 0]
    # Z X Y: the first named is outermost. X leaves +x alone, then Z lifts it.
    np.testing.assert_allclose(elbow, [0, 28, 0], atol=1e-6)
    file.write_text(
        file.read_text().replace("Zrotation Xrotation Yrotation", "Xrotation Zrotation Yrotation")
    )
    # Now Z lifts it first, and X tips it forwards.
    np.testing.assert_allclose(read_bvh(file).points["left_elbow"][0] - [18, 150, 0], [0, 0, 28], atol=1e-6)


def test_z_up_files_are_stood_upright(tmp_path: Path) -> None:
    # The whole person turned so that its up is z: 90 degrees about x.
    take = read_bvh(write_bvh(tmp_path / "a.bvh", {"Hips": (0.0, 90.0, 0.0)}))
    spine = take.points["head"][0] - take.points["hip"][0]
    np.testing.assert_allclose(spine, [0, 65, 0], atol=1e-6)
    np.testing.assert_allclose(take.face[0], [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(
        take.points["left_hip"][0] - take.points["right_hip"][0], [18, 0, 0], atol=1e-6
    )


def test_a_lifted_toe_is_a_positive_pitch(tmp_path: Path) -> None:
    take = read_bvh(write_bvh(tmp_path / "a.bvh", {"LeftFoot": (0.0, -25.0, 0.0)}))
    assert take.toes["left"][0] == pytest.approx(np.radians(25), abs=1e-6)
    assert take.toes["right"][0] == pytest.approx(0.0, abs=1e-6)


STYLES = {
    "mixamo": "mixamorig:Hips mixamorig:Neck mixamorig:Head mixamorig:{S}Arm mixamorig:{S}ForeArm mixamorig:{S}Hand "
    "mixamorig:{S}UpLeg mixamorig:{S}Leg mixamorig:{S}Foot mixamorig:{S}Shoulder",
    "cmu": "root lowerneck head {s}humerus {s}radius {s}wrist {s}femur {s}tibia {s}foot {s}clavicle",
    "biovision": "Hips Neck Head {S}Shoulder {S}Elbow {S}Wrist {S}Hip {S}Knee {S}Ankle {S}Collar",
    "biped": "Bip01_Pelvis Bip01_Neck Bip01_Head Bip01_{i}_UpperArm Bip01_{i}_Forearm Bip01_{i}_Hand Bip01_{i}_Thigh "
    "Bip01_{i}_Calf Bip01_{i}_Foot Bip01_{i}_Clavicle",
    "blender": "hips neck head upper_arm.{i} forearm.{i} hand.{i} thigh.{i} shin.{i} foot.{i} shoulder.{i}",
}


@pytest.mark.parametrize("style", STYLES)
def test_names_of_many_programs_are_known(style: str) -> None:
    wanted = "hip neck head {}_shoulder {}_elbow {}_wrist {}_hip {}_knee {}_ankle".split()
    names, expected = [], {}
    for side in ("Left", "Right"):
        for joint, pattern in zip([*wanted, None], STYLES[style].split(), strict=True):
            name = pattern.format(S=side, s=side[0].lower(), i=side[0])
            if joint is not None:
                expected[joint.format(side.lower())] = name
            names.append(name)
    found = person_joints(names, Path("x.bvh"))
    assert {joint: names[index] for joint, index in found.items()} == expected


def test_missing_joints_are_named_in_one_line(tmp_path: Path) -> None:
    file = write_bvh(tmp_path / "a.bvh", {}, names={"LeftForeArm": "", "Neck": "Nek"})
    with pytest.raises(UserError) as caught:
        read_bvh(file)
    text = str(caught.value)
    assert "a.bvh: no joint is named as one of these: neck (neck/lowerneck/neck1)" in text
    assert "left_elbow" in text
    assert "left_wrist" in text
    assert "right_elbow" not in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("old", "new", "later", "words"),
    [
        ("HIERARCHY", "HIERACHY", 0, "begins with HIERARCHY"),
        ("ROOT Hips", "JOINT Hips", 0, "JOINT is out of place"),
        ("ROOT Hips\n{", "ROOT Hips\n", 2, "expected '{' after a joint's name"),
        ("OFFSET 0 100 0", "OFFSET 0 100", 0, "OFFSET has 2 numbers, expected 3"),
        ("OFFSET 0 100 0", "OFFSET 0 high 0", 0, "'high' is not a number"),
        ("OFFSET 0 100 0", "OFFSET 0 nan 0", 0, "'nan' is not finite"),
        ("CHANNELS 6", "CHANNELS 5", 0, "CHANNELS says 5, 6 names follow"),
        ("Xposition", "Wposition", 0, "expected Xposition .. Zrotation"),
        ("MOTION", "}", 0, "unexpected '}'"),
        ("Frames: 2", "Frames: many", 0, "'many' is not a number"),
        ("Frames: 2", "Frames: 3", 3, "2 frames follow, 3 were announced"),
        ("Frames: 2", "Frames: 0", 0, "number of frames is 0"),
        ("Frame Time: 0.0333333", "Frame Time: 0", 0, "frame time is 0"),
        ("Frame Time: 0.0333333", "Frame Rate: 30", 0, "expected 'frame time:'"),
        ("0.000000 100.000000", "zero 100.000000", 0, "not a number"),
        ("0.000000 100.000000", "100.000000", 0, "56 numbers in this frame, the joints have 57 channels"),
        ("0.000000 100.000000", "inf 100.000000", 0, "not finite"),
    ],
)
def test_a_broken_file_is_told_by_its_line(
    tmp_path: Path, old: str, new: str, later: int, words: str
) -> None:
    file = write_bvh(tmp_path / "a.bvh", {}, frames=2)
    text = file.read_text()
    line = 1 + text.count("\n", 0, text.index(old)) + later
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        read_bvh(file)
    assert f"a.bvh:{line}: " in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_bvh(tmp_path / "gone.bvh")
    (tmp_path / "empty.bvh").write_text("")
    with pytest.raises(UserError, match=r"empty.bvh:0: the file ends here"):
        read_bvh(tmp_path / "empty.bvh")
    (tmp_path / "noise.bvh").write_bytes(bytes(range(256)) * 50)
    with pytest.raises(UserError, match="noise.bvh"):
        read_bvh(tmp_path / "noise.bvh")
    deep = "HIERARCHY\nROOT a\n{\n" + "JOINT b\n{\n" * 5000
    (tmp_path / "deep.bvh").write_text(deep)
    with pytest.raises(UserError, match="more than 2000 joints"):
        read_bvh(tmp_path / "deep.bvh")


@settings(max_examples=40, derandomize=True, deadline=None)
@given(data=st.data())
def test_damage_gives_a_clear_line_or_a_sound_file(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = write_bvh(tmp_path_factory.mktemp("bvh") / "a.bvh", {}, frames=2)
    text = file.read_text()
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    file.write_text(text[:start] + data.draw(st.text(max_size=8)) + text[end:], encoding="utf-8")
    message = ""
    try:
        joints, _, values = parse_bvh(file)
    except UserError as error:
        message = str(error)
    if message:
        assert message.startswith(f"{file}:")
    else:
        assert values.shape[1] == sum(len(joint.channels) for joint in joints)
        assert np.isfinite(values).all()


def test_the_table_has_every_joint_of_a_person_once() -> None:
    assert len(JOINT_NAMES) == 3 + 2 * 7
    taken = [name for names in JOINT_NAMES.values() for name in names]
    assert len(taken) == len(set(taken))
    assert {name for name, _, _ in PERSON} >= {"Hips", "LeftUpLeg"}
