"""What is built: the consumer function's zip, and the layer that brings the producer to an executor."""

from dataclasses import dataclass

_MIB = 1024 * 1024  # bytes

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: a function's code with all its layers.
LAMBDA_UNPACKED = 250 * _MIB


@dataclass(frozen=True)
class Artifact:
    """A zip for Lambda. Limits are bytes."""

    name: str
    packages: tuple[str, ...]  # the folder of each, below the project
    extra: str  # of pyproject.toml; its lock file has the same name
    unpacked_at: str  # where the packages lie in Lambda; tracebacks name it
    compressed_limit: int
    limit_source: str
    prefix: str = ""  # of every name in the zip
    services: frozenset[str] | None = None  # the AWS services that it can call; None is all
    uncompressed_limit: int = LAMBDA_UNPACKED


CONSUMER = Artifact(
    name="consumer",
    packages=("consumer/recommendation_consumer", "shared/recommendation_shared"),
    extra="consumer",
    unpacked_at="/var/task",
    compressed_limit=13 * _MIB,
    limit_source="this project's own: a cold start fetches and unpacks it",
    services=frozenset({"dynamodb", "sqs"}),
)

# Python finds a layer's packages before those of the runtime, so an executor that imports boto3 gets the layer's. It
# must be able to do all that the runtime's could: a pruned one would break the executor's own calls.
LAYER = Artifact(
    name="layer",
    packages=("producer/recommendation_producer", "shared/recommendation_shared"),
    extra="producer",
    unpacked_at="/opt/python",
    compressed_limit=50 * _MIB,
    limit_source="Lambda's for a layer uploaded directly",
    prefix="python/",
    # The function's own code must find room beside it.
    uncompressed_limit=LAMBDA_UNPACKED // 2,
)

ARTIFACTS = {artifact.name: artifact for artifact in (CONSUMER, LAYER)}
