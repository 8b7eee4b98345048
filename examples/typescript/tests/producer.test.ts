/** Batches, failed entries and failed requests, against a client that answers as it is told to. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { SendMessageBatchCommand, SendMessageBatchCommandOutput } from "@aws-sdk/client-sqs";
import { batches, Producer } from "../src/producer.ts";

type Answer = (ids: string[]) => string[]; // which of these entries succeed

class ScriptedClient {
  readonly requests: string[][] = [];
  readonly #answers: Answer[];

  constructor(...answers: Answer[]) {
    this.#answers = answers;
  }

  async send(command: SendMessageBatchCommand): Promise<SendMessageBatchCommandOutput> {
    const entries = command.input.Entries ?? [];
    this.requests.push(entries.map(({ MessageBody = "" }) => JSON.parse(MessageBody).recommendation.n));
    const succeeded = (this.#answers.shift() ?? ((ids) => ids))(entries.map(({ Id = "" }) => Id));
    const Successful = succeeded.map((Id) => ({ Id, MessageId: "m", MD5OfMessageBody: "" }));
    return { Successful, Failed: undefined, $metadata: {} };
  }
}

function producerOf(count: number, client: ScriptedClient): Producer {
  const producer = new Producer(client, "https://example.com/queue", () => 0);
  for (let n = 0; n < count; n += 1) {
    producer.enqueue({
      incidentId: "incident-1",
      executionId: "execution-1",
      agentType: "signal-intelligence",
      timestamp: "2026-01-31T12:00:00Z",
      recommendation: { n },
    });
  }
  return producer;
}

test("a request has at most ten entries", async () => {
  const client = new ScriptedClient();
  const balance = await producerOf(21, client).flush();
  assert.deepEqual(client.requests.map((request) => request.length), [10, 10, 1]);
  assert.deepEqual(balance, { accepted: 21, sent: 21, pending: 0, dropped: {} });
});

test("a request has at most 1 MiB of UTF-8, not of characters", () => {
  const message = (bytes: number) => ({ recommendationId: "r", body: "é".repeat(bytes / 2) });
  const split = batches([message(1_048_574), message(2), message(2), message(1_048_576)]);
  assert.deepEqual(split.map((batch) => batch.length), [2, 1, 1]);
});

test("only the failed entries of a successful request are sent again", async () => {
  const client = new ScriptedClient((ids) => ids.slice(0, 2), () => []);
  const balance = await producerOf(3, client).flush();
  assert.deepEqual(client.requests, [[0, 1, 2], [2], [2]]);
  assert.equal(balance.sent, 3);
});

test("what five attempts could not send is counted, and the other batches are sent", async () => {
  const client = new ScriptedClient(...Array<Answer>(5).fill(() => []));
  const balance = await producerOf(11, client).flush();
  assert.deepEqual(balance, { accepted: 11, sent: 1, pending: 0, dropped: { send_failed: 10 } });
});

test("the balance adds up before and after", async () => {
  const producer = producerOf(2, new ScriptedClient());
  assert.deepEqual(producer.balance, { accepted: 2, sent: 0, pending: 2, dropped: {} });
  assert.deepEqual(await producer.flush(), { accepted: 2, sent: 2, pending: 0, dropped: {} });
});
