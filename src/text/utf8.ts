/** The encoding of files. */
import { isUtf8 } from 'node:buffer';

/** The number of the first line that is not UTF-8; null when the whole file is. */
export function lineOfOtherEncoding(bytes: Buffer): number | null {
  if (isUtf8(bytes)) return null;
  let line = 1;
  for (let start = 0; ; line++) {
    const end = bytes.indexOf(10, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}
