/** Checks the first bytes of a passthrough answer: an error with a success status is found before the caller receives any byte. */
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { Reading } from '../types/wire-format.ts';
import { isImage } from './answer-images.ts';
import { invalidAnswer } from './answer-json.ts';
import { withoutByteOrderMark } from './byte-order-mark.ts';
import { errorInside } from './classify-failure.ts';
import type { PassthroughAnswer, PassthroughOperation } from './passthrough.ts';
import { createEventSplitter } from './server-sent-events.ts';

/** The longest error. A longer JSON answer holds pictures. */
const startBytes = 65_536;

/** A JSON answer of each operation has at least one of these members. Sound is not JSON, but some vendors wrap it in JSON. */
const members: Readonly<Record<PassthroughOperation, readonly string[]>> = {
  images: ['data', 'images', 'output', 'url', 'b64_json'],
  transcriptions: ['text', 'segments', 'words', 'results', 'chunks'],
  speech: ['audio', 'data', 'url', 'audio_url'],
};

/** The bytes that were read, and the remaining ones. */
interface Start {
  readonly read: readonly Buffer[];
  readonly text: string;
  readonly ended: boolean;
  readonly rest: AsyncIterator<Buffer>;
}

/** Reads until `enough`, the end, or `startBytes`. */
async function readUntil(rest: AsyncIterator<Buffer>, enough: (text: string) => boolean): Promise<Start> {
  const read: Buffer[] = [];
  for (let size = 0; size < startBytes;) {
    const { done, value } = await rest.next();
    const bytes = done === true ? null : value;
    if (bytes !== null) {
      read.push(bytes);
      size += bytes.length;
    }
    const text = withoutByteOrderMark(Buffer.concat(read)).toString('utf8');
    if (bytes === null || enough(text)) return { read, text, ended: bytes === null, rest };
  }
  return { read, text: withoutByteOrderMark(Buffer.concat(read)).toString('utf8'), ended: false, rest };
}

async function* again({ read, rest }: Start): AsyncGenerator<Buffer> {
  try {
    yield* read;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

const isJson = /^\s*[[{]/;
const isPage = /^\s*<(?:!doctype|html|\?xml)/i;
const isEvents = /^(?:data|event|id|retry)?:/;

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Throws for lists without any picture: their entries' own error, or `upstream_invalid_response`. */
function judgePictures(body: JsonObject, reading: Reading | undefined): void {
  const output = body['output'];
  const failed = isJsonObject(output) ? errorInside(output, reading?.errorCodes) : undefined;
  if (failed !== undefined) throw failed;
  const lists = [body['data'], body['images']].filter((each) => Array.isArray(each)) as readonly (readonly Json[])[];
  if (lists.length === 0 || lists.some((list) => list.some((entry) => isImage(entry)))) return;
  for (const entry of lists.flat()) {
    const error = isJsonObject(entry) ? errorInside(entry, reading?.errorCodes) : undefined;
    if (error !== undefined) throw error;
  }
  throw invalidAnswer('an answer without a picture', JSON.stringify(body));
}

function judgeObject(body: JsonObject, operation: PassthroughOperation, reading: Reading | undefined): void {
  const error = errorInside(body, reading?.errorCodes);
  if (error !== undefined) throw error;
  if (operation === 'images') judgePictures(body, reading);
  if (members[operation].some((name) => body[name] !== undefined && body[name] !== null)) return;
  throw invalidAnswer(`JSON that is no answer to ${operation}`, JSON.stringify(body));
}

/** Throws the error in the data of an event. */
function judgeEvent(data: string, reading: Reading | undefined): void {
  const body = parse(data);
  const error = isJsonObject(body) ? errorInside(body, reading?.errorCodes) : undefined;
  if (error !== undefined) throw error;
}

function judge(start: Start, operation: PassthroughOperation, reading: Reading | undefined): void {
  const { text, ended } = start;
  if (isPage.test(text))
    throw new GatewayError('upstream_invalid_response', 'The vendor answered with a web page; its address may be wrong.');
  // The transcript of silence may be empty.
  if (ended && start.read.length === 0 && operation !== 'transcriptions') throw invalidAnswer('an empty answer');
  if (!ended || !isJson.test(text)) return;
  const body = parse(text);
  if (isJsonObject(body)) judgeObject(body, operation, reading);
}

/** Throws at an event with an error. Earlier events have been forwarded. */
async function* watchEvents(body: AsyncIterable<Buffer>, reading: Reading | undefined): AsyncGenerator<Buffer> {
  const splitter = createEventSplitter();
  for await (const bytes of body) {
    for (const data of splitter.push(bytes)) judgeEvent(data, reading);
    yield bytes;
  }
}

/** The same answer after its first bytes were checked. Rejects with the vendor's error, classified as for any other call. */
export async function checkStart(
  answer: PassthroughAnswer,
  operation: PassthroughOperation,
  reading: Reading | undefined,
): Promise<PassthroughAnswer> {
  const rest = answer.body[Symbol.asyncIterator]();
  const type = answer.contentType.toLowerCase();
  const isStream = type.startsWith('text/event-stream');
  try {
    // Reads all of a short JSON answer, the first event of a stream, or enough to see that it is neither.
    const start = await readUntil(rest, (text) => {
      const begun = text.trimStart();
      if (begun === '') return false;
      if (isStream && isEvents.test(begun)) return /\r?\n\r?\n/.test(begun);
      return !isJson.test(begun);
    });
    if (isStream && isEvents.test(start.text.trimStart())) {
      for (const data of createEventSplitter().push(Buffer.from(start.text))) judgeEvent(data, reading);
      return { ...answer, body: watchEvents(again(start), reading) };
    }
    judge(start, operation, reading);
    if (operation === 'speech' && type.startsWith('text/')) throw invalidAnswer('text where sound was asked for', start.text);
    return { ...answer, body: again(start) };
  } catch (thrown) {
    await rest.return?.();
    throw thrown;
  }
}
