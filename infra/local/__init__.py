"""The local stack: MiniStack on 127.0.0.1 with production's template and zip deployed on it."""

from infra.errors import StackError
from infra.local.stack import LocalStack, local_stack

__all__ = ["LocalStack", "StackError", "local_stack"]
