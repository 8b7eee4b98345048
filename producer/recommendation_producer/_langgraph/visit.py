"""One run of a node: what the state held before it, and what its result adds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from recommendation_producer._executor_state.content import Budget, Content, adds_nothing, content_of
from recommendation_producer._executor_state.instants import EXECUTION_TRACE, KNOWN_HYPOTHESES, START
from recommendation_producer._executor_state.names import kebab_case
from recommendation_producer._executor_state.reading import OUTPUTS, fields_of, outputs_of, parts_of, unwrapped
from recommendation_shared.envelope.vocabulary import CONSENSUS

HYPOTHESES: Final = "hypotheses"
_GIVEN: Final = "agent_input"
_SURROUNDINGS: Final = (_GIVEN, "session_id", START, "incident_id", "execution_id")
# LangGraph's own key, since 0.2, for a function that reads one key of the whole state; a node's input may lack it.
_READ_STATE: Final = "__pregel_read"
_CURRENT: Final[ContextVar["Visit | None"]] = ContextVar("recommendation_producer_visit", default=None)


class _Output(NamedTuple):
    """An output, and its content: None if it is too large to be compared, or cannot be read."""

    agent_type: str
    name: Any
    value: object
    content: Content | None


class Visit:
    """A node's run, from before the node to its result. The runs of a subgraph's nodes are nested in its own."""

    def __init__(self) -> None:
        self._outer = _CURRENT.get()
        self._token = _CURRENT.set(self)
        self._state: dict[str, Any] = {}
        self._known: list[_Output] = []

    def leave(self) -> None:
        """Let the outer run be the current one again."""
        with suppress(ValueError):  # a coroutine that was closed elsewhere; its context is gone with it
            _CURRENT.reset(self._token)

    def look_at(self, state: Any, config: Any) -> None:
        """Note which outputs the state holds, with their content, because the node may change it in place.

        Raises whatever a host's object raises when it is read.
        """
        self._state = _whole_state(state, config)
        self._known = list(_outputs_in(self._state, Budget()))

    def additions(self, updates: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield what the updates add to the state, in the shape of a state: outputs that say something new.

        Outputs that a nested run has added are not new.
        """
        found, budget = list(updates), Budget()
        surroundings = {name: self._surrounding(name, found) for name in _SURROUNDINGS}
        surroundings[EXECUTION_TRACE] = [
            entry for parts in (self._state, *found) for entry in _members(parts.get(EXECUTION_TRACE))
        ]
        for update in found:
            new = self._new_in(update, budget)
            if new:
                if CONSENSUS in new and HYPOTHESES in self._state:
                    new[KNOWN_HYPOTHESES] = self._state[HYPOTHESES]
                yield {**{name: value for name, value in surroundings.items() if value}, **new}

    def _new_in(self, update: Mapping[str, Any], budget: Budget) -> dict[str, Any]:
        try:
            outputs = [output for output in _outputs_in(update, budget) if not self._knows(output)]
        except Exception:  # noqa: BLE001 - a host's object may raise anything; the producer counts it as invalid
            given = {name: update[name] for name in OUTPUTS if name in update}
            return {name: value for name, value in given.items() if value is not self._state.get(name)}
        for output in outputs:
            self._note(output)
        hypotheses = [output for output in outputs if output.name != CONSENSUS]
        new = {output.name: output.value for output in outputs if output.name == CONSENSUS}
        if hypotheses:
            is_named = all(output.name is not None for output in hypotheses)
            values = [output.value for output in hypotheses]
            new[HYPOTHESES] = {output.name: output.value for output in hypotheses} if is_named else values
        return new

    def _knows(self, output: _Output) -> bool:
        for known in self._known:
            if known.agent_type == output.agent_type:
                if output.content is None or known.content is None:
                    if output.value is known.value and output.content is known.content:
                        return True
                elif adds_nothing(output.content, known.content):
                    return True
        return False

    def _note(self, output: _Output) -> None:
        self._known.append(output)
        if self._outer is not None and self._is_part_of(self._outer):
            self._outer._note(output)  # noqa: SLF001 - the same class

    def _is_part_of(self, outer: "Visit") -> bool:
        """Return whether the outer run is about the same incident, and not a node that runs a graph about another."""
        given = self._state.get(_GIVEN)
        with suppress(Exception):  # whatever a host's comparison raises
            return given is None or bool(given == outer._surrounding(_GIVEN, ()))  # noqa: SLF001 - the same class
        return False

    def _surrounding(self, name: str, updates: Iterable[Mapping[str, Any]]) -> Any:
        for parts in (self._state, *updates):
            if parts.get(name) is not None:
                return parts[name]
        return None if self._outer is None else self._outer._surrounding(name, ())  # noqa: SLF001 - the same class


def _whole_state(state: Any, config: Any) -> dict[str, Any]:
    """Return a node's input, completed by what the graph's state holds beside it."""
    try:
        parts = parts_of(state)
    except TypeError:  # a `Send` with a plain value
        parts = {}
    read = _reader(config)
    if read is not None:
        for name in (*OUTPUTS, EXECUTION_TRACE, *_SURROUNDINGS):
            if parts.get(name) is None:
                with suppress(Exception):  # the graph has no such key, or it is empty
                    parts[name] = read(name)
    return parts


def _reader(config: Any) -> Callable[[str], Any] | None:
    configurable = config.get("configurable") if isinstance(config, Mapping) else None
    read = configurable.get(_READ_STATE) if isinstance(configurable, Mapping) else None
    return read if callable(read) else None


def _outputs_in(parts: Mapping[str, Any], budget: Budget) -> Iterator[_Output]:
    for name, value in outputs_of(parts.get(HYPOTHESES)):
        yield _output(name, value, budget)
    consensus = unwrapped(parts.get(CONSENSUS))
    if consensus is not None:
        yield _output(CONSENSUS, consensus, budget)


def _output(name: Any, value: object, budget: Budget) -> _Output:
    try:
        fields = fields_of(value)
        agent_type = CONSENSUS if name == CONSENSUS else kebab_case(fields.get("agent_id") or name)
        return _Output(agent_type, name, value, content_of(fields, budget))
    except Exception:  # noqa: BLE001 - a host's object may raise anything; the producer counts it as invalid
        return _Output(kebab_case(name), name, value, None)


def _members(trace: Any) -> list[Any]:
    try:
        return [entry for _, entry in outputs_of(trace)]
    except Exception:  # noqa: BLE001 - a host's object may raise anything; its trace is not used
        return []
