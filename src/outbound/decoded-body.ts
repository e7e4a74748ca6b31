/** Bodies that a vendor compressed although nobody asked: read all the same, since an error page must not hide the error. */
import { Readable, type Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { GatewayError } from '../types/errors.ts';

// Each flush of the far side comes through at once, and a cut body gives what there was of it.
const zlib = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(zlib),
  'x-gzip': () => createGunzip(zlib),
  deflate: () => createInflate(zlib),
  br: () => createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH }),
  zstd: () => createZstdDecompress(),
};

/** The body as it was before its compression; the same one where `encoding` names none. Its reader bounds the size, as of every body. */
export function decodeBody(body: AsyncIterable<Buffer>, encoding: string | string[] | undefined): AsyncIterable<Buffer> {
  const name = String(encoding ?? '')
    .trim()
    .toLowerCase();
  if (name === '' || name === 'identity') return body;
  return decoded(body, name);
}

async function* decoded(body: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<Buffer> {
  const decoder = decoders[encoding]?.();
  const source = Readable.from(body);
  const unreadable = (cause?: unknown): GatewayError =>
    new GatewayError('upstream_invalid_response', 'The vendor sent a compressed answer that cannot be read.', {
      details: { encoding },
      cause,
    });
  if (decoder === undefined) {
    source.destroy();
    throw unreadable();
  }
  source.on('error', (error) => decoder.destroy(error));
  source.pipe(decoder);
  try {
    for await (const part of decoder) yield part as Buffer;
  } catch (thrown) {
    throw thrown instanceof GatewayError ? thrown : unreadable(thrown);
  } finally {
    source.destroy();
    decoder.destroy();
  }
}
