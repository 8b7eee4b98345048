/**
 * Send recommendations to the queue in RECOMMENDATIONS_QUEUE_URL: one JSON object a line on standard input, with the
 * names of `EnvelopeArguments`. Prints the outcome of each line, then the balance; exits with 1 if any was dropped.
 */

import { createInterface } from "node:readline";
import { SQSClient } from "@aws-sdk/client-sqs";
import { Producer } from "./producer.ts";

const queueUrl = process.env["RECOMMENDATIONS_QUEUE_URL"];
if (!queueUrl) {
  console.error("error: RECOMMENDATIONS_QUEUE_URL is not set: it must be the URL of the queue");
  process.exit(2);
}
const client = new SQSClient({}); // region, credentials and AWS_ENDPOINT_URL come from the environment
const producer = new Producer(client, queueUrl);
let number = 0;
for await (const line of createInterface({ input: process.stdin })) {
  number += 1;
  try {
    console.log(JSON.stringify(producer.enqueue(JSON.parse(line))));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    console.error(`error: line ${number} is not JSON`);
    process.exitCode = 1;
  }
}
const balance = await producer.flush();
console.log(JSON.stringify(balance));
client.destroy();
if (Object.keys(balance.dropped).length > 0) process.exitCode = 1;
