/** Sends envelopes to the queue in batches, and counts what became of each. */

import { type SendMessageBatchCommandOutput, SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { EnvelopeError, type EnvelopeArguments, type Message, writeEnvelope } from "./envelope.ts";

const BATCH_ENTRIES = 10;
const REQUEST_BYTES = 1_048_576; // of one message, and of a whole SendMessageBatch request
const MAX_PENDING = 10_000;
const ATTEMPTS = 5;
const MAX_DELAY = 2_000; // milliseconds

/** The part of `SQSClient` used here. */
export interface Sends {
  send(command: SendMessageBatchCommand): Promise<SendMessageBatchCommandOutput>;
}

export type Dropped = "invalid" | "too_large" | "buffer_full" | "send_failed";

export interface Outcome {
  readonly accepted: boolean;
  readonly recommendationId?: string;
  readonly reason?: Dropped;
  readonly detail?: string;
}

/** Counts of everything handed over, refused calls included: accepted = sent + dropped (by reason) + pending. */
export interface Balance {
  readonly accepted: number;
  readonly sent: number;
  readonly pending: number;
  readonly dropped: Readonly<Partial<Record<Dropped, number>>>;
}

/** Holds recommendations until `flush`. Neither `enqueue` nor `flush` throws; what cannot be sent is counted. */
export class Producer {
  readonly #client: Sends;
  readonly #queueUrl: string;
  readonly #random: () => number;
  #pending: Message[] = [];
  #accepted = 0;
  #sent = 0;
  readonly #dropped: Partial<Record<Dropped, number>> = {};

  /** `random` (0 to 1) decides how long the pauses between attempts are. */
  constructor(client: Sends, queueUrl: string, random: () => number = Math.random) {
    this.#client = client;
    this.#queueUrl = queueUrl;
    this.#random = random;
  }

  /** Hand over one recommendation; later changes to the arguments do not affect it. */
  enqueue(given: EnvelopeArguments): Outcome {
    this.#accepted += 1;
    let message: Message;
    try {
      message = writeEnvelope(given);
    } catch (error) {
      const detail = error instanceof EnvelopeError ? error.detail : `envelope: ${(error as Error).name}`;
      return this.#refused("invalid", { detail });
    }
    const { recommendationId } = message;
    if (Buffer.byteLength(message.body) > REQUEST_BYTES) return this.#refused("too_large", { recommendationId });
    if (this.#pending.length >= MAX_PENDING) return this.#refused("buffer_full", { recommendationId });
    this.#pending.push(message);
    return { accepted: true, recommendationId };
  }

  /** Send everything that is pending, and return the counts so far. Await it before a Lambda handler returns. */
  async flush(): Promise<Balance> {
    const messages = this.#pending;
    this.#pending = [];
    for (const batch of batches(messages)) {
      const unsent = await this.#send(batch);
      this.#sent += batch.length - unsent;
      this.#count("send_failed", unsent);
    }
    return this.balance;
  }

  get balance(): Balance {
    const dropped = Object.values(this.#dropped).reduce((sum, count) => sum + count, 0);
    const pending = this.#accepted - this.#sent - dropped; // those in flight included
    return { accepted: this.#accepted, sent: this.#sent, pending, dropped: { ...this.#dropped } };
  }

  /** Return how many messages of the batch could not be sent: a success of the request may name failed entries. */
  async #send(batch: readonly Message[]): Promise<number> {
    let left = batch;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (attempt > 0) await pause(this.#random() * Math.min(MAX_DELAY, 100 * 2 ** attempt));
      const answer = await this.#request(left);
      if (answer === undefined) continue;
      const sent = new Set(answer.Successful?.map((entry) => entry.Id));
      left = left.filter((_message, index) => !sent.has(String(index)));
      if (left.length === 0) return 0;
    }
    return left.length;
  }

  async #request(batch: readonly Message[]): Promise<SendMessageBatchCommandOutput | undefined> {
    const Entries = batch.map(({ body }, index) => ({ Id: String(index), MessageBody: body }));
    try {
      return await this.#client.send(new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries }));
    } catch (error) {
      console.error(`recommendations: SendMessageBatch failed: ${(error as Error).name}`);
      return undefined;
    }
  }

  #refused(reason: Dropped, about: { recommendationId?: string; detail?: string }): Outcome {
    this.#count(reason, 1);
    return { accepted: false, reason, ...about };
  }

  #count(reason: Dropped, count: number): void {
    if (count > 0) this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
  }
}

/** Split messages into requests of at most 10 entries and 1 MiB. */
export function batches(messages: readonly Message[]): Message[][] {
  const split: Message[][] = [];
  let bytes = Infinity;
  for (const message of messages) {
    const size = Buffer.byteLength(message.body);
    const last = split.at(-1);
    if (last === undefined || last.length === BATCH_ENTRIES || bytes + size > REQUEST_BYTES) {
      split.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return split;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
