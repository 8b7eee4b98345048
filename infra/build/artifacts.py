"""The artifacts: the consumer function's zip, and the layer that gives an executor the producer."""

from dataclasses import dataclass

_MIB = 1024 * 1024  # bytes

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: a function's code with all its layers.
LAMBDA_UNPACKED = 250 * _MIB

# The runtime that the template gives its functions.
FUNCTION_PYTHON = "3.13"


@dataclass(frozen=True)
class Artifact:
    """A zip for Lambda. Limits are in bytes."""

    name: str
    packages: tuple[str, ...]  # folders relative to the project root
    extra: str  # in pyproject.toml; its lock file has the same name
    unpacked_at: str  # the packages' folder in Lambda, which tracebacks name
    compressed_limit: int
    limit_source: str
    prefix: str = ""  # prepended to every name in the zip
    services: frozenset[str] | None = None  # the AWS services it can call; None means all
    uncompressed_limit: int = LAMBDA_UNPACKED
    pythons: tuple[str, ...] = (FUNCTION_PYTHON,)  # the Lambda runtimes it can be built for


CONSUMER = Artifact(
    name="consumer",
    packages=("consumer/recommendation_consumer", "shared/recommendation_shared"),
    extra="consumer",
    unpacked_at="/var/task",
    compressed_limit=13 * _MIB,
    limit_source="the project's own: a cold start downloads and unpacks the zip",
    services=frozenset({"dynamodb", "sqs"}),
)

# Python finds a layer's packages before the runtime's, so an executor that imports boto3 gets the layer's. It must
# support every service that the runtime's does: a pruned copy would break the executor's own calls.
LAYER = Artifact(
    name="layer",
    packages=("producer/recommendation_producer", "shared/recommendation_shared"),
    extra="producer",
    unpacked_at="/opt/python",
    compressed_limit=50 * _MIB,
    limit_source="Lambda's for a layer uploaded directly",
    prefix="python/",
    uncompressed_limit=LAMBDA_UNPACKED // 2,  # leaves room for the function's own code
    pythons=("3.11", "3.12", "3.13", "3.14"),
)

ARTIFACTS = {artifact.name: artifact for artifact in (CONSUMER, LAYER)}
