"""The published contract: docs/contract is what the code does, and the AsyncAPI document is a valid one."""

import hashlib
import json
import os
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from infra.contract.__main__ import FOLDER, documents, written
from infra.contract.asyncapi import SCHEMA
from infra.contract.cases import joined
from infra.paths import ROOT
from recommendation_shared.item.encoding import item_digest

PUBLISHED: Final[dict[str, Any]] = {
    name: json.loads((FOLDER / name).read_text(encoding="ascii")) for name in ("asyncapi.json", "vectors.json")
}
VECTORS: Final = PUBLISHED["vectors.json"]
SPECIFICATIONS: Final = ROOT / "tests" / "contract" / "node_modules" / "@asyncapi" / "specs" / "schemas"


def test_published_files_are_up_to_date() -> None:
    """To update them: `python -m infra.contract`. A changed vector is a changed contract."""
    generated = documents()
    assert generated.keys() == PUBLISHED.keys()
    for name, document in generated.items():
        assert (FOLDER / name).read_text(encoding="ascii") == written(document)


def test_asyncapi_document_conforms_to_the_published_meta_schema() -> None:
    """AsyncAPI's own schema of version 3, from its npm package, which `make setup` installs."""
    path = SPECIFICATIONS / "3.0.0-without-$id.json"
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip("AsyncAPI's meta-schema is missing. Run `make setup` in the project folder.")
    meta_schema = json.loads(path.read_text(encoding="utf-8"))
    validator = Draft7Validator(meta_schema)
    assert [error.message for error in validator.iter_errors(PUBLISHED["asyncapi.json"])] == []
    assert not validator.is_valid({**PUBLISHED["asyncapi.json"], "channels": {"recommendations": {"adress": "x"}}})


def test_asyncapi_document_refers_only_to_what_exists() -> None:
    """References are relative to the document, as AsyncAPI tools resolve them."""
    document = PUBLISHED["asyncapi.json"]
    references = list(_references(document))
    assert SCHEMA in references
    for reference in references:
        if reference == SCHEMA:
            assert (FOLDER / reference).is_file()
            continue
        target = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_names_of_vectors_are_unique() -> None:
    """A failing vector is found by its name."""
    for part in ("sending", "storing"):
        names = [vector["name"] for vector in VECTORS[part]]
        assert len(set(names)) == len(names)


def test_envelopes_of_the_vectors_conform_to_the_json_schema() -> None:
    """What a sender may send is what the schema describes."""
    validator = Draft202012Validator(json.loads((FOLDER / SCHEMA).read_text(encoding="utf-8")))
    sent = [vector["sent"]["envelope"] for vector in VECTORS["sending"] if "sent" in vector]
    assert len(sent) > 40
    for envelope in sent:
        validator.validate(envelope)


def test_digests_of_the_vectors_can_be_recomputed_from_their_items() -> None:
    """A reader of the table in any language can verify an item from the item alone."""
    shown = [vector["stored"] for vector in VECTORS["storing"] if "item" in vector.get("stored", {})]
    assert len(shown) > 40
    for stored in shown:
        assert item_digest(stored["item"]) == stored["contentDigest"]
        canonical = json.dumps(stored["item"], ensure_ascii=False, separators=(",", ":"))
        assert hashlib.sha256(canonical.encode()).hexdigest() == stored["itemSha256"]


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("an ID of another envelope is refused", "IdMismatch"),
        ("a version that is too new", "UnknownSchemaVersion"),
        ("255 levels are refused", "InvalidJson"),
        ("version true is refused", "InvalidEnvelope"),
    ],
)
def test_each_reason_for_a_refusal_has_a_vector(name: str, detail: str) -> None:
    """Senders handle the four reasons differently."""
    (vector,) = (vector for vector in VECTORS["storing"] if vector["name"] == name)
    assert vector["refused"]["reason"] == detail


def test_a_body_in_parts_is_joined() -> None:
    """Long bodies are written as parts, some of them repeated, so that the file stays small."""
    assert joined(["a", ("bc", 3), "d"]) == "abcbcbcd"
    assert (
        len(joined(next(v["body"] for v in VECTORS["storing"] if v["name"] == "a long text is cut to fit"))) > 250_000
    )


def _references(value: Any) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for child in value.values():
            yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)
