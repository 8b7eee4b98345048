"""Failures of an erasure, each as one sentence with its remedy."""

from contextlib import AbstractContextManager
from typing import Final

from recommendation_cli.aws.connection import Target
from recommendation_cli.marks.errors import explained_writes

ROLE: Final = "RecommendationEraserRole"


def explained_table(target: Target) -> AbstractContextManager[None]:
    """Turn errors of reading and writing a table into click's errors, each with its remedy."""
    return explained_writes(target, ROLE)
