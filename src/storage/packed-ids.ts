/** Ids of runs as bytes: a UUID is 16 bytes instead of 36 characters. Other ids, such as a request id that the client chose, are UTF-8 after a zero. */
import { cleanText } from './row-json.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const uuidBytes = 16;

/** In the hexadecimal notation of PostgreSQL, for rows in JSON. */
export function packedHex(id: string): string {
  if (id.length === 36 && uuid.test(id))
    return `\\x${id.slice(0, 8)}${id.slice(9, 13)}${id.slice(14, 18)}${id.slice(19, 23)}${id.slice(24)}`;
  const text = Buffer.from(cleanText(id)).toString('hex');
  return text.length === 2 * (uuidBytes - 1) ? `\\x0000${text}` : `\\x00${text}`;
}

/** As a parameter of a statement. */
export function packedId(id: string): Uint8Array {
  return Buffer.from(packedHex(id).slice(2), 'hex');
}

/** True for the bytes of a UUID. */
export const isPackedUuid = (packed: Uint8Array): boolean => packed.length === uuidBytes;

export function unpackedId(packed: Uint8Array): string {
  const bytes = Buffer.from(packed);
  if (bytes.length !== uuidBytes) return bytes.toString('utf8', bytes.length === uuidBytes + 1 && bytes[1] === 0 ? 2 : 1);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
