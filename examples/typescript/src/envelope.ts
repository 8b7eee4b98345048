/** The envelope: one recommendation as it travels. The same rules decide what is sent and what is read. */

import { canonicalText, isObject, type Json, JsonError, type JsonObject, object, parseJson } from "./exact_json.ts";
import { recommendationId, sortKey } from "./identity.ts";
import { ExactNumber, numberText } from "./numbers.ts";

export interface EnvelopeArguments {
  incidentId: string;
  executionId: string;
  agentType: string;
  /** When the agent completed: RFC 3339, read as UTC without an offset. */
  timestamp: string;
  recommendation: Record<string, unknown>;
  /** From 0 to 1; any other value is kept as text in `metadata.rawConfidence`. */
  confidence?: unknown;
  reasoning?: string;
  citations?: Record<string, unknown>[];
  metadata?: Record<string, unknown>;
  /** Days from 1 to 36,500; null keeps the item indefinitely. */
  retention?: number | null;
}

export type Reason = "InvalidJson" | "InvalidEnvelope" | "IdMismatch" | "UnknownSchemaVersion";

/** Why something is not an envelope. The detail names fields and rules, never values. */
export class EnvelopeError extends Error {
  readonly reason: Reason;
  readonly detail: string;

  constructor(reason: Reason, detail: string) {
    super(`${reason}: ${detail}`);
    this.reason = reason;
    this.detail = detail;
  }
}

export interface Message {
  readonly recommendationId: string;
  readonly body: string;
}

class RuleError extends Error {}

const SCHEMA_VERSION = new ExactNumber("1");
const DERIVED = ["ttl", "contentDigest", "hold", "erasure", "reviews"];
const MAX_EXTRA_FIELDS = 100;
const MAX_EXTRA_NAME_BYTES = 255;
const MAX_RETENTION_DAYS = 36_500;
const RETENTION: Json = new ExactNumber("90");

function text(value: Json): string {
  if (typeof value !== "string") throw new RuleError("must be text");
  return value;
}

function bytes(value: string, limit: number): string {
  const size = Buffer.byteLength(value);
  if (size === 0 || size > limit) throw new RuleError(`must be 1 to ${limit} bytes of UTF-8`);
  return value;
}

function identifier(value: Json): string {
  if (/[\x00-\x1f\x7f-\x9f]/.test(text(value))) throw new RuleError("must not contain control characters");
  return bytes(text(value), 1024);
}

function rule(isValid: (value: Json) => boolean, message: string): (value: Json) => Json {
  return (value) => {
    if (!isValid(value)) throw new RuleError(message);
    return value;
  };
}

function isWhole(value: Json, from: number, to: number): boolean {
  const number = value instanceof ExactNumber && /^\d+$/.test(value.text) ? Number(value.text) : NaN;
  return number >= from && number <= to;
}

function isProbability(value: Json): boolean {
  const canonical = value instanceof ExactNumber ? numberText(value) : undefined;
  return canonical !== undefined && (canonical === "0" || canonical === "1" || canonical.startsWith("0."));
}

const isAgentType = (value: Json) => typeof value === "string" && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value);

const RULES: Record<string, (value: Json) => Json> = {
  schemaVersion: rule((value) => isWhole(value, 1, 1), "must be 1"),
  recommendationId: text,
  incidentId: identifier,
  executionId: identifier,
  agentType: (value) => bytes(text(rule(isAgentType, "must be kebab-case: a-z, 0-9 and single hyphens")(value)), 128),
  timestamp: (value) => {
    const key = typeof value === "string" ? sortKey(value) : undefined;
    if (key === undefined) throw new RuleError("must be an RFC 3339 time such as 2026-01-31T12:00:00.000000Z");
    return key;
  },
  recommendation: rule(isObject, "must be an object"),
  confidence: rule((value) => value === null || isProbability(value), "must be a number from 0 to 1, or null"),
  reasoning: text,
  citations: rule((value) => Array.isArray(value) && value.every(isObject), "must be a list of objects"),
  metadata: rule(isObject, "must be an object"),
  retention: rule(
    (value) => value === null || isWhole(value, 1, MAX_RETENTION_DAYS),
    `must be a whole number of days from 1 to ${MAX_RETENTION_DAYS}, or null`,
  ),
};
const DEFAULTS: JsonObject = { confidence: null, reasoning: "", citations: [], metadata: {}, retention: RETENTION };

/** Return the message of one recommendation. Throws `EnvelopeError`. */
export function writeEnvelope(given: EnvelopeArguments): Message {
  for (const name of ["incidentId", "executionId"] as const) {
    if (typeof given[name] === "string" && !given[name].isWellFormed()) {
      throw new EnvelopeError("InvalidEnvelope", `${name}: must be Unicode text, without lone surrogates`);
    }
  }
  const values = parseJson(jsonText(given)) as JsonObject;
  const fields = validated({ schemaVersion: SCHEMA_VERSION, recommendationId: "", ...values });
  const id = recommendationId(...idParts(fields));
  return { recommendationId: id, body: sqsSafe(canonicalText({ ...fields, recommendationId: id })) };
}

/** Return the fields of a message body, defaults and unknown fields included. Throws `EnvelopeError`. */
export function readEnvelope(body: string): JsonObject {
  let parsed: Json;
  try {
    parsed = parseJson(body);
  } catch (error) {
    if (error instanceof JsonError) throw new EnvelopeError("InvalidJson", `body: ${error.message}`);
    throw error;
  }
  if (!isObject(parsed)) throw new EnvelopeError("InvalidEnvelope", "body: must be an object");
  const version = parsed["schemaVersion"];
  if (version !== undefined && isWhole(version, 2, Infinity)) {
    throw new EnvelopeError("UnknownSchemaVersion", "schemaVersion: only versions up to 1 are supported");
  }
  const fields = validated(object(Object.entries(parsed).filter(([name]) => !DERIVED.includes(name))));
  checkExtraNames(Object.keys(fields).filter((name) => !Object.hasOwn(RULES, name)));
  if (fields["recommendationId"] !== recommendationId(...idParts(fields))) {
    const rule = "must be the ID derived from incidentId, agentType and timestamp";
    throw new EnvelopeError("IdMismatch", `recommendationId: ${rule}`);
  }
  return fields;
}

function validated(given: JsonObject): JsonObject {
  const fields = withOddConfidenceAside({ ...DEFAULTS, ...given });
  const broken: string[] = [];
  for (const [name, check] of Object.entries(RULES)) {
    const value = fields[name];
    try {
      if (value === undefined) throw new RuleError("Field required");
      fields[name] = check(value);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      broken.push(`${name}: ${error.message}`);
    }
  }
  if (broken.length > 0) throw new EnvelopeError("InvalidEnvelope", broken.join("; "));
  return fields;
}

function withOddConfidenceAside(fields: JsonObject): JsonObject {
  const { confidence = null, metadata } = fields;
  if (confidence === null || isProbability(confidence) || !isObject(metadata)) return fields;
  const raw = typeof confidence === "string" ? confidence : canonicalText(confidence);
  return { ...fields, confidence: null, metadata: { ...metadata, rawConfidence: raw } };
}

function checkExtraNames(names: string[]): void {
  if (names.length > MAX_EXTRA_FIELDS) {
    const rule = `must be at most ${MAX_EXTRA_FIELDS} besides the contract's`;
    throw new EnvelopeError("InvalidEnvelope", `extra fields: ${rule}`);
  }
  if (names.some((name) => name === "" || Buffer.byteLength(name) > MAX_EXTRA_NAME_BYTES)) {
    const rule = `a name must be 1 to ${MAX_EXTRA_NAME_BYTES} bytes of UTF-8`;
    throw new EnvelopeError("InvalidEnvelope", `extra fields: ${rule}`);
  }
}

function idParts(fields: JsonObject): [string, string, string] {
  return [fields["incidentId"], fields["agentType"], fields["timestamp"]] as [string, string, string];
}

/** Return what JSON.stringify writes, but with NaN, the infinities and bigints as text instead of null or an error. */
function jsonText(given: object): string {
  return JSON.stringify(given, (_name, value: unknown) => {
    const isOdd = typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value));
    return isOdd ? String(value) : value;
  });
}

/** Escape U+FFFE and U+FFFF, which JSON allows and SQS rejects. */
function sqsSafe(body: string): string {
  return body.replaceAll("\ufffe", "\\ufffe").replaceAll("\uffff", "\\uffff");
}
