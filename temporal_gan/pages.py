"""Web pages from templates."""

from pathlib import Path

import jinja2


def page_template(file: Path) -> jinja2.Template:
    """A ``.jinja`` file, which may include its neighbours.

    What is filled in is escaped, and a name not given is an error.
    """
    # The names end in .jinja, so escaping is switched on for all templates, not guessed from the suffix.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(file.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(file.name)
