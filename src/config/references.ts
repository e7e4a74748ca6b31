/** References in documents: a value that is `${env:NAME}` or `${file:/path}` as a whole. `$${env:NAME}` is the text `${env:NAME}`. */

const reference = /^\$\{(env|file):([^{}]+)\}$/;
const escapedReference = /^\$+\$\{(?:env|file):[^{}]+\}$/;
const readsAsReference = /^\$+\{(?:env|file):[^{}]+\}$/;

export interface Reference {
  readonly source: 'env' | 'file';
  /** The name of the variable, or the path. */
  readonly name: string;
}

/** Null for other text. */
export function referenceOf(text: string): Reference | null {
  const [, source, name] = reference.exec(text) ?? [];
  return name === undefined ? null : { source: source === 'env' ? 'env' : 'file', name };
}

/** Text of a row as it stands in a document: its readers take it for no reference to their own variables and files. */
export const escaped = (text: string): string => (readsAsReference.test(text) ? `$${text}` : text);

/** The text that `escaped` has made. */
export const unescaped = (text: string): string => (escapedReference.test(text) ? text.slice(1) : text);

/** As `escaped`, for the options of providers and MCP servers: there also a part of the text must not look like a reference. */
export const escapedOption = (text: string): string => text.replaceAll(/\$+\{(?:env|file):/g, (mark) => `$${mark}`);

/** The text that `escapedOption` has made. */
export const unescapedOption = (text: string): string => text.replaceAll(/\$(\$+\{(?:env|file):)/g, '$1');

/** Whether part of the text looks like a reference that is not escaped. */
export const resemblesReference = (text: string): boolean => /(?<!\$)\$\{(?:env|file):/.test(text);
