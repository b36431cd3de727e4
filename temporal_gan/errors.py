"""Mistakes a user can mend: what, where, got, expected, how to fix, in one line."""


class UserError(ValueError):
    """Shown without a traceback by the commands, which then exit with code 2."""


class DivergenceError(UserError):
    """A training went astray: the same command again would go the same way."""


class ConfigError(UserError):
    """A configuration file or a key=value override is wrong."""


class StoreError(UserError):
    """A clip store, video or label file is missing, damaged or of another version."""


class CheckpointError(UserError):
    """A checkpoint or weights file is unusable, or belongs to another configuration."""
