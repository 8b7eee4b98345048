"""A graph's nodes, each replaced by one that does the same and is watched.

LangGraph itself is not imported: nodes are recognised by what they have, and its versions since 0.2 differ little.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from copy import copy
from typing import Any, Final, Protocol, Self

from recommendation_producer._executor_state.reading import UNREADABLE
from recommendation_producer._langgraph.updates import updates_in, updates_of_raised
from recommendation_producer._langgraph.visit import Visit
from recommendation_producer._loss_log import LOGGER

_WATCHED_FOR: Final = "_recommendation_producer"


class EnqueuesState(Protocol):
    """The part of the producer used here."""

    def enqueue_state(self, state: object) -> object:
        """Enqueue the outputs in a graph state."""


def watch(builder: Any, producer: EnqueuesState) -> None:
    """Replace the runnable of every node of a graph that is not compiled yet. Never raises.

    A node that cannot be replaced stays as it is, which is logged.
    """
    if hasattr(builder, "invoke") or not hasattr(builder, "nodes"):
        LOGGER.warning(
            "persisting needs a graph before compile(), not a %s; no node is watched", type(builder).__name__
        )
        return
    for name, spec in list(builder.nodes.items()):
        try:
            _replace_runnable(builder, name, spec, _watched(spec.runnable, producer))
        except Exception as error:  # noqa: BLE001 - another version of LangGraph, or another kind of node
            LOGGER.warning(
                "node %r is not watched (%s); pass the final state to enqueue_state", name, type(error).__name__
            )


def _replace_runnable(builder: Any, name: str, spec: Any, runnable: Any) -> None:
    if hasattr(spec, "_replace"):  # a named tuple, before langgraph 0.6
        builder.nodes[name] = spec._replace(runnable=runnable)
    else:
        spec.runnable = runnable


def _watched(node: Any, producer: EnqueuesState, *, is_given_state: bool = True) -> Any:
    if getattr(node, _WATCHED_FOR, None) is producer:
        return node
    if any(hasattr(step, "get_subgraphs") for step in getattr(node, "steps", ())):
        return _with_last_step_watched(node, producer)
    watched = _WatchedNode(node, producer, is_given_state=is_given_state)
    methods = {name: getattr(watched, name) for name in ("invoke", "ainvoke", "astream", "atransform")}
    return _with_attributes(node, {**methods, _WATCHED_FOR: producer})


class _WatchedNode:
    """What a watched node does instead: the same, and hand over what its result adds to the state.

    What a node is given is the state, or a part of it, unless it is only the last step of a sequence.
    """

    def __init__(self, node: Any, producer: EnqueuesState, *, is_given_state: bool) -> None:
        self._node = node
        self._producer = producer
        self._is_given_state = is_given_state

    def _run(self, given: Any, config: Any) -> "_Run":
        return _Run(self._producer, given if self._is_given_state else None, config)

    def invoke(self, state: Any, config: Any = None, **kwargs: Any) -> Any:
        with self._run(state, config) as run:
            run.result = self._node.invoke(state, config, **kwargs)
        return run.result

    async def ainvoke(self, state: Any, config: Any = None, **kwargs: Any) -> Any:
        with self._run(state, config) as run:
            run.result = await self._node.ainvoke(state, config, **kwargs)
        return run.result

    def astream(self, state: Any, config: Any = None, **kwargs: Any) -> AsyncIterator[Any]:
        return self._streamed(self._node.astream(state, config, **kwargs), state, config)

    def atransform(self, parts: AsyncIterator[Any], config: Any = None, **kwargs: Any) -> AsyncIterator[Any]:
        """Do what `astream` does, of the parts of the step before."""
        return self._streamed(self._node.atransform(parts, config, **kwargs), None, config)

    async def _streamed(self, parts: AsyncIterator[Any], state: Any, config: Any) -> AsyncIterator[Any]:
        try:
            with self._run(state, config) as run:
                async for part in parts:
                    run.result = _joined(run.result, part)
                    yield part
        finally:
            if hasattr(parts, "aclose"):  # as LangGraph does with a node's stream, whose place this one takes
                await parts.aclose()


class _Run:
    """One run of a node, whose end hands over what its `result` adds to the state, or the exception that it raised.

    A context manager that never raises, and lets the node's own exception pass.
    """

    def __init__(self, producer: EnqueuesState, given: Any, config: Any) -> None:
        self.result: Any = None
        self._producer = producer
        self._visit = Visit()
        try:
            self._visit.look_at(given, config)
        except Exception:  # noqa: BLE001 - a host's object may raise anything; all that the node returns is then new
            LOGGER.debug("a node's input cannot be read")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._visit.leave()
        if error is None:
            _hand_over(self._producer, self._visit, updates_in, self.result)
        elif isinstance(error, Exception):
            _hand_over(self._producer, self._visit, updates_of_raised, error)


def _with_last_step_watched(sequence: Any, producer: EnqueuesState) -> Any:
    """Return a copy of a sequence in which LangGraph still finds the graphs. Its result is that of its last step."""
    twin, last = copy(sequence), _watched(sequence.steps[-1], producer, is_given_state=False)
    if hasattr(twin, "last"):
        object.__setattr__(twin, "last", last)  # a pydantic model, as below
    else:
        twin.steps = [*sequence.steps[:-1], last]
    return twin


def _with_attributes(node: Any, attributes: dict[str, Any]) -> Any:
    """Return a copy of a runnable with other methods, of a type by which LangGraph recognises the same kind of node."""
    if hasattr(node, "get_subgraphs"):  # a graph, which copies itself from its attributes and must not have others
        twin, kind = copy(node), type(node)
        static = {name: staticmethod(value) if callable(value) else value for name, value in attributes.items()}
        twin.__class__ = type(kind.__name__, (kind,), {**static, "__module__": kind.__module__})
        return twin
    twin = node.bind() if hasattr(node, "steps") else copy(node)  # because LangGraph takes a sequence apart
    for name, value in attributes.items():
        object.__setattr__(twin, name, value)  # because runnables that are pydantic models refuse
    return twin


def _joined(result: Any, part: Any) -> Any:
    """Return what LangGraph takes for the result so far: the sum of mappings that can be added, else the last part."""
    with suppress(Exception):  # whatever a host's mapping raises; LangGraph takes its own decision
        if isinstance(result, Mapping):
            return result + part  # LangChain's mappings can be added
    return part


def _hand_over(
    producer: EnqueuesState, visit: Visit, updates: Callable[[Any], Iterable[dict[str, Any]]], result: Any
) -> None:
    try:
        additions: list[object] = [*visit.additions(updates(result))]
    except Exception:  # noqa: BLE001 - a host's object may raise anything; the producer counts it as invalid
        additions = [UNREADABLE]
    for addition in additions:
        try:
            producer.enqueue_state(addition)
        except Exception as error:  # noqa: BLE001 - the node's result or exception comes first
            LOGGER.warning("a node's output cannot be enqueued: %s", type(error).__name__)
