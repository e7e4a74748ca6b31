/** Whether a file's syntax holds, found out by parsing alone: nothing is ever run. */
import { stripTypeScriptTypes } from 'node:module';
import { parseAllDocuments } from 'yaml';

export interface CodeFile {
  readonly path: string;
  readonly content: string;
}

/** What is wrong with a path, or null. */
export function pathFault(path: string): string | null {
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.includes('\\')) return 'must be relative, with / between its parts';
  if (path.split('/').some((part) => part === '..' || part === '.' || part === '')) return 'must not hold empty parts, "." or ".."';
  return /\p{Cc}/u.test(path) ? 'holds characters that no path has' : null;
}

const parsers: readonly (readonly [RegExp, (content: string) => void])[] = [
  [/\.json$/i, (content) => void JSON.parse(content)],
  [
    /\.ya?ml$/i,
    (content) => {
      const [error] = parseAllDocuments(content).flatMap(({ errors }) => errors);
      if (error !== undefined) throw error;
    },
  ],
  [/\.[mc]?[jt]s$/i, (content) => void stripTypeScriptTypes(content)],
];

/** `checked` false: there is no parser for it here. */
export function syntaxFault({ path, content }: CodeFile): { readonly checked: boolean; readonly fault: string | null } {
  const parse = parsers.find(([pattern]) => pattern.test(path))?.[1];
  if (parse === undefined) return { checked: false, fault: null };
  try {
    parse(content);
    return { checked: true, fault: null };
  } catch (thrown) {
    // Syntax that is right, but more than types: enums and the like.
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
      return { checked: false, fault: null };
    return { checked: true, fault: (thrown instanceof Error ? thrown.message : String(thrown)).replaceAll(/\s+/g, ' ').slice(0, 300) };
  }
}
