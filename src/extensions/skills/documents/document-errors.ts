/** Why a document cannot be read, as the end of a sentence that begins with its name: `is …`, `holds …`. */

export class UnreadableDocument extends Error {}

/** Of text in one document, all sections together. */
const mostCharacters = 20_000_000;

/** Throws `Unreadable` if it is more than anybody would have read. */
export function requireCharacters(count: number): void {
  if (count > mostCharacters)
    throw new UnreadableDocument(`holds more than ${mostCharacters.toLocaleString('en')} characters of text; send it in parts`);
}

export function damaged(format: string | null, cause: Error): UnreadableDocument {
  const as = format === null ? '' : ` as ${format.toUpperCase()}`;
  return new UnreadableDocument(`cannot be read${as}: it is damaged, or protected by a password; save it anew without one`, { cause });
}
