/** A name for people to read. */

/** Trimmed; undefined unless it is one line of 1 to 40 characters without control characters and invisible marks. */
export function displayName(text: string): string | undefined {
  const name = text.trim();
  return /^[^\p{C}\p{Zl}\p{Zp}]{1,40}$/u.test(name) ? name : undefined;
}
