/** The byte order mark that some servers write before their JSON. It has no meaning in UTF-8. */

/** The bytes without a leading byte order mark; the same buffer when there is none. */
export function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
