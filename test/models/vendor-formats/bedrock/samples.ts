/** Frames of Bedrock's binary streams, as small as they can be. */
import { EventStreamCodec } from '@smithy/eventstream-codec';

export type Data = Record<string, unknown>;

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
  (text) => Buffer.from(text),
);

function frame(headers: Readonly<Record<string, string>>, body: string): Buffer {
  const written = Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }] as const);
  return Buffer.from(codec.encode({ headers: Object.fromEntries(written), body: Buffer.from(body) }));
}

export function event(type: string, body: Data): Buffer {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
  return frame(headers, JSON.stringify({ ...body, p: 'abcdef' }));
}

/** A frame with only the type header, as some services write it. */
export const bareEvent = (type: string, body: Data): Buffer => frame({ ':event-type': type }, JSON.stringify(body));

export function exception(type: string, message: string): Buffer {
  return frame({ ':message-type': 'exception', ':exception-type': type, ':content-type': 'application/json' }, JSON.stringify({ message }));
}

export function errorFrame(code: string, message: string): Buffer {
  return frame({ ':message-type': 'error', ':error-code': code, ':error-message': message }, '');
}

export const started = event('messageStart', { role: 'assistant' });
export const delta = (contentBlockIndex: number, change: Data): Buffer => event('contentBlockDelta', { contentBlockIndex, delta: change });
export const close = (contentBlockIndex: number): Buffer => event('contentBlockStop', { contentBlockIndex });
export const stopped = (stopReason: string): Buffer => event('messageStop', { stopReason });
export const metadata = (usage: Data = { inputTokens: 3, outputTokens: 4, totalTokens: 7 }): Buffer =>
  event('metadata', { usage, metrics: { latencyMs: 5 } });

export function says(index: number, ...pieces: readonly string[]): Buffer {
  return Buffer.concat([...pieces.map((text) => delta(index, { text })), close(index)]);
}

export function calls(contentBlockIndex: number, toolUseId: string, name: string, ...pieces: readonly string[]): Buffer {
  return Buffer.concat([
    event('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name } } }),
    ...pieces.map((input) => delta(contentBlockIndex, { toolUse: { input } })),
    close(contentBlockIndex),
  ]);
}

export function thinks(index: number, signature: string, ...pieces: readonly string[]): Buffer {
  return Buffer.concat([
    ...pieces.map((text) => delta(index, { reasoningContent: { text } })),
    delta(index, { reasoningContent: { signature } }),
    close(index),
  ]);
}
