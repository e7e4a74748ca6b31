/** Ids of runs and requests: UUIDs (RFC 9562), written into one buffer, because every call needs two of them. */
import { randomFillSync } from 'node:crypto';

const digits = Buffer.from('0123456789abcdef', 'latin1');
const dash = 0x2d;
/** Random bytes for many ids, because each request for random bytes costs more than an id. */
const pool = Buffer.alloc(4_096);
let used = pool.length;
const text = Buffer.alloc(36, dash);
const bytes = Buffer.alloc(16);

/**
 * A UUID of version 7, ordered by time. Consecutive ids are neighbours in the ledger's indexes. Random ids would touch a page each,
 * which costs several times as much.
 */
export function newOrderedId(): string {
  let time = Date.now();
  for (let index = 5; index >= 0; index--) {
    bytes[index] = time % 256;
    time = Math.floor(time / 256);
  }
  if (used + 10 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  for (let index = 6; index < 16; index++) bytes[index] = pool[used++] as number;
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  let at = 0;
  for (let index = 0; index < 16; index++) {
    // The dashes at 8, 13, 18 and 23 stay.
    if (index === 4 || index === 6 || index === 8 || index === 10) at++;
    const byte = bytes[index] as number;
    text[at++] = digits[byte >> 4] as number;
    text[at++] = digits[byte & 0x0f] as number;
  }
  return text.toString('latin1', 0, 36);
}
