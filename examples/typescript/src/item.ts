/** The item: what the consumer stores for an envelope. A reader of the table verifies digests with it. */

import { createHash } from "node:crypto";
import { canonicalText, isObject, type Json, type JsonObject, object, sortedEntries } from "./exact_json.ts";
import { expiry } from "./identity.ts";
import { asText, ExactNumber, numberText } from "./numbers.ts";

const CONTAINER_LEVELS = 31;
const NAME_BYTES = 65_535;
const NAME_PREFIX = 100; // characters
const TRACE_HEADER = "awsTraceHeader";

export interface Item {
  /** DynamoDB JSON with sorted names. */
  readonly json: string;
  readonly contentDigest: string;
  readonly ttl: number | null;
}

/** Encode an envelope's fields (see `readEnvelope`). Items over 400 KB are not trimmed. */
export function encodeItem(fields: JsonObject): Item {
  const { [TRACE_HEADER]: trace, ...metadata } = fields["metadata"] as JsonObject;
  const content = encodeMap({ ...fields, metadata }, 0);
  const contentDigest = createHash("sha256").update(content).digest("hex");
  const retention = fields["retention"];
  const days = retention instanceof ExactNumber ? Number(retention.text) : null;
  const ttl = expiry(fields["timestamp"] as string, days);
  const derived = `,"contentDigest":{"S":"${contentDigest}"}${ttl === null ? "" : `,"ttl":{"N":"${ttl}"}`}}`;
  const json = content.slice(0, -1) + derived;
  return { json: trace === undefined ? json : withTrace(json, trace), contentDigest, ttl };
}

function withTrace(json: string, trace: Json): string {
  const document = JSON.parse(json);
  document.metadata.M[TRACE_HEADER] = JSON.parse(encode(trace, 2));
  return JSON.stringify(document);
}

function encodeMap(values: JsonObject, level: number): string {
  const entries = sortedEntries(withStorableNames(values));
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${encode(value, level + 1)}`).join(",")}}`;
}

function encode(value: Json, level: number): string {
  if (typeof value === "string") return `{"S":${JSON.stringify(value)}}`;
  if (value === null) return '{"NULL":true}';
  if (typeof value === "boolean") return `{"BOOL":${value}}`;
  if (value instanceof ExactNumber) {
    const number = numberText(value);
    return number === undefined ? `{"S":${JSON.stringify(asText(value))}}` : `{"N":"${number}"}`;
  }
  if (level > CONTAINER_LEVELS) return `{"S":${JSON.stringify(canonicalText(value))}}`;
  if (isObject(value)) return `{"M":${encodeMap(value, level)}}`;
  return `{"L":[${value.map((child) => encode(child, level + 1)).join(",")}]}`;
}

/** Replace each entry whose name DynamoDB rejects by its JSON text, under a prefix of the name and "…". */
function withStorableNames(values: JsonObject): JsonObject {
  const isStorable = (name: string) => name !== "" && Buffer.byteLength(name) <= NAME_BYTES;
  const stored = new Map(Object.entries(values).filter(([name]) => isStorable(name)));
  if (stored.size === Object.keys(values).length) return values;
  for (const [name, value] of sortedEntries(values).filter(([name]) => !isStorable(name))) {
    let standIn = `${Array.from(name).slice(0, NAME_PREFIX).join("")}…`;
    while (stored.has(standIn)) standIn += "…";
    stored.set(standIn, canonicalText(object([[name, value]])));
  }
  return object(stored);
}
