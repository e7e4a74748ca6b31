/** Splits the AWS binary event stream into frames, at any chunk boundaries, and verifies their checksums. */
import { crc32 } from 'node:zlib';
import { createRequire } from 'node:module';
import type * as EventStream from '@smithy/eventstream-codec';
import type { EventStreamCodec } from '@smithy/eventstream-codec';
import { GatewayError } from '../../../types/errors.ts';
import type { JsonObject } from '../../../types/json.ts';
import { parseAnswer } from '../../answer-json.ts';

/** AWS sends at most 24 MB. Without a limit, a longer frame would fill the memory. */
const maxFrameBytes = 24 * 1024 * 1024;
/** Two lengths and their checksum. */
const preludeBytes = 12;
/** A prelude and the checksum of the frame. */
const minFrameBytes = 16;

const require = createRequire(import.meta.url);
let codec: EventStreamCodec | null = null;

/** The codec of the vendor's library, which is loaded for the first frame. */
function loadedCodec(): EventStreamCodec {
  const library = require('@smithy/eventstream-codec') as typeof EventStream;
  return new library.EventStreamCodec(
    (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
    (text) => Buffer.from(text),
  );
}

export interface Frame {
  readonly kind: 'event' | 'exception';
  /** The type of the event or exception, such as `contentBlockDelta`. */
  readonly type: string;
  readonly body: JsonObject;
}

function damaged(cause?: unknown): GatewayError {
  return new GatewayError('upstream_invalid_response', 'The vendor sent a part of the stream that is damaged. Try again.', { cause });
}

function readFrame(bytes: Buffer): Frame {
  codec ??= loadedCodec();
  let message: ReturnType<EventStreamCodec['decode']>;
  try {
    message = codec.decode(bytes);
  } catch (cause) {
    throw damaged(cause);
  }
  const header = (name: string): string => {
    const value = message.headers[name]?.value;
    return typeof value === 'string' ? value : '';
  };
  const text = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength).toString('utf8');
  const kind = header(':message-type');
  // An error, unlike an exception, has its message in the headers.
  if (kind === 'error') return { kind: 'exception', type: header(':error-code'), body: { message: header(':error-message') } };
  const body = text === '' ? {} : parseAnswer(text);
  if (kind === 'exception') return { kind: 'exception', type: header(':exception-type'), body };
  return { kind: 'event', type: header(':event-type'), body };
}

export interface FrameSplitter {
  /** The frames that are complete now. An incomplete frame at the end is ignored. Throws `upstream_invalid_response` for a damaged frame. */
  push(bytes: Buffer): Frame[];
}

export function createFrameSplitter(): FrameSplitter {
  let pending: Buffer[] = [];
  let size = 0;
  /** The length of the first frame; 0 while it is unknown. */
  let wanted = 0;

  const joined = (): Buffer => {
    const bytes = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending);
    pending = [bytes];
    return bytes;
  };
  const lengthOf = (bytes: Buffer): number => {
    const length = bytes.readUInt32BE(0);
    // The checksum is verified before the length is used.
    if (crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8) || length < minFrameBytes || length > maxFrameBytes) throw damaged();
    return length;
  };

  return {
    push(bytes) {
      pending.push(bytes);
      size += bytes.length;
      const frames: Frame[] = [];
      for (;;) {
        if (wanted === 0 && size >= preludeBytes) wanted = lengthOf(joined());
        if (wanted === 0 || size < wanted) return frames;
        const whole = joined();
        frames.push(readFrame(whole.subarray(0, wanted)));
        size -= wanted;
        pending = size === 0 ? [] : [whole.subarray(wanted)];
        wanted = 0;
      }
    },
  };
}
