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
  // A warning is an unknown tag, such as `!env KEY`: the text behind it would be taken literally.
  const [faulty] = [...parsed].flatMap(({ errors, warnings }) => [...errors, ...warnings]);
  if (faulty !== undefined) return { documents: [], fault: faulty.message };
  let values: readonly unknown[];
  try {
    values = [...parsed].map((document) => document.toJS() as unknown);
  } catch (thrown) {
    return { documents: [], fault: thrown instanceof Error ? thrown.message : String(thrown) };
  }
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

const unescaped = (text: string): string => (escapedReference.test(text) ? text.slice(1) : text);

/** In the options of providers and MCP servers a part of the text is escaped, too. */
const unescapedOption = (text: string): string => text.replaceAll(/\$(\$+\{(?:env|file):)/g, '$1');

const hasEscapedOptions = (value: object): boolean => 'kind' in value && (value.kind === 'Provider' || value.kind === 'McpServer');

/** Replaces each reference by its value; without one, by the mark that keeps the stored secret. */
export function fillReferences(value: unknown, values: ReadonlyMap<string, string>): unknown {
  const filled = (part: unknown, unescape: (text: string) => string): unknown => {
    if (typeof part === 'string') return reference.test(part) ? values.get(part) || '***' : unescape(part);
    if (Array.isArray(part)) return part.map((each) => filled(each, unescape));
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, each]) => [name, filled(each, unescape)]));
  };
  if (Array.isArray(value)) return value.map((each) => fillReferences(each, values));
  const document = filled(value, unescaped);
  if (typeof value !== 'object' || value === null || !hasEscapedOptions(value)) return document;
  const { spec } = value as { spec?: { options?: unknown } };
  if (spec?.options === undefined) return document;
  const { spec: other, ...rest } = document as { spec: object };
  return { ...rest, spec: { ...other, options: filled(spec.options, unescapedOption) } };
}
