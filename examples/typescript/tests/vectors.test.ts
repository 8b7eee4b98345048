/** This implementation agrees with every golden vector except those that need what it lacks. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { EnvelopeError, type EnvelopeArguments, readEnvelope, writeEnvelope } from "../src/envelope.ts";
import { canonicalText, parseJson } from "../src/exact_json.ts";
import { encodeItem } from "../src/item.ts";

interface Derived {
  recommendationId: string;
  timestamp: string;
  ttl: number | null;
  contentDigest: string;
}

interface Vector {
  name: string;
  refused?: { reason: string; detail: string };
}

interface Vectors {
  sending: (Vector & { arguments: EnvelopeArguments; sent?: Derived & { envelope: object } })[];
  storing: (Vector & {
    body: string | (string | [string, number])[];
    needs?: string;
    stored?: Derived & { itemSha256: string; item?: object };
  })[];
}

const LACKING = ["loose JSON", "trimming"];
const path = new URL("../../../docs/contract/vectors.json", import.meta.url);
const vectors: Vectors = JSON.parse(readFileSync(path, "ascii"));

for (const vector of vectors.sending) {
  test(`sending: ${vector.name}`, () => {
    if (vector.refused) return assertRefused(() => writeEnvelope(vector.arguments), vector.refused);
    const message = writeEnvelope(vector.arguments);
    const fields = readEnvelope(message.body);
    assert.equal(message.recommendationId, vector.sent?.recommendationId);
    const expected = parseJson(JSON.stringify(vector.sent?.envelope));
    assert.equal(canonicalText(parseJson(message.body)), canonicalText(expected));
    assertDerived(fields, vector.sent);
  });
}

for (const vector of vectors.storing) {
  const skip = vector.needs !== undefined && LACKING.includes(vector.needs) && `needs ${vector.needs}`;
  test(`storing: ${vector.name}`, { skip }, () => {
    const body = joined(vector.body);
    if (vector.refused) return assertRefused(() => readEnvelope(body), vector.refused);
    const fields = readEnvelope(body);
    assertDerived(fields, vector.stored);
    const item = encodeItem(fields);
    assert.equal(createHash("sha256").update(item.json).digest("hex"), vector.stored?.itemSha256);
    if (vector.stored?.item) assert.deepEqual(JSON.parse(item.json), vector.stored.item);
  });
}

function joined(body: string | (string | [string, number])[]): string {
  if (typeof body === "string") return body;
  return body.map((part) => (typeof part === "string" ? part : part[0].repeat(part[1]))).join("");
}

function assertDerived(fields: ReturnType<typeof readEnvelope>, expected: Derived | undefined): void {
  const { contentDigest, ttl } = encodeItem(fields);
  assert.equal(fields["recommendationId"], expected?.recommendationId);
  assert.equal(fields["timestamp"], expected?.timestamp);
  assert.equal(ttl, expected?.ttl);
  assert.equal(contentDigest, expected?.contentDigest);
}

/** The reason and the names of the fields are the contract; how a rule is worded is for people. */
function assertRefused(run: () => unknown, refused: { reason: string; detail: string }): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof EnvelopeError);
    assert.equal(error.reason, refused.reason);
    assert.deepEqual(fieldNames(error.detail), fieldNames(refused.detail));
    return true;
  });
}

function fieldNames(detail: string): string[] {
  return detail.split("; ").map((part) => part.slice(0, part.indexOf(":")));
}
