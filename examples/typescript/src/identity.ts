/** Instants, sort keys, recommendation IDs and expiry: derived from the envelope, never from the clock. */

const HOURS = "([01]\\d|2[0-3])";
const SIXTY = "([0-5]\\d)";
const RFC3339 = new RegExp(
  `^(\\d{4}-\\d\\d-\\d\\d)[Tt ](${HOURS}:${SIXTY}:${SIXTY})(?:\\.(\\d+))?(?:[Zz]|([+-])${HOURS}:${SIXTY})?$`,
);
const DAY_SECONDS = 86_400;
const EARLIEST = Date.parse("0001-01-01T00:00:00Z");
const LATEST = Date.parse("9999-12-31T23:59:59Z");

/** Return an instant as text of fixed width in UTC, which sorts chronologically; undefined if it is not RFC 3339. */
export function sortKey(text: string): string | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, date = "", time, , , , fraction = "", sign, hours = "0", minutes = "0"] = match;
  const local = Date.parse(`${date}T${time}Z`);
  // Date.parse takes 30 February for 1 March.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(date)) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60_000 : 60_000);
  const instant = local - offset;
  if (local < EARLIEST || instant < EARLIEST || instant > LATEST) return undefined;
  return `${new Date(instant).toISOString().slice(0, -5)}.${fraction.slice(0, 6).padEnd(6, "0")}Z`;
}

/** Return the ID, with the shortest exact form of the instant; `timestamp` is a sort key. */
export function recommendationId(incidentId: string, agentType: string, timestamp: string): string {
  const [whole, fraction = ""] = timestamp.slice(0, -1).split(".");
  const shortest = fraction.replace(/0+$/, "");
  return `rec-${incidentId}-${agentType}-${whole}${shortest && "."}${shortest}Z`;
}

/** Return when an item expires, in epoch seconds, or null if it is kept indefinitely. */
export function expiry(timestamp: string, retentionDays: number | null): number | null {
  if (retentionDays === null) return null;
  return Date.parse(`${timestamp.slice(0, 19)}Z`) / 1000 + retentionDays * DAY_SECONDS;
}
