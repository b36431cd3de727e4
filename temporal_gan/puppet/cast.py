"""The cast: every named character, as data. A new one is a new entry."""

from dataclasses import replace

from ..errors import UserError
from .character import Body, Character, Face, Hair, Outfit, Palette, Tail
from .sampling import sample_character

CHILD = Body(
    thigh=8.2, shin=8.4, sole=2.1, torso=13.6, upper_arm=7.0, forearm=6.4, hand=1.95, shoulder_half=4.7, hip_half=2.7,
    arm_radius=1.45, leg_radius=2.3, head_scale=1.08,
)  # fmt: skip
TEEN = Body()
WOMAN = Body(
    thigh=14.4, shin=14.2, torso=17.2, upper_arm=10.0, forearm=8.8, hand=2.1, shoulder_half=5.4, hip_half=3.1,
    arm_radius=1.5, leg_radius=2.5, head_scale=0.82,
)  # fmt: skip
MAN = Body(
    thigh=14.6, shin=14.6, sole=2.5, torso=18.6, upper_arm=10.4, forearm=9.2, hand=2.4, shoulder_half=6.6, hip_half=3.1,
    arm_radius=1.75, leg_radius=2.7, head_scale=0.8,
)  # fmt: skip
OLD = Body(
    thigh=10.2, shin=10.4, torso=16.0, upper_arm=8.8, forearm=7.8, shoulder_half=5.5, hip_half=3.1, leg_radius=2.5,
    head_scale=0.95, belly=0.8, crown=17.0,
)  # fmt: skip
BEAST = Body(hand=2.3, arm_radius=1.75, leg_radius=2.7, crown=18.0)
CHIBI = Body(
    thigh=5.4, shin=5.6, sole=2.1, torso=11.4, upper_arm=5.8, forearm=5.2, hand=1.9, shoulder_half=4.7, hip_half=2.6,
    arm_radius=1.6, leg_radius=2.4, head_scale=1.34,
)  # fmt: skip

_BUSHY = (1.2, 2.0, 2.8, 3.3, 3.6, 3.6, 3.3, 2.8, 2.0, 1.0, 0.3)

_CAST = (
    Character(
        name="hana",
        palette=Palette.of(
            "#ffe3d0 #9a5b4f #2f8f9d #fbfaf7 #3b4a7d #e2504f #3f4f86 #fdfdfd #7a4636 #47291f"
        ),
        hair=Hair("round", "straight", "locks", ("long", "bow")),
        outfit=Outfit("sailor", "skirt", 0.72, 0.45),
        face=Face(lashes=1.15),
    ),
    Character(
        name="miko",
        palette=Palette.of(
            "#fbd9a8 #e08a3e #4f9d4a #5fb3a8 #3f8d86 #fff3dc #54607c #fbd9a8 #c9524a #fff3dc #f58f7c"
        ),
        hair=Hair("fur", "tuft", "none"),
        outfit=Outfit("hoodie", "shorts", 2.0),
        face=Face(eye_height=4.0, tilt=0.9, brow_width=1.1, muzzle=True, whiskers=True),
        body=replace(TEEN, crown=20.5),
        ears="cat",
        tail=Tail((1.15, 1.3, 1.4, 1.5, 1.6, 1.65, 1.7, 1.75, 1.75, 1.65, 1.4), 2),
    ),
    Character(
        name="ren",
        palette=Palette.of(
            "#f7d3b5 #2f3550 #b0562f #3d5a80 #e8eef4 #f2a541 #2d3142 #ffffff #d94f45 #fafafa"
        ),
        hair=Hair("spiky", "jagged", "wild"),
        outfit=Outfit("jacket", "trousers", 2.0),
        face=Face(eye_half=3.0, eye_height=3.7, lashes=0.75, brow_width=1.35),
        body=replace(TEEN, thigh=12.4, shin=12.4, torso=16.6, shoulder_half=5.8, head_scale=0.93, crown=19.5),
    ),
    Character(
        name="yuki",
        palette=Palette.of(
            "#fff0e8 #e6e4f2 #7d6fc9 #7fa3d8 #f4f2fb #e58aa5 #7fa3d8 #ffffff #8a4f5f #f0dcb8"
        ),
        hair=Hair("round", "straight", "curtain", ("hime",)),
        outfit=Outfit("kimono", "robe", 2.0, 0.3),
        face=Face(lashes=1.25, tilt=0.3),
        body=replace(WOMAN, head_scale=0.92, thigh=12.2, shin=12.2, torso=16.4),
        line=0.85,
    ),
    Character(
        name="kaito",
        palette=Palette.of(
            "#f1c9a5 #4a3a33 #5a6f4a #e9edf2 #cfd8e3 #8f3446 #39455c #39455c #3a2a24 #1f1613"
        ),
        hair=Hair("round", "swept", "short"),
        outfit=Outfit("shirt", "trousers", 2.0),
        face=Face(eye_half=2.9, eye_height=3.3, lashes=0.7, brow_width=1.25, glasses=True),
        body=MAN,
    ),
    Character(
        name="sora",
        palette=Palette.of(
            "#ffdfc2 #c78f3f #3a7bbf #fdf6e3 #e4572e #f3c13a #4a6fa5 #ffffff #3aa17e #ffffff"
        ),
        hair=Hair("fluffy", "jagged", "short", ("cowlick",)),
        outfit=Outfit("tee", "shorts", 0.7, 0.72),
        face=Face(eye_height=4.4, brow_width=1.2, lashes=0.8, freckles=True),
        body=replace(CHILD, crown=20.5),
    ),
    Character(
        name="mei",
        palette=Palette.of(
            "#ffe6d6 #f08fb0 #c2457e #ffd1dc #ffffff #8e6bbf #f7a8c0 #ffffff #b4475f #ffe9ef #ff9a9a"
        ),
        hair=Hair("round", "parted", "temple", ("twin_tails", "ribbons")),
        outfit=Outfit("dress", "skirt", 0.6, 0.5),
        face=Face(eye_half=3.4, eye_height=4.6, lashes=1.2),
        body=CHILD,
    ),
    Character(
        name="amara",
        palette=Palette.of(
            "#9c6644 #352222 #d99a2b #f2b134 #7a3b69 #f9ead0 #4c2f5c #f9ead0 #e2725b #fff2dd #c9574a"
        ),
        hair=Hair("fluffy", "wisp", "none", ("band",)),
        outfit=Outfit("plain", "long_skirt", 0.8, 0.6),
        face=Face(lashes=1.2, brow_width=1.1),
    ),
    Character(
        name="akira",
        palette=Palette.of(
            "#f6cfae #8c2f39 #3f7d6e #35424a #5c6d77 #f4efe6 #7b8fa6 #35424a #22282d #e2504f"
        ),
        hair=Hair("round", "swept", "locks", ("ponytail",)),
        outfit=Outfit("jacket", "trousers", 2.0),
        face=Face(eye_half=3.1, eye_height=3.7, tilt=0.9, lashes=1.2),
        body=WOMAN,
    ),
    Character(
        name="genzo",
        palette=Palette.of(
            "#efc8a6 #cfcfd2 #6b5a4a #6f7f5c #8f9d78 #d9c58a #5b4a3e #5b4a3e #4a3428 #2c1e17"
        ),
        hair=Hair("bald", "none", "none"),
        outfit=Outfit("plain", "trousers", 2.0),
        face=Face(eye_half=2.7, eye_height=2.7, tilt=-0.2, lashes=0.55, brow_width=1.8, old=True, glasses=True),
        body=replace(OLD, belly=1.5, shoulder_half=6.0),
    ),
    Character(
        name="ume",
        palette=Palette.of(
            "#f8dcc4 #b9b4c4 #7a5c8e #8a6f9e #efe3cf #c8874f #8a6f9e #ffffff #6b4a3a #efe3cf"
        ),
        hair=Hair("bob", "back", "temple", ("top_bun",)),
        outfit=Outfit("kimono", "robe", 2.0, 0.3),
        face=Face(eye_half=2.8, eye_height=3.0, tilt=-0.3, lashes=0.8, brow_width=0.9, old=True),
        body=replace(OLD, thigh=9.6, shin=9.6),
        line=0.9,
    ),
    Character(
        name="leo",
        palette=Palette.of(
            "#7d4e34 #e8c468 #4e9a6b #e4e0d5 #c94f3d #2f4858 #33658a #ffffff #f26419 #ffffff #b24c40"
        ),
        hair=Hair("spiky", "swept", "short"),
        outfit=Outfit("hoodie", "trousers", 2.0),
        face=Face(eye_half=3.0, eye_height=3.8, lashes=0.8, brow_width=1.3),
        body=replace(TEEN, thigh=12.2, shin=12.4, shoulder_half=5.9, head_scale=0.94, crown=19.5),
        line=1.15,
    ),
    Character(
        name="nami",
        palette=Palette.of(
            "#e2ab80 #2a6f97 #e0a030 #ffffff #2a9d8f #e76f51 #264653 #ffffff #e9c46a #ffffff"
        ),
        hair=Hair("bob", "straight", "temple", ("cowlick",)),
        outfit=Outfit("tee", "shorts", 0.72, 0.75),
        face=Face(lashes=1.1),
        body=replace(TEEN, crown=20.5),
        line=1.1,
        shading=1.3,
    ),
    Character(
        name="sumire",
        palette=Palette.of(
            "#ffe9db #5b4b8a #b76bbd #f3eefc #6d5aa8 #f2c14e #6d5aa8 #4a3b73 #3a2d5c #221a3a"
        ),
        hair=Hair("round", "parted", "temple", ("plaits",)),
        outfit=Outfit("shirt", "long_skirt", 2.0, 0.2),
        face=Face(eye_height=4.0, tilt=-0.2, glasses=True),
    ),
    Character(
        name="kuro",
        palette=Palette.of(
            "#f3dcc0 #8a5a3c #4a3326 #d95d39 #f2e3cf #fff4e2 #47597e #ffffff #2f3e46 #e9e2d0 #f0968a"
        ),
        hair=Hair("plush", "tuft", "none"),
        outfit=Outfit("tee", "trousers", 0.75),
        face=Face(eye_half=2.9, eye_height=3.6, tilt=0.0, brow_width=1.2, lashes=0.8, muzzle=True),
        body=BEAST,
        ears="dog",
        tail=Tail((1.5, 1.7, 1.9, 2.0, 1.9, 1.6, 1.0), 2),
    ),
    Character(
        name="kon",
        palette=Palette.of(
            "#ffe2b8 #e5742f #8c5a1e #b23a48 #f7e8d0 #fff6ea #b23a48 #4a2c2a #3d2b2b #e9c893 #f5917a"
        ),
        hair=Hair("fur", "jagged", "none"),
        outfit=Outfit("kimono", "robe", 2.0, 0.2),
        face=Face(eye_height=3.7, tilt=1.1, lashes=1.2, muzzle=True),
        body=replace(TEEN, crown=23.0),
        ears="fox",
        tail=Tail(_BUSHY, 3),
    ),
    Character(
        name="momo",
        palette=Palette.of(
            "#fff6f2 #f4dfe0 #c9405f #bfe3d0 #ffffff #f08fa8 #a7d3bf #ffffff #e88fa0 #ffffff #ffb3bd"
        ),
        hair=Hair("plush", "wisp", "none"),
        outfit=Outfit("dress", "skirt", 0.6, 0.5),
        face=Face(eye_height=4.3, lashes=1.2, muzzle=True),
        body=replace(TEEN, crown=27.0),
        ears="rabbit",
        tail=Tail((2.4, 2.4)),
    ),
    Character(
        name="kuma",
        palette=Palette.of(
            "#c89a6c #7b4b2a #2d1c14 #4f7cac #f2efe6 #f5c84c #34435e #ffffff #8c3b2f #efe2c8 #e8836f"
        ),
        hair=Hair("plush", "tuft", "none"),
        outfit=Outfit("hoodie", "trousers", 2.0),
        face=Face(eye_half=2.5, eye_height=3.1, tilt=0.0, brow_width=1.5, lashes=0.8, muzzle=True),
        body=replace(
            BEAST, thigh=9.6, shin=9.6, torso=17.0, shoulder_half=6.4, hip_half=3.5, leg_radius=3.1, arm_radius=2.1,
            hand=2.6, belly=1.4,
        ),
        ears="bear",
        tail=Tail((2.1, 2.1)),
        line=1.15,
    ),
    Character(
        name="pipi",
        palette=Palette.of(
            "#ffe7d9 #63b7c9 #d9579b #ffffff #5a6fb5 #ffb347 #5a6fb5 #ffffff #5b3a6e #ffe6b0"
        ),
        hair=Hair("round", "parted", "locks", ("buns",)),
        outfit=Outfit("sailor", "skirt", 0.75, 0.35),
        face=Face(eye_half=3.5, eye_height=4.7, lashes=1.1),
        body=replace(CHIBI, crown=19.0),
    ),
    Character(
        name="taro",
        palette=Palette.of(
            "#f9d5b0 #3b2f2f #3f6f4f #ffcf56 #e8603c #ffffff #3d5a98 #ffffff #c8453b #ffffff"
        ),
        hair=Hair("fluffy", "wisp", "short", ("cowlick",)),
        outfit=Outfit("hoodie", "shorts", 2.0, 0.6),
        face=Face(eye_half=3.2, eye_height=4.2, lashes=0.8, brow_width=1.4),
        body=replace(CHIBI, crown=20.5, head_scale=1.28, thigh=6.4, shin=6.4, torso=12.0),
        line=1.2,
    ),
)  # fmt: skip

CHARACTERS: dict[str, Character] = {character.name: character for character in _CAST}

SAMPLE = "sample:"


def find_character(name: str) -> Character:
    """The character of this name, or the sampled one of ``sample:SEED``.

    Raises:
        UserError: neither; the message lists the cast.
    """
    if name.startswith(SAMPLE):
        seed = name.removeprefix(SAMPLE)
        if not seed.isdecimal():
            raise UserError(
                f"puppet character {name!r}: {seed!r} is not a whole number; write for example sample:7"
            )
        return sample_character(int(seed))
    if name not in CHARACTERS:
        raise UserError(f"puppet character {name!r} is not one of: {', '.join(CHARACTERS)}, sample:SEED")
    return CHARACTERS[name]
