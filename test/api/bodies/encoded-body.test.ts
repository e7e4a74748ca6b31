/** Decoders end with the body, whatever follows it and whenever its reader stops. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { decodedBody } from '../../../src/api/bodies/encoded-body.ts';

/** What all decoders of Node inherit from. */
const base = Object.getPrototypeOf(zlib.Inflate.prototype) as { _destroy: () => void };
const ended = vi.spyOn(Object.getPrototypeOf(base) as typeof base, '_destroy');

const encodings = [
  ['gzip', 'gzip', zlib.gzipSync],
  ['deflate', 'deflate', zlib.deflateSync],
  ['bare deflate', 'deflate', zlib.deflateRawSync],
  ['br', 'br', zlib.brotliCompressSync],
  ['zstd', 'zstd', zlib.zstdCompressSync],
] as const;
const open = (encoding: string, body: Buffer): Readable =>
  decodedBody({ headers: { 'content-encoding': encoding } } as never, Readable.from([body]), 10_000_000);

test.each(encodings)('%s: a reader that stops ends the decoder', async (_title, encoding, encode) => {
  const encoded = encode(Buffer.alloc(5_000_000));
  ended.mockClear();
  const body = open(encoding, encoded);
  await once(body, 'data');
  expect(ended).not.toHaveBeenCalled();
  body.destroy();
  await once(body, 'close');
  expect(ended).toHaveBeenCalledOnce();
});

test.each(encodings)('%s: bytes after the end of the format keep no reader waiting', async (_title, encoding, encode) => {
  const body = open(encoding, Buffer.concat([encode(Buffer.from('text')), Buffer.alloc(8)]));
  const outcome = await body.toArray().then(
    (parts) => Buffer.concat(parts as Buffer[]).toString(),
    (thrown: unknown) => (thrown as { code: string }).code,
  );
  expect(['text', 'invalid_request']).toContain(outcome);
});
