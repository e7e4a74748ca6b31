/** The body of a chat answer as events. Whether it is streamed is detected from its bytes, whatever its content type says. */
import type { UpstreamResponse } from '../outbound/client.ts';
import type { ChatEvent, ChatEvents } from '../types/chat.ts';
import type { ChatFormat, Reading, StreamProgress } from '../types/wire-format.ts';
import { readWhole } from './bounded-body.ts';
import { withoutByteOrderMark } from './byte-order-mark.ts';
import { checkChoices } from './positional-answers.ts';
import { singleBatch } from './single-batch.ts';
import { contentType } from './send-upstream.ts';

/** The size limit of a whole answer. */
export const wholeBytes = 64 * 1024 * 1024;

const brace = 0x7b;
const fieldOfEvents = /^(data|event|id|retry|):/;

interface Reader {
  readonly reading: Reading | undefined;
  /** The call's signal. */
  readonly signal: AbortSignal;
}

function firstCharacter(bytes: Buffer): number | undefined {
  return bytes.find((byte) => byte > 0x20);
}

/** How long a silent vendor is waited for after a finish reason. It may still send its counts, more content after an earlier finish reason, or only the end of the body. */
const quietMs: Readonly<Record<Exclude<StreamProgress, 'open'>, number>> = { finished: 1_000, refinished: 5_000, counted: 250 };

/** The next bytes, or null when the vendor stays silent. */
async function nextOrQuiet(
  body: AsyncIterator<Buffer, undefined>,
  milliseconds: number,
): Promise<IteratorResult<Buffer, undefined> | null> {
  let timer: NodeJS.Timeout | undefined;
  const quiet = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  try {
    return await Promise.race([body.next(), quiet]);
  } finally {
    clearTimeout(timer);
  }
}

/** True when a broken stream is complete: after its finish reason only counts can be lost. The same holds for an idle timeout there. */
function isOver(progress: StreamProgress, signal: AbortSignal): boolean {
  if (progress !== 'finished' && progress !== 'counted') return false;
  return !signal.aborted || (signal.reason as { readonly code?: unknown } | undefined)?.code === 'upstream_interrupted';
}

/** One batch per socket read. Leaving the loop closes the connection to the vendor. */
async function* readStreamed(
  response: UpstreamResponse,
  format: ChatFormat,
  { reading, signal }: Reader,
): AsyncGenerator<readonly ChatEvent[]> {
  const decoder = format.decoder(reading);
  const body = response.body[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  const isEventStream = contentType(response.headers) === 'text/event-stream';
  let first = true;
  try {
    for (;;) {
      const { progress } = decoder;
      let next: IteratorResult<Buffer, undefined> | null;
      try {
        next = progress === 'open' ? await body.next() : await nextOrQuiet(body, quietMs[progress]);
      } catch (thrown) {
        if (!isOver(progress, signal)) throw thrown;
        next = null;
      }
      if (next === null || next.done === true) break;
      if (first && isEventStream && firstCharacter(withoutByteOrderMark(next.value)) === brace) {
        const events = format.decodeResponse(withoutByteOrderMark(await readRest(next.value, body)), reading);
        checkChoices(events, reading?.choices);
        yield events;
        return;
      }
      first = false;
      const events = decoder.push(next.value);
      if (events.length === 0) continue;
      const complete = events.at(-1)?.type === 'response-end';
      if (complete) response.release();
      yield events;
      if (complete) return;
    }
    const rest = decoder.end();
    if (rest.length > 0) yield rest;
  } finally {
    await body.return?.();
  }
}

/** A JSON body whose content type says stream. */
async function readRest(first: Buffer, rest: AsyncIterator<Buffer, undefined>): Promise<Buffer> {
  async function* all(): AsyncGenerator<Buffer> {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  }
  return readWhole(all(), wholeBytes);
}

async function readAtOnce(response: UpstreamResponse, format: ChatFormat, reading: Reading | undefined): Promise<readonly ChatEvent[]> {
  const events = decodeAtOnce(withoutByteOrderMark(await readWhole(response.body, wholeBytes)), format, reading);
  checkChoices(events, reading?.choices);
  return events;
}

function decodeAtOnce(bytes: Buffer, format: ChatFormat, reading: Reading | undefined): readonly ChatEvent[] {
  if (!fieldOfEvents.test(bytes.subarray(0, 16).toString('latin1').trimStart())) return format.decodeResponse(bytes, reading);
  // A stream whose content type says JSON.
  const decoder = format.decoder(reading);
  return [...decoder.push(bytes), ...decoder.end()];
}

/** `wanted`: a stream was requested. The vendor decides: some always stream, some never do. */
export function readAnswer(response: UpstreamResponse, format: ChatFormat, wanted: boolean, reader: Reader): ChatEvents {
  const type = contentType(response.headers);
  const asStream = type === 'text/event-stream' || (wanted && type !== 'application/json');
  return asStream ? readStreamed(response, format, reader) : singleBatch(() => readAtOnce(response, format, reader.reading));
}
