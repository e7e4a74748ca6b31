/** Whether a file's syntax holds, found out by parsing alone: nothing is ever run. */
import { stripTypeScriptTypes } from 'node:module';
import { parseAllDocuments } from 'yaml';
import { readingOf } from './grammars.ts';
import { withoutComments } from './jsonc.ts';

export interface CodeFile {
  readonly path: string;
  readonly content: string;
}

/**
 * `right`: it parses. `wrong`: it does not, by a parser of the language itself. `doubtful`: a parser that may lag behind the language does not
 * understand it. `unknown`: there is no parser for it here.
 */
export type Syntax = { readonly verdict: 'right' | 'unknown' } | { readonly verdict: 'wrong' | 'doubtful'; readonly fault: string };

const words = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).replaceAll(/\s+/g, ' ').slice(0, 300);

function parsedBy(parse: () => void): Syntax {
  try {
    parse();
    return { verdict: 'right' };
  } catch (thrown) {
    return { verdict: 'wrong', fault: words(thrown) };
  }
}

/** Files that are JSON with comments and trailing commas, whatever their names end in. */
const commented =
  /(^|\/)(tsconfig|jsconfig)(\.[^/]+)?\.json$|(^|\/)(\.eslintrc|devcontainer|\.devcontainer)\.json$|(^|\/)\.vscode\/[^/]+\.json$|\.jsonc$/i;

const exact: readonly (readonly [RegExp, (content: string) => void])[] = [
  [commented, (content) => void JSON.parse(withoutComments(content))],
  [/\.json$/i, (content) => void JSON.parse(content)],
  [
    /\.ya?ml$/i,
    (content) => {
      const [error] = parseAllDocuments(content).flatMap(({ errors }) => errors);
      if (error !== undefined) throw error;
    },
  ],
];

interface NodesView {
  readonly fault: string | null;
  /** Syntax that is right, but more than types: enums and the like. */
  readonly beyond: boolean;
  /** The code with blanks in place of its types, each character where it was; null where it cannot be had. */
  readonly bare: string | null;
}

function nodesView(content: string): NodesView {
  try {
    return { fault: null, beyond: false, bare: stripTypeScriptTypes(content) };
  } catch (thrown) {
    const beyond = thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX';
    return { fault: beyond ? null : words(thrown), beyond, bare: null };
  }
}

/** Node's parser knows the language of today, but no markup; the tolerant one knows markup, and where JavaScript ends. */
function scriptSyntax({ path, content }: CodeFile): Syntax {
  const node = nodesView(content);
  if (/\.[mc]?ts$/i.test(path) && !node.beyond)
    return node.fault === null ? { verdict: 'right' } : { verdict: 'wrong', fault: `${node.fault}${placed(path, content)}` };
  if (node.fault === null && (node.bare === content || (/\.tsx$/i.test(path) && !node.beyond))) return { verdict: 'right' };
  const reading = readingOf(path, content);
  if (reading === null) return { verdict: 'unknown' };
  if (/\.[mc]?js$/i.test(path) && !reading.jsx && node.fault !== null)
    return { verdict: 'wrong', fault: reading.fault === null ? node.fault : `${node.fault} (${reading.fault})` };
  if (/\.([mc]?js|jsx)$/i.test(path) && node.fault === null) {
    const { at, types } = reading;
    // `a < b, c > (d)` looks like types to Node, and what is new looks like a fault to the other: only together are they right.
    const typed =
      node.beyond ||
      types ||
      (reading.fault !== null && node.bare?.slice(Math.max(0, at - 1), at + 2) !== content.slice(Math.max(0, at - 1), at + 2));
    return typed
      ? { verdict: 'wrong', fault: `TypeScript in a file of JavaScript${reading.fault === null ? '' : `, ${reading.fault}`}` }
      : { verdict: 'right' };
  }
  return reading.fault === null ? { verdict: 'right' } : { verdict: 'doubtful', fault: reading.fault };
}

function placed(path: string, content: string): string {
  const reading = readingOf(path, content);
  return reading === null || reading.fault === null ? '' : ` (${reading.fault})`;
}

export function syntaxOf(file: CodeFile): Syntax {
  const parse = exact.find(([pattern]) => pattern.test(file.path))?.[1];
  if (parse !== undefined) return parsedBy(() => parse(file.content));
  if (/\.([mc]?[jt]s|[jt]sx)$/i.test(file.path)) return scriptSyntax(file);
  const reading = readingOf(file.path, file.content);
  if (reading === null) return { verdict: 'unknown' };
  return reading.fault === null ? { verdict: 'right' } : { verdict: 'doubtful', fault: reading.fault };
}
