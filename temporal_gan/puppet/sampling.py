"""Characters without end: one from every seed, put together so that its colours go well with each other."""

import colorsys
from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..rng import numpy_generator
from .character import Body, Character, Face, Hair, Outfit, Palette, Tail

_SKINS = (
    ("#ffe8da", "#ff9f97"), ("#ffe0c8", "#f79a8c"), ("#f5cfae", "#ee8c7c"), ("#e3b088", "#dd7766"),
    ("#bd8157", "#cc6455"), ("#8f5a3b", "#b8503f"), ("#6b412c", "#a3463a"),
)  # fmt: skip
_HAIRS = (
    "#2b2a35", "#4a3428", "#7a4a32", "#a8683c", "#d6a24c", "#efd28a", "#e9e6ef", "#a9a6b5", "#b5403a", "#e07a4a",
    "#f09ab5", "#b06fb8", "#6a5aa8", "#4a6fb0", "#4fa6b8", "#4a9a78", "#8fb85a",
)  # fmt: skip
_EYES = ("#2f8f9d", "#3a7bbf", "#6b5ac0", "#b0486f", "#b5622f", "#5a8f3f", "#c79a2f", "#6b4a36", "#4a5568")
_SCHEMES = (
    # top, trim, accent, bottom, shoe
    ("#fbfaf7", "#3b4a7d", "#e2504f", "#3f4f86", "#6e4234"), ("#f3eefc", "#7a63b0", "#f2c14e", "#5d4d8f", "#3c2f60"),
    ("#5fb3a8", "#3f8d86", "#fff3dc", "#54607c", "#c9524a"), ("#ffd1dc", "#ffffff", "#a06fc0", "#f2a0bb", "#b4475f"),
    ("#f2b134", "#7a3b69", "#fbeed6", "#4c2f5c", "#d9604a"), ("#39485a", "#6f8296", "#f4efe6", "#8296ab", "#d94f45"),
    ("#e9edf2", "#b9c6d6", "#8f3446", "#39455c", "#33261f"), ("#e4572e", "#fdf0dc", "#f3c13a", "#40619a", "#fafafa"),
    ("#8fbf8a", "#fdf8e8", "#e0896b", "#6b5748", "#8a5a3c"), ("#b8d8f0", "#ffffff", "#f0847c", "#4a6f9f", "#f5f5f5"),
    ("#7f2f3f", "#f2e3cf", "#d9a441", "#2f3142", "#241d1a"), ("#fdf6e3", "#2a9d8f", "#e76f51", "#264653", "#e9c46a"),
    ("#c9b6e4", "#ffffff", "#6fb7b0", "#7868a6", "#4f4478"), ("#2f3e46", "#84a98c", "#f0e6cf", "#52796f", "#b5562f"),
)  # fmt: skip
_FURS = (
    # fur, face, light, blush, eye
    ("#e08a3e", "#fbd9a8", "#fff3dc", "#f58f7c", "#4f9d4a"), ("#8a8f9c", "#e4e3e6", "#ffffff", "#f2a0a0", "#d9a02f"),
    ("#4a4350", "#c9bcc4", "#f4ecec", "#e58f98", "#8fc04a"), ("#b07a4f", "#f0d9bb", "#fff6e6", "#ee9078", "#5a3a28"),
    ("#f2e6dc", "#fffaf5", "#ffffff", "#ffb3b0", "#b8485f"), ("#d9b45f", "#fbeccb", "#fff9ea", "#f29a80", "#3f7f9f"),
    ("#7b4b2a", "#d2a679", "#f3dfc0", "#e8836f", "#2d1c14"), ("#c85a2e", "#ffdfb5", "#fff4e4", "#f5917a", "#7a5a1e"),
)  # fmt: skip
_TAILS = {
    "cat": Tail((1.15, 1.3, 1.4, 1.5, 1.6, 1.65, 1.7, 1.75, 1.75, 1.65, 1.4), 2),
    "fox": Tail((1.2, 2.0, 2.8, 3.3, 3.6, 3.6, 3.3, 2.8, 2.0, 1.0, 0.3), 3),
    "dog": Tail((1.5, 1.7, 1.9, 2.0, 1.9, 1.6, 1.0), 1),
    "rabbit": Tail((2.4, 2.4)),
    "bear": Tail((2.1, 2.1)),
}

_CROWNS = {"cat": 20.5, "fox": 23.0, "rabbit": 27.0}
"""How far ears rise above the middle of the head; hair at most as far as buns and cowlicks do."""


@lru_cache(maxsize=1024)
def sample_character(seed: int) -> Character:
    """A character that no other seed has: build, hair, clothes, colours, ears, line and shading.

    Args:
        seed: any whole number; the same seed gives the same character, always.
    """
    random = numpy_generator(seed, "puppet", "character")
    kind = str(random.choice(["human", "eared", "animal"], p=[0.66, 0.12, 0.22]))
    ears = (
        "human"
        if kind == "human"
        else str(random.choice(list(_TAILS) if kind == "animal" else ["cat", "fox", "rabbit"]))
    )
    feminine = bool(random.uniform() < 0.55)
    age = str(random.choice(["child", "teen", "adult", "chibi", "old"], p=[0.2, 0.36, 0.24, 0.14, 0.06]))
    if kind != "human" and age == "old":
        age = "teen"
    animal = kind == "animal"
    outfit = _outfit(random, feminine)
    return Character(
        name=f"sample:{seed}",
        palette=_palette(random, animal, age == "old", outfit),
        hair=_animal_hair(random) if animal else _hair(random, feminine, age == "old"),
        outfit=outfit,
        body=replace(_body(random, age, feminine), crown=_CROWNS.get(ears, 21.0)),
        face=_face(random, feminine, age, animal, ears),
        ears=ears,
        tail=_TAILS.get(ears),
        line=float(random.uniform(0.8, 1.25)),
        shading=float(random.uniform(0.5, 1.4)),
    )


def _one(random: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(random.integers(len(options)))]


def _varied(random: np.random.Generator, colour: str, hue: float, light: float) -> str:
    """A colour near this one: its hue within +- ``hue`` turns, its lightness within +- ``light``."""
    return _shifted(colour, float(random.uniform(-hue, hue)), float(random.uniform(-light, light)))


def _shifted(colour: str, hue: float, light: float) -> str:
    """The colour with its hue (in turns) and its lightness changed."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    h, lightness, s = colorsys.rgb_to_hls(red, green, blue)
    lightness = min(max(lightness + light, 0.08), 1.0)
    return "#" + "".join(f"{round(255 * c):02x}" for c in colorsys.hls_to_rgb((h + hue) % 1.0, lightness, s))


def _palette(random: np.random.Generator, animal: bool, old: bool, outfit: Outfit) -> Palette:
    top, trim, accent, bottom, shoe = _SCHEMES[int(random.integers(len(_SCHEMES)))]
    # The whole scheme turns a little, so that its colours keep their distance.
    turn = float(random.uniform(-0.035, 0.035))
    top, trim, accent, bottom, shoe = (_shifted(c, turn, 0.0) for c in (top, trim, accent, bottom, shoe))
    if outfit.bottom == "robe" or outfit.top == "dress":
        bottom = top
    skin, blush = _SKINS[int(random.integers(len(_SKINS)))]
    hair = _varied(random, _one(random, _HAIRS), 0.02, 0.04)
    eye = _varied(random, _one(random, _EYES), 0.03, 0.04)
    if old:
        hair = _one(random, ("#cfcfd2", "#b9b4c4", "#e6e4ea", "#8f8d96"))
    if animal:
        hair, skin, accent, blush, eye = _FURS[int(random.integers(len(_FURS)))]
        hair = _varied(random, hair, 0.015, 0.04)
    sock = _one(random, ("#ffffff", "#ffffff", trim, bottom))
    return Palette(
        skin,
        hair,
        eye,
        top,
        trim,
        accent,
        bottom,
        sock,
        shoe,
        _one(random, ("#ffffff", "#2a2024", "#efe2c8")),
        blush,
    )


def _hair(random: np.random.Generator, feminine: bool, old: bool) -> Hair:
    if feminine:
        extras = _one(
            random,
            ("long", "hime", "ponytail", "low_tail", "twin_tails", "plaits", "buns", "top_bun", "", ""),
        )
        cap = (
            _one(random, ("round", "round", "bob", "fluffy"))
            if extras in ("", "buns", "top_bun")
            else "round"
        )
        fringe = _one(random, ("straight", "parted", "swept", "wisp", "jagged"))
        sides = _one(random, ("temple", "locks", "curtain")) if extras != "plaits" else "temple"
        more = _one(random, ("", "", "bow", "cowlick", "band", "ribbons" if extras == "twin_tails" else ""))
        return Hair(cap, fringe, sides, tuple(name for name in (extras, more) if name))
    if old and random.uniform() < 0.5:
        return Hair("bald", "none", "none")
    cap = _one(random, ("spiky", "fluffy", "round", "round"))
    fringe = _one(random, ("jagged", "swept", "wisp", "parted", "back"))
    extras = _one(random, ("", "", "", "cowlick", "low_tail"))
    return Hair(cap, fringe, _one(random, ("short", "wild", "short")), (extras,) if extras else ())


def _animal_hair(random: np.random.Generator) -> Hair:
    return Hair(_one(random, ("fur", "plush")), _one(random, ("tuft", "jagged", "wisp", "swept")), "none")


def _outfit(random: np.random.Generator, feminine: bool) -> Outfit:
    if feminine:
        top = _one(random, ("sailor", "dress", "kimono", "hoodie", "plain", "jacket", "shirt", "tee"))
        bottom = _one(random, ("skirt", "long_skirt", "skirt", "shorts"))
    else:
        top = _one(random, ("hoodie", "shirt", "tee", "jacket", "plain", "kimono"))
        bottom = _one(random, ("trousers", "trousers", "shorts"))
    if top == "kimono":
        bottom = "robe"
    elif top == "dress":
        bottom = _one(random, ("skirt", "long_skirt"))
    short = top in ("sailor", "tee", "dress") or (top in ("shirt", "plain") and random.uniform() < 0.4)
    sleeve = float(random.uniform(0.55, 0.85)) if short else 2.0
    sock = float(random.choice([1.0, 0.7, 0.4, 0.15])) if bottom not in ("trousers", "robe") else 0.4
    return Outfit(top, bottom, sleeve, sock)


def _body(random: np.random.Generator, age: str, feminine: bool) -> Body:
    legs, trunk, head = {
        "chibi": (5.9, 11.7, 1.31), "child": (8.4, 13.6, 1.07), "teen": (11.7, 16.1, 0.98), "adult": (14.2, 17.8, 0.82),
        "old": (10.2, 16.0, 0.95),
    }[age]  # fmt: skip
    legs *= random.uniform(0.93, 1.06)
    trunk *= random.uniform(0.96, 1.04)
    # What the limbs gain the head loses: everybody is about as tall as the frame wants.
    head = float((69.3 - 3.9 - 2 * legs - trunk) / 26.0) * 0.5 + 0.5 * head
    small = (2 * legs + trunk) / 39.5
    broad = float(random.uniform(0.94, 1.06)) * (0.97 if feminine else 1.07)
    arm = 8.2 * (0.45 + 0.55 * small)
    stout = float(random.uniform(-0.3, 0.9)) if not feminine else 0.0
    return Body(
        thigh=legs, shin=legs, sole=2.3, torso=trunk, upper_arm=arm * 1.05, forearm=arm * 0.94,
        hand=2.05 * (0.75 + 0.25 * small), shoulder_half=5.4 * (0.55 + 0.45 * small) * broad,
        hip_half=3.0 * (0.7 + 0.3 * small), arm_radius=1.55 * broad, leg_radius=2.45 * broad, head_scale=head,
        belly=max(stout, 0.0),
    )  # fmt: skip


def _face(random: np.random.Generator, feminine: bool, age: str, animal: bool, ears: str) -> Face:
    size = {"child": 1.07, "chibi": 1.1, "teen": 1.0, "adult": 0.9, "old": 0.78}[age]
    face = Face(
        eye_half=float(random.uniform(2.9, 3.4)) * (0.5 + 0.5 * size),
        eye_height=float(random.uniform(3.8, 4.4)) * size * (1.0 if feminine else 0.92),
        tilt=float(random.uniform(-0.3, 1.0)),
        lashes=float(random.uniform(1.0, 1.25) if feminine else random.uniform(0.65, 0.85)),
        brow_width=float(random.uniform(0.85, 1.1) if feminine else random.uniform(1.15, 1.5)),
        old=age == "old",
    )
    if animal:
        return replace(face, muzzle=True, whiskers=ears == "cat")
    return replace(face, glasses=bool(random.uniform() < 0.12), freckles=bool(random.uniform() < 0.1))
