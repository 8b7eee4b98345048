/** The canonical text of numbers: exact decimals of at most 38 digits, as DynamoDB holds them. */

const DIGITS = 38;
const MIN_EXPONENT = -130; // of the leading digit
const MAX_EXPONENT = 125;
const EXPONENT_DIGITS = 18; // a longer exponent is kept as written

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** A JSON number as it was written, because a double would change some of them. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

interface Parts {
  readonly sign: string;
  readonly digits: string; // without leading zeros
  readonly exponent: number; // of the last digit
}

function parts(text: string): Parts | undefined {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  if (exponent.replace(/^[+-]/, "").length > EXPONENT_DIGITS) return undefined;
  return { sign, digits: (whole + fraction).replace(/^0+/, ""), exponent: Number(exponent) - fraction.length };
}

/** Return the canonical text of a number, or undefined if DynamoDB cannot hold it. */
export function numberText(number: ExactNumber): string | undefined {
  const found = parts(number.text);
  if (found === undefined) return undefined;
  const significant = found.digits.replace(/0+$/, "");
  if (significant === "") return "0";
  const leading = found.exponent + found.digits.length - 1;
  if (significant.length > DIGITS || leading < MIN_EXPONENT || leading > MAX_EXPONENT) return undefined;
  if (leading >= DIGITS) return scientific(found.sign, significant, leading);
  return positional(found.sign, significant, leading - significant.length + 1);
}

/** Return the text that stands for any number, even one that DynamoDB cannot hold. */
export function asText(number: ExactNumber): string {
  const canonical = numberText(number);
  if (canonical !== undefined) return canonical;
  const found = parts(number.text);
  if (found === undefined) return number.text;
  const leading = found.exponent + found.digits.length - 1;
  const isPositional = found.exponent <= 0 && leading >= -6;
  return isPositional
    ? positional(found.sign, found.digits, found.exponent)
    : scientific(found.sign, found.digits, leading);
}

function scientific(sign: string, digits: string, leading: number): string {
  const fraction = digits.slice(1);
  return `${sign}${digits[0]}${fraction && "."}${fraction}E${leading < 0 ? "" : "+"}${leading}`;
}

function positional(sign: string, digits: string, exponent: number): string {
  if (exponent >= 0) return sign + digits + "0".repeat(exponent);
  const padded = digits.padStart(1 - exponent, "0");
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}
