/** Whether a file's syntax holds, found out by parsing alone: nothing is ever run. */
import { stripTypeScriptTypes } from 'node:module';
import { parseAllDocuments } from 'yaml';
import { hasGrammar, readingOf } from './grammars.ts';
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

/** Many programs write one at the beginning, and read over it. */
const withoutMark = (content: string): string => content.replace(/^\uFEFF/, '');

/** Files that are JSON with comments and trailing commas, whatever their names end in. */
const commented =
  /(^|\/)(tsconfig|jsconfig)(\.[^/]+)?\.json$|(^|\/)(\.eslintrc|\.?devcontainer|deno|wrangler|turbo|biome|nx|\.swcrc|\.babelrc|api-extractor)\.json$|(^|\/)\.vscode\/[^/]+\.json$|\.jsonc$/i;

const exact: readonly (readonly [RegExp, (content: string) => void])[] = [
  [commented, (content) => void JSON.parse(withoutComments(withoutMark(content)))],
  [/\.json$/i, (content) => void JSON.parse(withoutMark(content))],
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

/** Null where it cannot be had. */
function nodesView(content: string): NodesView | null {
  try {
    return { fault: null, beyond: false, bare: stripTypeScriptTypes(content) };
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : '';
    if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return { fault: null, beyond: true, bare: null };
    // A parser that breaks says nothing of what it was given.
    if (code !== 'ERR_INVALID_TYPESCRIPT_SYNTAX') return null;
    return { fault: words(thrown), beyond: false, bare: null };
  }
}

/** Node's parser knows the language of today, but no markup; the tolerant one knows markup, and where JavaScript ends. */
function scriptSyntax({ path, content }: CodeFile): Syntax {
  const node = nodesView(content);
  if (node === null) return { verdict: 'unknown' };
  if (/\.[mc]?ts$/i.test(path) && !node.beyond)
    return node.fault === null ? { verdict: 'right' } : certain(path, `${node.fault}${placed(path, content)}`, /\.cts$/i);
  if (node.fault === null && (node.bare === content || (/\.tsx$/i.test(path) && !node.beyond))) return { verdict: 'right' };
  const reading = readingOf(path, content);
  if (reading === null) return { verdict: 'unknown' };
  if (/\.[mc]?js$/i.test(path) && !reading.jsx && node.fault !== null)
    return reading.fault === null ? certain(path, node.fault, /\.c?js$/i) : { verdict: 'wrong', fault: `${node.fault} (${reading.fault})` };
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

/** Node reads every file as a module: scripts, and modules of the old kind, may hold more. */
function certain(path: string, fault: string, scripts: RegExp): Syntax {
  return { verdict: scripts.test(path) ? 'doubtful' : 'wrong', fault };
}

function placed(path: string, content: string): string {
  const reading = readingOf(path, content);
  return reading === null || reading.fault === null ? '' : ` (${reading.fault})`;
}

/** Templates look like the language that they make. */
const isTemplate = ({ path, content }: CodeFile): boolean => /\.(ya?ml|json)$/i.test(path) && /\{\{|\{%|<%/.test(content);

export function hasParser({ path }: CodeFile): boolean {
  return exact.some(([pattern]) => pattern.test(path)) || /\.([mc]?[jt]s|[jt]sx)$/i.test(path) || hasGrammar(path);
}

/** Takes as long as the parsers take, and they may break: only in a process apart. */
export function syntaxOf(file: CodeFile): Syntax {
  const parse = exact.find(([pattern]) => pattern.test(file.path))?.[1];
  if (parse !== undefined) {
    const syntax = parsedBy(() => parse(file.content));
    return syntax.verdict === 'wrong' && isTemplate(file) ? { verdict: 'unknown' } : syntax;
  }
  if (/\.([mc]?[jt]s|[jt]sx)$/i.test(file.path)) return scriptSyntax(file);
  const reading = readingOf(file.path, file.content);
  if (reading === null) return { verdict: 'unknown' };
  return reading.fault === null ? { verdict: 'right' } : { verdict: 'doubtful', fault: reading.fault };
}
