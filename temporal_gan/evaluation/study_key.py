"""The key of a study: which method and clip stand behind the ids of its page. Raters never get it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from ..config import Section
from ..errors import UserError
from .results import write_atomically
from .study_plan import Showing, rater_plan, rater_seed

Kind = Literal["2afc", "mos"]


class StudyItem(Section):
    """What one id of the page shows. A broken item is an attention check's spoilt copy of that clip."""

    method: str
    clip: str
    broken: bool = False


class StudyKey(Section):
    """page.key.json.

    Attributes:
        version: 1.
        page: SHA-256 of everything the page shows and does; answers carry it.
        kind: 2afc: which of two; mos: five-point rating, a mean opinion score.
        question: as shown.
        methods: in the order they were given.
        items: id in the page -> what it is.
        trials: ids shown together, two or one; the last ``checks`` of them are attention checks.
        checks: how many, shown to everybody.
        shown: how many other trials a rater sees.
    """

    version: Literal[1] = 1
    page: str
    kind: Kind
    question: str
    methods: Annotated[list[str], Field(min_length=1)]
    items: dict[str, StudyItem]
    trials: Annotated[list[Annotated[list[str], Field(min_length=1, max_length=2)]], Field(min_length=1)]
    checks: Annotated[int, Field(ge=0)]
    shown: Annotated[int, Field(ge=1)]

    def plan(self, rater: str) -> list[Showing]:
        """What a rater of this name is shown."""
        names = {item.clip: number for number, item in enumerate(self.items.values())}
        clips = [names[self.items[trial[0]].clip] for trial in self.trials]
        return rater_plan(rater_seed(self.page, rater), clips, self.checks, self.shown)

    def is_check(self, trial: int) -> bool:
        """Whether this trial is an attention check."""
        return trial >= len(self.trials) - self.checks

    def write(self, path: Path) -> None:
        """Write the file whole or not at all."""
        write_atomically(path, self.model_dump_json(indent=1) + "\n")


def read_key(path: Path) -> StudyKey:
    """The key that ``study make`` wrote. Raises UserError naming the file and what is wrong with it."""
    try:
        key = StudyKey.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror}; the key was written beside the page by study make"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(
            f"{path}: not a study's key ({where + ': ' if where else ''}{first['msg']})"
        ) from None
    strangers = {name for trial in key.trials for name in trial} - key.items.keys()
    methods = {item.method for item in key.items.values()} - set(key.methods)
    size = {"2afc": 2, "mos": 1}[key.kind]
    if (
        strangers
        or methods
        or key.checks >= len(key.trials)
        or any(len(trial) != size for trial in key.trials)
    ):
        raise UserError(
            f"{path}: a damaged key: its trials, items and methods do not fit; make the study again"
        )
    return key
