"""What goes wrong with a build, in words for the person who started it."""


class BuildError(Exception):
    """The zip cannot be built; the text says why and what to do."""
