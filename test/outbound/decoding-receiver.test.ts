/** A response that a vendor compressed without being asked to: decoded at the pace of the reader, or refused. */
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DecodingReceiver, isCompressed } from '../../src/outbound/decoding-receiver.ts';
import { GatewayError } from '../../src/types/errors.ts';

const text = 'The answer of a vendor that compresses. '.repeat(50);

function scene(encoding: string) {
  const heard: string[] = [];
  let body = '';
  const { promise: over, resolve } = Promise.withResolvers<GatewayError | null>();
  const { promise: drained, resolve: drain } = Promise.withResolvers<void>();
  const receiver = new DecodingReceiver(
    {
      head: (status) => void heard.push(`head ${status}`),
      data: (bytes) => void (body += bytes.toString()),
      end() {
        heard.push('end');
        resolve(null);
      },
      fail(error) {
        heard.push(error.code);
        resolve(error);
      },
    },
    encoding,
    {
      onFull(isFull) {
        heard.push(isFull ? 'full' : 'room');
        if (!isFull) drain();
      },
      abort: () => void heard.push('abort'),
    },
  );
  return { receiver, heard, over, drained, body: () => body };
}

describe('a compressed response', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    ['deflate', deflateSync(text)],
    ['zstd', zstdCompressSync(text)],
    [' GZIP ', gzipSync(text)],
  ])('is decoded from %s', async (encoding, bytes) => {
    const { receiver, heard, over, body } = scene(encoding);
    receiver.head(200, {});
    receiver.data(bytes.subarray(0, 20));
    receiver.data(bytes.subarray(20));
    receiver.end();
    expect(await over).toBeNull();
    expect(body()).toBe(text);
    expect(heard).toEqual(['head 200', 'end']);
  });

  it('is refused after its head when its encoding is unknown', async () => {
    const { receiver, heard, over } = scene('exi');
    receiver.head(502, {});
    expect((await over)?.details).toEqual({ encoding: 'exi' });
    receiver.end();
    expect(heard).toEqual(['head 502', 'abort', 'upstream_invalid_response']);
  });

  it('fails and closes the connection when it is damaged', async () => {
    const { receiver, heard, over } = scene('gzip');
    receiver.head(200, {});
    receiver.data(Buffer.from('no gzip at all'));
    expect((await over)?.code).toBe('upstream_invalid_response');
    expect(heard).toEqual(['head 200', 'abort', 'upstream_invalid_response']);
  });

  it('ends with what arrived of it when it is cut short', async () => {
    const { receiver, over, body } = scene('gzip');
    receiver.head(200, {});
    receiver.data(gzipSync(text, { level: 0 }).subarray(0, 500));
    receiver.end();
    expect(await over).toBeNull();
    expect(body()).not.toBe('');
    expect(text.startsWith(body())).toBe(true);
  });

  it('passes on a failure of the connection, once', async () => {
    const { receiver, heard, over } = scene('gzip');
    const cut = new GatewayError('upstream_interrupted', 'cut');
    receiver.head(200, {});
    receiver.fail(cut);
    receiver.fail(cut);
    expect(await over).toBe(cut);
    expect(heard).toEqual(['head 200', 'upstream_interrupted']);
  });

  it('stops the connection while its decoder is full, and lets it go on after', async () => {
    const { receiver, heard, over, drained, body } = scene('gzip');
    receiver.head(200, {});
    receiver.pause();
    // Stored, not compressed, so that one write is larger than the decoder's buffer.
    const large = 'x'.repeat(100_000);
    receiver.data(gzipSync(large, { level: 0 }));
    expect(heard).toEqual(['head 200', 'full']);
    receiver.resume();
    await drained;
    receiver.end();
    await over;
    expect(body()).toBe(large);
    expect(heard).toEqual(['head 200', 'full', 'room', 'end']);
  });
});

describe('the encoding of a response', () => {
  it('is a compression unless it is missing, empty or identity', () => {
    expect([undefined, '', ' Identity ', 'gzip', 'exi'].map(isCompressed)).toEqual([false, false, false, true, true]);
  });
});
