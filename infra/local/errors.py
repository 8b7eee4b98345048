"""What goes wrong with the local stack, in words for the person who started it."""


class StackError(Exception):
    """The local stack cannot start or stop; the text names the thing and what to do."""
