/** The body of a chat's answer as events: streamed or whole, as it really is, whatever its header calls it. */
import type { UpstreamResponse } from '../outbound/client.ts';
import type { ChatEvent, ChatEvents } from '../types/chat.ts';
import type { ChatFormat, Reading } from '../types/wire-format.ts';
import { readWhole } from './bounded-body.ts';
import { singleBatch } from './single-batch.ts';
import { contentType } from './send-upstream.ts';

/** A whole answer may be so large; one beyond it is no answer of a model. */
export const wholeBytes = 64 * 1024 * 1024;

const brace = 0x7b;
const fieldOfEvents = /^(data|event|id|retry|):/;

function firstCharacter(bytes: Buffer): number | undefined {
  return bytes.find((byte) => byte > 0x20);
}

/** One batch per read of the socket. Leaving the loop drops the connection to the vendor. */
async function* readStreamed(
  response: UpstreamResponse,
  format: ChatFormat,
  reading: Reading | undefined,
): AsyncGenerator<readonly ChatEvent[]> {
  const decoder = format.decoder(reading);
  const isEventStream = contentType(response.headers) === 'text/event-stream';
  let first = true;
  for await (const bytes of response.body) {
    if (first && isEventStream && firstCharacter(bytes) === brace) {
      yield format.decodeResponse(await readRest(bytes, response), reading);
      return;
    }
    first = false;
    const events = decoder.push(bytes);
    if (events.length === 0) continue;
    const complete = events.at(-1)?.type === 'response-end';
    if (complete) response.release();
    yield events;
    if (complete) return;
  }
  const rest = decoder.end();
  if (rest.length > 0) yield rest;
}

/** A JSON body that calls itself a stream. */
async function readRest(first: Buffer, response: UpstreamResponse): Promise<Buffer> {
  async function* all(): AsyncGenerator<Buffer> {
    yield first;
    yield* response.body;
  }
  return readWhole(all(), wholeBytes);
}

async function readAtOnce(response: UpstreamResponse, format: ChatFormat, reading: Reading | undefined): Promise<readonly ChatEvent[]> {
  const bytes = await readWhole(response.body, wholeBytes);
  if (!fieldOfEvents.test(bytes.subarray(0, 16).toString('latin1').trimStart())) return format.decodeResponse(bytes, reading);
  // A stream that calls itself JSON.
  const decoder = format.decoder(reading);
  return [...decoder.push(bytes), ...decoder.end()];
}

/** `wanted`: a stream was asked for. The vendor decides: some stream whatever was asked, some cannot. */
export function readAnswer(response: UpstreamResponse, format: ChatFormat, reading: Reading | undefined, wanted: boolean): ChatEvents {
  const type = contentType(response.headers);
  const asStream = type === 'text/event-stream' || (wanted && type !== 'application/json');
  return asStream ? readStreamed(response, format, reading) : singleBatch(() => readAtOnce(response, format, reading));
}
