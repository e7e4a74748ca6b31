/** Reads the duration of a sound file from its headers. Estimates are rather too long than too short. */
import { open } from 'node:fs/promises';

const headBytes = 65_536;
/** Speech at 16 kbit/s. A less compressed file is shorter than this estimate. */
const fewestBytesPerSecond = 2_000;
/** The least estimate for a file without a duration. */
const leastUnknownMs = 60_000;

/** https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html */
function ofWave(head: Buffer, size: number): number | null {
  if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE') return null;
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= head.length;) {
    const length = head.readUInt32LE(at + 4);
    const name = head.toString('latin1', at, at + 4);
    if (name === 'fmt ' && at + 20 <= head.length) bytesPerSecond = head.readUInt32LE(at + 16);
    if (name === 'data') return bytesPerSecond === 0 ? null : (Math.min(length, size - at - 8) / bytesPerSecond) * 1_000;
    at += 8 + length + (length % 2);
  }
  return null;
}

/** https://www.rfc-editor.org/rfc/rfc9639#section-8.2 */
function ofFlac(head: Buffer): number | null {
  if (head.toString('latin1', 0, 4) !== 'fLaC' || head.length < 42) return null;
  const rate = head.readUIntBE(18, 3) >> 4;
  const samples = (head.readUInt8(21) & 0x0f) * 2 ** 32 + head.readUInt32BE(22);
  return rate === 0 || samples === 0 ? null : (samples / rate) * 1_000;
}

/** The last page of an Ogg stream states the number of samples; Opus counts at 48 kHz. https://www.rfc-editor.org/rfc/rfc3533#section-6 */
function ofOgg(head: Buffer, tail: Buffer): number | null {
  if (head.toString('latin1', 0, 4) !== 'OggS') return null;
  const last = tail.lastIndexOf(Buffer.from('OggS'));
  if (last === -1 || last + 14 > tail.length) return null;
  const vorbis = head.indexOf('\x01vorbis', 0, 'latin1');
  if (vorbis !== -1 && vorbis + 16 > head.length) return null;
  const rate = vorbis === -1 ? 48_000 : head.readUInt32LE(vorbis + 12);
  const samples = tail.readBigInt64LE(last + 6);
  return rate === 0 || samples <= 0n ? null : (Number(samples) / rate) * 1_000;
}

/** The duration of the file in milliseconds. */
export async function soundLength(path: string, size: number): Promise<number> {
  const file = await open(path, 'r');
  try {
    const length = Math.min(headBytes, size);
    const [head, tail] = [Buffer.alloc(length), Buffer.alloc(length)];
    await file.read(head, 0, length, 0);
    await file.read(tail, 0, length, size - length);
    const known = ofWave(head, size) ?? ofFlac(head) ?? ofOgg(head, tail);
    if (known !== null && known > 0) return Math.ceil(known);
  } finally {
    await file.close();
  }
  return Math.max(leastUnknownMs, Math.ceil((size / fewestBytesPerSecond) * 1_000));
}
