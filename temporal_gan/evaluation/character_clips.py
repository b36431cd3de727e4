"""Which clips of a store show whom: where the character can be looked at outside the scored clip."""

from collections import defaultdict

from ..data.store import Store

CLIPS_EACH = 4
"""Other clips that stand for a character."""


class CharacterClips:
    """For each clip of a store a few others of the same character, those it was trained on first."""

    def __init__(self, store: Store) -> None:
        self._clips: dict[str, list[str]] = defaultdict(list)
        columns = [store.clips.column(name) for name in ("split", "character", "id")]
        # False sorts before True: train first, the store's order kept.
        for _, character, clip_id in sorted(zip(*columns, strict=True), key=lambda row: row[0] != "train"):
            known = self._clips[str(character)]
            # One more than are needed: the scored clip may be among them.
            if character and len(known) <= CLIPS_EACH:
                known.append(str(clip_id))

    def others(self, clip_id: str, character: str) -> tuple[str, ...]:
        """Up to four ids, never ``clip_id`` itself."""
        return tuple(name for name in self._clips.get(character, ()) if name != clip_id)[:CLIPS_EACH]
