/** Decodes bodies that a vendor compressed without being asked to: a compressed error page must not hide the error. */
import { Readable, type Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { GatewayError } from '../types/errors.ts';

// Each flush of the vendor is passed on at once. A truncated body yields what arrived of it.
const zlib = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(zlib),
  'x-gzip': () => createGunzip(zlib),
  deflate: () => createInflate(zlib),
  br: () => createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH }),
  zstd: () => createZstdDecompress(),
};

/** A decoder for one body; undefined for an unknown compression. */
export function createBodyDecoder(encoding: string): Transform | undefined {
  return decoders[encoding]?.();
}

export function unreadableBody(encoding: string, cause?: unknown): GatewayError {
  return new GatewayError('upstream_invalid_response', 'The vendor sent a compressed answer that cannot be read.', {
    details: { encoding },
    cause,
  });
}

/** The decompressed body, or the same one when `encoding` names no compression. The reader limits the size, as for every body. */
export function decodeBody(body: AsyncIterable<Buffer>, encoding: string | string[] | undefined): AsyncIterable<Buffer> {
  const name = String(encoding ?? '')
    .trim()
    .toLowerCase();
  if (name === '' || name === 'identity') return body;
  return decoded(body, name);
}

async function* decoded(body: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<Buffer> {
  const decoder = createBodyDecoder(encoding);
  const source = Readable.from(body);
  if (decoder === undefined) {
    source.destroy();
    throw unreadableBody(encoding);
  }
  source.on('error', (error) => decoder.destroy(error));
  source.pipe(decoder);
  try {
    for await (const part of decoder) yield part as Buffer;
  } catch (thrown) {
    throw thrown instanceof GatewayError ? thrown : unreadableBody(encoding, thrown);
  } finally {
    source.destroy();
    decoder.destroy();
  }
}
