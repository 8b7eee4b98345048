"""The adapters with the real frameworks, newest versions, each in an environment of its own. No model is called."""

import functools
import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.foreign_program import output_of

LOCKS: Final = Path(__file__).parent / "locks"
PACKAGES: Final = {"openai_agents": "openai-agents", "pydantic_ai": "pydantic-ai-slim", "strands": "strands-agents"}

adapters = pytest.mark.parametrize("adapter", PACKAGES)


@functools.cache
def answers(adapter: str) -> dict[str, Any]:
    """Run an adapter's program, once."""
    module = f"tests.adapters.programs.{adapter}_program"
    found: dict[str, Any] = output_of(module, f"adapter-{adapter}", LOCKS / f"{adapter}.lock")
    return found


def case(adapter: str, name: str) -> dict[str, Any]:
    """Return what a case recorded, after checking that none of it was invalid."""
    found: dict[str, Any] = answers(adapter)["cases"][name]
    assert found["invalid"] == 0
    return found


def only(adapter: str, name: str) -> dict[str, Any]:
    """Return the only envelope that a case recorded, without a warning."""
    found = case(adapter, name)
    assert found["log"] == []
    (envelope,) = found["kept"]
    assert (envelope["incidentId"], envelope["executionId"]) == ("incident-1", "execution-1")
    return dict(envelope)


@adapters
def test_framework_is_the_locked_one(adapter: str) -> None:
    """The environment is that of the lock file, not that of the tests."""
    lock = (LOCKS / f"{adapter}.lock").read_text(encoding="utf-8")
    assert f"{PACKAGES[adapter]}=={answers(adapter)['version']} " in lock


@adapters
def test_text_is_recorded_under_the_agents_name(adapter: str) -> None:
    """In kebab-case, with the model and the tokens where the other agents' are."""
    found = case(adapter, "text")["kept"]
    for envelope in found:
        assert envelope["agentType"] == "signal-intelligence"
        assert envelope["recommendation"] == {"output": "Roll back."}
        assert envelope["metadata"]["status"] == "SUCCESS"
        assert envelope["metadata"]["cost"].keys() == {"model", "inputTokens", "outputTokens"}
    assert len(found) == (2 if adapter == "strands" else 1)


@adapters
def test_structured_output_gives_the_recommendation_and_its_confidence(adapter: str) -> None:
    """The agent's own fields become the envelope's."""
    envelope = only(adapter, "structured")
    assert envelope["agentType"] == "strategist"
    assert envelope["recommendation"] == {"action": "roll back"}
    assert envelope["confidence"] == 0.9


@adapters
def test_failed_agent_is_recorded_and_its_exception_is_raised(adapter: str) -> None:
    """The audit must show what was not on the table, and the host must not notice."""
    found = case(adapter, "failure")
    assert found["outcome"] == ("BadRequestError" if adapter == "openai_agents" else "model overloaded")
    envelope = only(adapter, "failure")
    assert envelope["recommendation"] == {}
    assert envelope["metadata"]["status"] == "FAILURE"
    assert ("no" if adapter == "openai_agents" else "model overloaded") in json.dumps(envelope["metadata"]["error"])


@adapters
def test_agent_outside_a_recording_works_and_the_log_says_that_it_is_not_recorded(adapter: str) -> None:
    """What is not recorded must not go unnoticed."""
    found = case(adapter, "without a recording")
    assert found["outcome"].strip() == "Roll back."
    assert found["kept"] == []
    assert found["log"] == [
        "the outputs of agent signal-intelligence are not recorded: no recording() is active where it ended"
    ]


@pytest.mark.parametrize("adapter", ["pydantic_ai", "strands"])
def test_streamed_output_is_recorded_once_when_it_is_complete(adapter: str) -> None:
    """Parts of it are not recommendations."""
    assert case(adapter, "streamed")["outcome"].strip() == "Roll back."
    assert only(adapter, "streamed")["recommendation"] == {"output": "Roll back."}


def test_openai_agent_over_the_older_api_is_recorded() -> None:
    """Chat Completions have another kind of span."""
    envelope = only("openai_agents", "chat completions")
    assert envelope["recommendation"] == {"output": "Roll back."}
    assert envelope["metadata"]["cost"] == {"model": "a-model", "inputTokens": 10, "outputTokens": 5}


def test_openai_agent_that_hands_off_is_not_recorded_but_the_other_is() -> None:
    """It has said nothing itself."""
    assert only("openai_agents", "handoff")["agentType"] == "strategist"


def test_openai_output_that_the_trace_withholds_is_named_in_the_log() -> None:
    """With trace_include_sensitive_data off, the processor cannot know it."""
    found = case("openai_agents", "withheld")
    assert (found["outcome"], found["kept"]) == ("Roll back.", [])
    (line,) = found["log"]
    assert line.startswith("the outputs of agent secretive are not recorded: its trace holds no output")


def test_tokens_of_a_strands_agent_are_those_of_one_invocation() -> None:
    """Strands' own totals grow over the agent's life."""
    costs = [envelope["metadata"]["cost"] for envelope in case("strands", "text")["kept"]]
    assert costs == [{"model": "a-model", "inputTokens": 10, "outputTokens": 5}] * 2


def test_strands_structured_output_method_is_named_in_the_log() -> None:
    """Strands gives its hooks no result then."""
    found = case("strands", "structured_output")
    assert found["kept"] == []
    assert found["log"] == [
        "the outputs of agent older are not recorded: Strands passes no result to hooks; use structured_output_model"
    ]
