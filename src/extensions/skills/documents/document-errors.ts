/** Errors of unreadable documents. The message continues a sentence that starts with the name: `is …`, `holds …`. */

export class UnreadableDocument extends Error {}

/** The limit for the text of a document, all sections together. */
const mostCharacters = 20_000_000;

/** Throws `UnreadableDocument` above the limit. */
export function requireCharacters(count: number): void {
  if (count > mostCharacters)
    throw new UnreadableDocument(`holds more than ${mostCharacters.toLocaleString('en')} characters of text; send it in parts`);
}

export function damaged(format: string | null, cause: Error): UnreadableDocument {
  const as = format === null ? '' : ` as ${format.toUpperCase()}`;
  return new UnreadableDocument(`cannot be read${as}: it is damaged, or protected by a password; save it again without one`, { cause });
}
