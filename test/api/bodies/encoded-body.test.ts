/** Decoders end with the body, whatever follows it and whenever its reader stops. */
import { once } from 'node:events';
import { Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { decodedBody } from '../../../src/api/bodies/encoded-body.ts';

const decoders: Transform[] = [];
vi.mock('node:zlib', async (original) => {
  const real = await original<typeof zlib>();
  const kept = <T extends Transform>(decoder: T): T => {
    decoders.push(decoder);
    return decoder;
  };
  return {
    ...real,
    createGunzip: () => kept(real.createGunzip()),
    createInflate: () => kept(real.createInflate()),
    createInflateRaw: () => kept(real.createInflateRaw()),
    createBrotliDecompress: () => kept(real.createBrotliDecompress()),
    createZstdDecompress: () => kept(real.createZstdDecompress()),
  };
});

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
  decoders.length = 0;
  const body = open(encoding, encode(Buffer.alloc(5_000_000)));
  await once(body, 'data');
  body.destroy();
  await once(body, 'close');
  expect(decoders.map(({ destroyed }) => destroyed)).toEqual([true]);
});

test.each(encodings)('%s: bytes after the end of the format keep no reader waiting', async (_title, encoding, encode) => {
  const body = open(encoding, Buffer.concat([encode(Buffer.from('text')), Buffer.alloc(8)]));
  const ended = await body.toArray().then(
    (parts) => Buffer.concat(parts as Buffer[]).toString(),
    (thrown: unknown) => (thrown as { code: string }).code,
  );
  expect(['text', 'invalid_request']).toContain(ended);
});
