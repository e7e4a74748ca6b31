/** The duration of sound files, also of files that end within a header. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { soundLength } from '../../../src/api/bodies/sound-length.ts';

async function lengthOf(bytes: Buffer): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pailou-sound-'));
  try {
    const path = join(folder, 'sound');
    await writeFile(path, bytes);
    return await soundLength(path, bytes.length);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** An Ogg stream whose first page is also its last. */
function ogg(samples: bigint, codec: Buffer): Buffer {
  const head = Buffer.alloc(28);
  head.write('OggS');
  head.writeBigInt64LE(samples, 6);
  return Buffer.concat([head, codec]);
}

function vorbis(rate: number): Buffer {
  const header = Buffer.alloc(30);
  header.write('\x01vorbis', 'latin1');
  header.writeUInt32LE(rate, 12);
  return header;
}

it('of an Ogg file is its number of samples divided by the rate of the codec', async () => {
  expect(await lengthOf(ogg(44_100n, vorbis(44_100)))).toBe(1_000);
  expect(await lengthOf(ogg(96_000n, Buffer.from('OpusHead')))).toBe(2_000);
});

it('of a file that ends within its header is estimated', async () => {
  expect(await lengthOf(ogg(44_100n, vorbis(44_100).subarray(0, 13)))).toBe(60_000);
});
