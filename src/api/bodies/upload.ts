/** Streams a form with a file to disk: any size in little memory, and it can be sent again to the next vendor. */
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createRequire } from 'node:module';
import type * as BusboyLibrary from '@fastify/busboy';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import type { BodyReservation } from './body-budget.ts';
import { decodedBody } from './encoded-body.ts';
import { GatewayError } from '../../types/errors.ts';
import { soundLength } from './sound-length.ts';

const require = createRequire(import.meta.url);

export interface Upload {
  /** The text fields by name; the first value of a repeated field such as `timestamp_granularities[]`. */
  readonly fields: Readonly<Record<string, string>>;
  /** Encodes the form again with `replaced` fields. */
  encode(replaced: Readonly<Record<string, string>>): { contentType: string; body: AsyncIterable<Buffer>; length: number };
  /** The duration of its sound files in milliseconds. */
  soundMs(): Promise<number>;
  /** Deletes the files on disk. Idempotent. */
  discard(): void;
}

const limits = { files: 4, fileSize: 200 * 1024 * 1024, fields: 64, fieldSize: 1024 * 1024, parts: 68, headerPairs: 32 };

type Part =
  | { readonly kind: 'field'; readonly name: string; readonly value: string }
  | { readonly kind: 'file'; readonly name: string; readonly fileName: string; readonly type: string; readonly path: string };

/** A header value must not contain quotes or line ends. */
const quoted = (text: string): string => `"${text.replace(/["\r\n]/g, (mark) => encodeURIComponent(mark))}"`;

function headOf(part: Part, boundary: string): Buffer {
  const name = `Content-Disposition: form-data; name=${quoted(part.name)}`;
  const more = part.kind === 'file' ? `; filename=${quoted(part.fileName)}\r\nContent-Type: ${part.type}` : '';
  return Buffer.from(`--${boundary}\r\n${name}${more}\r\n\r\n`);
}

const lineEnd = Buffer.from('\r\n');

async function* write(parts: readonly Part[], boundary: string): AsyncGenerator<Buffer> {
  for (const part of parts) {
    yield headOf(part, boundary);
    if (part.kind === 'field') yield Buffer.from(part.value);
    else yield* createReadStream(part.path) as AsyncIterable<Buffer>;
    yield lineEnd;
  }
  yield Buffer.from(`--${boundary}--\r\n`);
}

/** Receives the form. Throws `unsupported_media_type`, `rate_limited` without room, `invalid_request` naming the field, or `body_too_large`. */
export async function receiveUpload(
  request: FastifyRequest,
  { signal, room }: { readonly signal: AbortSignal; readonly room: Pick<BodyReservation, 'reach'> },
): Promise<Upload> {
  const type = request.headers['content-type'];
  if (type === undefined || !/^multipart\/form-data\s*;.*boundary=/i.test(type))
    throw new GatewayError('unsupported_media_type', 'Send this as multipart/form-data with the fields model and file.');
  const folder = await mkdtemp(join(tmpdir(), 'pailou-upload-'));
  const discard = (): void => void rm(folder, { recursive: true, force: true }).catch(() => {});
  try {
    const parts = await receiveParts(decodedBody(request, request.raw, limits.files * limits.fileSize), type, folder, signal, room);
    const sizes = new Map<Part, number>();
    for (const part of parts) sizes.set(part, part.kind === 'file' ? (await stat(part.path)).size : Buffer.byteLength(part.value));
    const fields: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const part of parts) if (part.kind === 'field') fields[part.name] ??= part.value;
    // The route discards the files when the connection closes. After an earlier close no event follows.
    signal.throwIfAborted();
    return {
      fields,
      encode(replaced) {
        const boundary = `pailou-${randomBytes(18).toString('hex')}`;
        const sent = parts.map((part) =>
          part.kind === 'field' && replaced[part.name] !== undefined ? { ...part, value: replaced[part.name] as string } : part,
        );
        const length = sent.reduce((sum, part, index) => {
          const size = part.kind === 'field' ? Buffer.byteLength(part.value) : (sizes.get(parts[index] as Part) ?? 0);
          return sum + headOf(part, boundary).length + size + lineEnd.length;
        }, boundary.length + 6);
        return { contentType: `multipart/form-data; boundary=${boundary}`, body: write(sent, boundary), length };
      },
      async soundMs() {
        const files = parts.filter((part) => part.kind === 'file');
        const lengths = await Promise.all(files.map((part) => soundLength(part.path, sizes.get(part) ?? 0)));
        return lengths.reduce((sum, each) => sum + each, 0);
      },
      discard,
    };
  } catch (thrown) {
    discard();
    throw thrown;
  }
}

async function receiveParts(
  source: Readable,
  type: string,
  folder: string,
  signal: AbortSignal,
  room: Pick<BodyReservation, 'reach'>,
): Promise<Part[]> {
  const parts: Part[] = [];
  const files: Promise<void>[] = [];
  let fault: GatewayError | null = null;
  const refuse = (error: GatewayError): void => {
    fault ??= error;
  };
  const tooLarge = (name: string): GatewayError =>
    new GatewayError('body_too_large', `${name}: larger than ${limits.fileSize / 1024 / 1024} MB.`, { param: name });
  // Loaded for the first form.
  const { Busboy } = require('@fastify/busboy') as typeof BusboyLibrary;
  const form = new Busboy({ headers: { 'content-type': type }, limits });
  form.on('field', (name, value, nameTruncated, valueTruncated) => {
    if (nameTruncated || valueTruncated)
      refuse(new GatewayError('body_too_large', `${name.slice(0, 100)}: the field is too long.`, { param: name.slice(0, 100) }));
    else parts.push({ kind: 'field', name, value });
  });
  form.on('file', (name, stream, fileName, _encoding, mimeType) => {
    const path = join(folder, String(parts.length));
    const safeType = /^[\w.+-]+\/[\w.+-]+$/.test(mimeType) ? mimeType : 'application/octet-stream';
    parts.push({ kind: 'file', name, fileName: fileName === '' ? 'file' : fileName, type: safeType, path });
    stream.on('limit', () => refuse(tooLarge(name)));
    files.push(pipeline(stream, createWriteStream(path, { mode: 0o600 }), { signal }));
  });
  const tooMany = (): void => refuse(new GatewayError('invalid_request', 'The form has too many fields or files.'));
  form.on('partsLimit', tooMany).on('filesLimit', tooMany).on('fieldsLimit', tooMany);
  // Errors after the first failure are expected.
  form.on('error', () => {});
  let size = 0;
  const count = (part: Buffer): void => {
    size += part.length;
    try {
      room.reach(size);
    } catch (thrown) {
      form.destroy(thrown as Error);
    }
  };
  try {
    source.on('data', count).pipe(form);
    source.once('error', (error) => form.destroy(error));
    source.once('aborted', () => form.destroy(new Error('the caller left')));
    await finished(form, { signal });
    await Promise.all(files);
  } catch (cause) {
    source.off('data', count).unpipe(form);
    source.pause();
    await Promise.allSettled(files);
    if (cause instanceof GatewayError) throw cause;
    if (signal.aborted && signal.reason instanceof GatewayError) throw signal.reason;
    throw new GatewayError('invalid_request', 'The form is cut or not well formed; send it again.', { cause });
  }
  // Set in the listeners, which the compiler does not follow.
  if (fault !== null) throw fault as GatewayError;
  return parts;
}
