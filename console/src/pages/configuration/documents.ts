/** Documents of the configuration as code, read from YAML or JSON in the browser; references are filled in before they are sent. */

export interface ReadDocuments {
  readonly documents: readonly unknown[];
  /** Why the text cannot be read; empty when it can. */
  readonly fault: string;
}

/** A value as a whole: `${env:NAME}` or `${file:/path}`. */
const reference = /^\$\{(?:env|file):[^{}]+\}$/;
/** Text that only looks like a reference: an export puts a `$` before it. */
const escapedReference = /^\$+\$\{(?:env|file):[^{}]+\}$/;

/** The parser is loaded with the first import. JSON is YAML too; an export holds its documents in a list. */
export async function readDocuments(text: string): Promise<ReadDocuments> {
  const { parseAllDocuments } = await import('yaml');
  const parsed = parseAllDocuments(text, { merge: true });
  const faulty = [...parsed].find(({ errors }) => errors.length > 0);
  if (faulty !== undefined) return { documents: [], fault: faulty.errors[0]?.message ?? '' };
  const values: readonly unknown[] = [...parsed].map((document) => document.toJS() as unknown);
  const documents = values.flatMap((value): readonly unknown[] => {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value as readonly unknown[];
    const exported = (value as { readonly documents?: unknown }).documents;
    return Array.isArray(exported) ? (exported as readonly unknown[]) : [value];
  });
  return { documents, fault: '' };
}

/** The references in the documents, each once. */
export function referencesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return reference.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap(referencesIn))];
}

/** Replaces each reference by its value; without one, by the mark that keeps the stored secret. */
export function fillReferences(value: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') {
    if (reference.test(value)) return values.get(value) || '***';
    return escapedReference.test(value) ? value.slice(1) : value;
  }
  if (Array.isArray(value)) return value.map((each) => fillReferences(each, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fillReferences(each, values)]));
}
