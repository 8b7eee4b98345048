"""What goes wrong with a build or a deployment, in words for the person who started it."""


class BuildError(Exception):
    """The zip cannot be built; the text says why and what to do."""


class DeployError(Exception):
    """A stage cannot be deployed or destroyed; the text says why and what to do."""
