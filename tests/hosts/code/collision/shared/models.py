"""The host's models, of pydantic 1."""

from pydantic import BaseModel


class Finding(BaseModel):
    """What an agent found."""

    cause: str
    severity: float
