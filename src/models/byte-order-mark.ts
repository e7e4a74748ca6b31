/** The mark that some servers write before their JSON; it says nothing in UTF-8. */

/** The bytes without a mark at their beginning; the same buffer where there is none. */
export function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
