/** JSON with exact numbers: parsing, and the canonical text that digests are computed from. */

import { asText, ExactNumber } from "./numbers.ts";

export type Json = null | boolean | string | ExactNumber | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

const LEVELS = 254;
const LONE_SURROGATE = /\p{Surrogate}/gu;

type Reviver = (name: string, value: unknown) => unknown; // without the context, which Node passes since version 22

/** A text is not JSON, or is nested too deeply. */
export class JsonError extends Error {}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

/** Parse JSON without changing a number; a lone surrogate becomes the text of its escape. */
export function parseJson(text: string): Json {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text, exactNumbers as Reviver);
  } catch {
    throw new JsonError("must be JSON");
  }
  return cleaned(parsed as Json, 1);
}

function exactNumbers(_name: string, value: unknown, context: { source: string }): unknown {
  return typeof value === "number" ? new ExactNumber(context.source) : value;
}

function cleaned(value: Json, level: number): Json {
  if (typeof value === "string") return withoutSurrogates(value);
  if (typeof value !== "object" || value === null || value instanceof ExactNumber) return value;
  if (level > LEVELS) throw new JsonError(`must be nested at most ${LEVELS} levels deep`);
  if (Array.isArray(value)) return value.map((child) => cleaned(child, level + 1));
  return object(Object.entries(value).map(([name, child]) => [withoutSurrogates(name), cleaned(child, level + 1)]));
}

/** Return an object of these entries; one named `__proto__` is an entry like any other. */
export function object(entries: Iterable<readonly [string, Json]>): JsonObject {
  return Object.fromEntries(entries);
}

function withoutSurrogates(text: string): string {
  return text.replace(LONE_SURROGATE, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

/** Return the canonical text of a value: compact, names sorted by code point, exact numbers. */
export function canonicalText(value: Json): string {
  if (value instanceof ExactNumber) return asText(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const entries = sortedEntries(value).map(([name, child]) => `${JSON.stringify(name)}:${canonicalText(child)}`);
  return `{${entries.join(",")}}`;
}

/** Return an object's entries, sorted by code point: JavaScript's own order is that of UTF-16 code units. */
export function sortedEntries(value: JsonObject): [string, Json][] {
  return Object.entries(value).sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
}
