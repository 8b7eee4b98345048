"""The executor as a Lambda function, with the producer integrated in either of its two ways.

Deploy one of them, with the producer at module scope so that a sandbox keeps it over its invocations:

    producer = RecommendationProducer.from_env()
    handler = recording_after_the_graph(producer)

Both ways give the same recommendation IDs. The second sends some duplicates of the first if both are used, and
duplicates do no harm.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Protocol

from langgraph.graph.state import CompiledStateGraph

from examples.executor.execution import RECOMMENDATIONS, Execution
from examples.executor.graph import build_graph
from examples.executor.state import ExecutorState
from producer.langgraph import persisting

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Graph = CompiledStateGraph[ExecutorState, None, ExecutorState, ExecutorState]
