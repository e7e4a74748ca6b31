/** Decodes request bodies with a content-encoding (RFC 9110 8.4), within the limit of plain bodies. */
import { type Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../../types/errors.ts';
import { tooLarge } from './read-body.ts';

const accepted = 'gzip, br, zstd, deflate';

/** RFC 9110 says zlib's format, but some clients send the bare one. The first byte tells which. */
class Deflate extends Transform {
  #inner: Transform | null = null;

  override _transform(part: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#inner === null) {
      this.#inner = ((part[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw();
      this.#inner
        .on('data', (bytes: Buffer) => this.push(bytes))
        // It takes no bytes after the end of its format, so `done` is not called for them.
        .on('end', () => this.push(null))
        .on('error', (error) => this.destroy(error));
    }
    this.#inner.write(part, () => done());
  }

  override _flush(done: (error?: Error | null) => void): void {
    if (this.#inner === null) return done();
    this.#inner.on('end', () => done());
    this.#inner.end();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner?.destroy();
    done(error);
  }
}

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
  deflate: () => new Deflate(),
};

/** The name of the encoding in lower case; null for a plain body. */
export function encodingOf({ headers }: Pick<FastifyRequest, 'headers'>): string | null {
  const name = headers['content-encoding']?.trim().toLowerCase() ?? '';
  return name === '' || name === 'identity' ? null : name;
}

/** The body without its encoding; `source` itself for a plain one. Its errors are GatewayErrors. Throws `unsupported_media_type`. */
export function decodedBody(request: FastifyRequest, source: Readable, limit: number): Readable {
  const name = encodingOf(request);
  if (name === null) return source;
  const decoder = Object.hasOwn(decoders, name) ? decoders[name]?.() : undefined;
  if (decoder === undefined)
    throw new GatewayError(
      'unsupported_media_type',
      `The body has the content-encoding "${name.slice(0, 50)}". Send it plain, or as one of ${accepted}.`,
      {
        param: 'content-encoding',
      },
    );
  let received = 0;
  source.on('data', (part: Buffer) => {
    received += part.length;
    // Encoded bytes may decode to nothing at all.
    if (received > limit) decoder.destroy(tooLarge(limit));
  });
  source.on('error', (error) => decoder.destroy(error)).pipe(decoder);
  const readable = new Transform({
    transform: (part, _encoding, done) => done(null, part),
  });
  decoder.on('error', (cause) => {
    source.unpipe(decoder).pause();
    readable.destroy(
      cause instanceof GatewayError
        ? cause
        : new GatewayError('invalid_request', `The body cannot be decoded as ${name}: it is cut short or damaged.`, {
            param: 'content-encoding',
            cause,
          }),
    );
  });
  readable.on('close', () => {
    source.unpipe(decoder);
    decoder.destroy();
  });
  return decoder.pipe(readable);
}
