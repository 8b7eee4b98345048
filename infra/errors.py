"""Errors of building, deploying and running the system locally, worded for the person who started it."""


class BuildError(Exception):
    """The zip cannot be built; the text says why and what to do."""


class DeployError(Exception):
    """A stage cannot be deployed or destroyed; the text says why and what to do."""


class StackError(Exception):
    """The local stack cannot start, run or stop; the text says why and what to do."""
