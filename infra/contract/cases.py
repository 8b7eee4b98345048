"""The inputs of the golden vectors: every odd case that a sender or a reader of envelopes must know."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

ENVELOPE: Final[Mapping[str, Any]] = {
    "schemaVersion": 1,
    "recommendationId": "rec-incident-123-signal-intelligence-2026-01-31T12:00:00Z",
    "incidentId": "incident-123",
    "executionId": "execution-1",
    "agentType": "signal-intelligence",
    "timestamp": "2026-01-31T12:00:00.000000Z",
    "recommendation": {"action": "roll back"},
}
ARGUMENTS: Final = {name: ENVELOPE[name] for name in ENVELOPE if name not in {"schemaVersion", "recommendationId"}}

# A text, or the parts that it is joined from; [text, n] stands for n copies of the text.
Body = str | Sequence[str | tuple[str, int]]


class Case(NamedTuple):
    """An input with a name that says what is odd about it. `needs` names what a small reader may lack."""

    name: str
    given: Any
    needs: str | None = None


def joined(body: Body) -> str:
    """Return the text of a body."""
    return (
        body
        if isinstance(body, str)
        else "".join(part if isinstance(part, str) else part[0] * part[1] for part in body)
    )


def _sending(name: str, **changes: Any) -> Case:
    arguments = {**ARGUMENTS, **changes}
    return Case(name, {key: value for key, value in arguments.items() if value is not ...})


SENDING: Final = (
    _sending("only the required fields"),
    _sending(
        "every field",
        confidence=0.87,
        reasoning="CPU rose after deploy 41.",
        citations=[{"source": "metrics", "id": "m-1"}],
        metadata={"agentVersion": "1.2.0", "durationMs": 950},
        retention=30,
    ),
    *(
        _sending(f"timestamp {text}", timestamp=text)
        for text in (
            "2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00",
            "2026-01-31t12:00:00z",
            "2026-01-31 12:00:00.5",
            "2026-01-31T12:00:00.332308Z",
            "2026-01-31T12:00:00.120000Z",
            "2026-01-31T12:00:00.1234567891Z",
            "2026-01-31T23:59:59.9999999-00:30",
            "2026-01-31T12:00:00+05:30",
            "2024-02-29T00:00:00+14:00",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
        )
    ),
    *(
        _sending(f"timestamp {text} is refused", timestamp=text)
        for text in (
            "2026-02-29T12:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:00:60Z",
            "2026-01-31T12:00Z",
            "2026-01-31",
            "20260131T120000Z",
            "2026-W05-6T12:00:00Z",
            "2026-01-31T12:00:00+0530",
            "2026-01-31T12:00:00+24:00",
            "2026-01-31T12:00:00.Z",
            "٢٠٢٦-01-31T12:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            " 2026-01-31T12:00:00Z",
            "",
        )
    ),
    _sending("a timestamp that is a number is refused", timestamp=1769860800),
    *(_sending(f"confidence {value!r}", confidence=value) for value in (0, 1, 0.5, 1e-7, 1e-130, None)),
    *(
        _sending(f"confidence {json.dumps(value)} is kept as text", confidence=value)
        for value in (87, 1.5, -0.1, 1e-131, "high", True, [0.5], {"b": 1, "a": 2.5}, "")
    ),
    _sending("an odd confidence joins the other metadata", confidence=87, metadata={"agentVersion": "1"}),
    _sending("retention null keeps the item indefinitely", retention=None),
    _sending("retention 1", retention=1),
    _sending("retention 36500", retention=36_500),
    *(
        _sending(f"retention {json.dumps(value)} is refused", retention=value)
        for value in (0, -1, 36_501, 1.5, "90", True)
    ),
    _sending("an ID in Japanese", incidentId="障害-1", executionId="実行-1"),
    _sending("an ID outside the Basic Multilingual Plane", incidentId="incident-😀"),
    _sending("an ID of 1,024 bytes", incidentId="é" * 512),
    _sending("an ID of 1,025 bytes is refused", incidentId="é" * 512 + "x"),
    _sending("an empty ID is refused", executionId=""),
    _sending("an ID with a control character is refused", incidentId="a\nb"),
    _sending("an ID with a C1 control character is refused", incidentId="a\x85b"),
    _sending("an ID with a lone surrogate is refused", incidentId="a\ud800"),
    _sending("an ID that is a number is refused", incidentId=5),
    _sending("an agent type of one's own", agentType="my-agent-2"),
    _sending("an agent type of 128 bytes", agentType="a" * 128),
    *(
        _sending(f"agent type {value!r} is refused", agentType=value)
        for value in ("Signal", "a_b", "a--b", "-a", "a-", "", "é", "a\n")
    ),
    _sending("an agent type of 129 bytes is refused", agentType="a" * 129),
    _sending("a missing field is refused", executionId=...),
    _sending("several broken fields are all named", incidentId="", agentType="A", retention=0),
    _sending("a recommendation that is a list is refused", recommendation=[]),
    _sending("citations of texts are refused", citations=["a"]),
    _sending("metadata that is a text is refused", metadata="m"),
    _sending("reasoning null is refused", reasoning=None),
    _sending("lone surrogates become their escapes as text", reasoning="a\ud800b", recommendation={"\udfff": "\udbff"}),
    _sending("characters that SQS rejects are escaped", reasoning="\ufffe\uffff\ufffd"),
    _sending("control characters and line separators", reasoning='\x00\x1f\x7f\u2028\u2029"\\/'),
    _sending("names that sort differently by code point", recommendation={"\uff61": 1, "😀": 2, "a": 3, "B": 4}),
    _sending(
        "names that JavaScript treats specially", recommendation={"__proto__": 1, "10": 2, "9": 3, "constructor": 4}
    ),
    _sending("an empty name, empty values", recommendation={"": 1, "text": "", "list": [], "object": {}, "null": None}),
    _sending("numbers", recommendation={"n": [0, -0.0, 1.0, 1e16, 1e21, 1e-7, -1.5e-10, 0.1, 1e125, 1e126, 5e-324]}),
)


def _storing(name: str, **changes: Any) -> Case:
    fields = {**ENVELOPE, **changes}
    return Case(name, json.dumps({key: value for key, value in fields.items() if value is not ...}))


def _with_recommendation(*parts: str | tuple[str, int]) -> Body:
    """Return an envelope's body, with the recommendation's JSON text joined from these parts."""
    start, end = json.dumps({**ENVELOPE, "recommendation": "?"}).split('"?"')
    return [start, *parts, end]


def _number(text: str) -> Case:
    return Case(f"the number {text}", joined(_with_recommendation('{"n":', text, "}")))


STORING: Final = (
    _storing("only the required fields"),
    _storing("unknown fields are kept", severity="high", nested={"a": [1]}),
    _storing("derived attributes are recomputed", ttl=1, contentDigest="forged"),
    _storing("operators' attributes are ignored", hold={"reason": "forged"}, erasure={"by": "forged"}),
    _storing("reviews are ignored", reviews=[{"verdict": "helpful", "by": "forged"}]),
    _storing("a version that is too new", schemaVersion=2),
    _storing("version 1.0 is refused", schemaVersion=1.0),
    _storing("version true is refused", schemaVersion=True),
    _storing("a missing version is refused", schemaVersion=...),
    _storing("an ID of another envelope is refused", recommendationId="rec-other"),
    _storing("an ID in the long form is refused", recommendationId=f"{ENVELOPE['recommendationId'][:-1]}.000000Z"),
    _storing("an offset is normalised before the ID is compared", timestamp="2026-01-31T13:00:00+01:00"),
    _storing("100 unknown fields", **{f"x{n}": n for n in range(100)}),
    _storing("101 unknown fields are refused", **{f"x{n}": n for n in range(101)}),
    _storing("an unknown field with a name of 255 bytes", **{"n" * 255: 1}),
    _storing("an unknown field with a name of 256 bytes is refused", **{"n" * 256: 1}),
    _storing("an unknown field with an empty name is refused", **{"": 1}),
    _storing("a confidence in text is kept as text", confidence="0.9"),
    _storing("a trace header is stored but not digested", metadata={"awsTraceHeader": "Root=1-2-3"}),
    _storing(
        "the ttl of a time before 1970",
        timestamp="1969-12-31T23:59:59.5Z",
        recommendationId="rec-incident-123-signal-intelligence-1969-12-31T23:59:59.5Z",
    ),
    _storing(
        "the ttl of a fraction is rounded down",
        timestamp="2026-01-31T12:00:00.999999Z",
        recommendationId="rec-incident-123-signal-intelligence-2026-01-31T12:00:00.999999Z",
    ),
    *map(
        _number,
        (
            *("0", "-0", "-0.0", "1.0", "1.50", "1e2", "1E-2", "100e-2", "0.1", "1e16", "1e-7", "1e21", "1.5e300"),
            *("9007199254740993", "0.1000000000000000055511151231257827", "3.141592653589793238"),
            "12345678901234567890123456789012345678",
            "123456789012345678901234567890123456789",
            "12345678901234567890123456789012345678000",
            *("1e37", "1e38", "-1.25e38", "9.9999999999999999999999999999999999999e125", "1e126", "1e-130", "1e-131"),
            *("0e999", "1e-400", "1e400", "1e99999999999999999999"),
        ),
    ),
    Case(
        "NaN and the infinities become text",
        joined(_with_recommendation('{"n":[NaN,Infinity,-Infinity]}')),
        "loose JSON",
    ),
    Case("a repeated name: the last value counts", joined(_with_recommendation('{"a":1,"a":2}'))),
    Case("escapes of lone surrogates become text", joined(_with_recommendation(r'{"\ud800":"x\udfffy\ud83d\ude00"}'))),
    Case("white space and escapes do not count", joined(_with_recommendation('\n{ "\\u0061" : "\\u00e9\\/" }\t'))),
    Case(
        "an empty name is stored as JSON under another name",
        joined(_with_recommendation('{"":{"b":1,"a":[2.0]},"…":0}')),
    ),
    Case(
        "a name of 65,536 bytes is stored as JSON under a shorter one",
        _with_recommendation('{"', ("n", 65_536), '":1}'),
    ),
    Case("containers down to level 31 are stored as such", _with_recommendation('{"a":', ("[", 29), ("]", 29), "}")),
    Case(
        "a container at level 32 is stored as JSON text",
        _with_recommendation('{"a":', ("[", 31), '{"b":1.0}', ("]", 31), "}"),
    ),
    Case("254 levels", _with_recommendation('{"a":', ("[", 252), ("]", 252), "}")),
    Case("255 levels are refused", _with_recommendation('{"a":', ("[", 253), ("]", 253), "}")),
    Case("text that is not JSON is refused", "{"),
    Case("two JSON values are refused", "{} {}"),
    Case("an empty text is refused", ""),
    Case("a JSON list is refused", "[]"),
    Case("an empty object: every required field is named", "{}"),
    Case("an item of 400 KB is not trimmed", _with_recommendation('{"t":"', ("x", 409_180), '"}')),
    Case("a long text is cut to fit", _with_recommendation('{"t":"', ("é", 250_000), '"}'), "trimming"),
    Case(
        "too many values to cut: the whole attribute becomes text",
        _with_recommendation('{"l":[', (f'"{"a" * 900}",', 460), '""]}'),
        "trimming",
    ),
)
