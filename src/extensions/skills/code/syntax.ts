/** Checks the syntax of a file by parsing. No code is executed. */
import { createRequire, stripTypeScriptTypes } from 'node:module';
import type * as Yaml from 'yaml';
import { hasGrammar, readingOf } from './grammars.ts';
import { withoutComments } from './jsonc.ts';

const require = createRequire(import.meta.url);

export interface CodeFile {
  readonly path: string;
  readonly content: string;
}

/** `right`: it parses. `wrong`: a parser of the language itself rejects it. `doubtful`: a tolerant parser rejects it. `unknown`: there is no parser. */
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

/** The byte order mark, which many programs skip. */
const withoutMark = (content: string): string => content.replace(/^\uFEFF/, '');

/** Files with comments and trailing commas in JSON, by name. */
const commented =
  /(^|\/)(tsconfig|jsconfig)(\.[^/]+)?\.json$|(^|\/)(\.eslintrc|\.?devcontainer|deno|wrangler|turbo|biome|nx|\.swcrc|\.babelrc|api-extractor)\.json$|(^|\/)\.vscode\/[^/]+\.json$|\.jsonc$/i;

const exact: readonly (readonly [RegExp, (content: string) => void])[] = [
  [commented, (content) => void JSON.parse(withoutComments(withoutMark(content)))],
  [/\.json$/i, (content) => void JSON.parse(withoutMark(content))],
  [
    /\.ya?ml$/i,
    (content) => {
      const { parseAllDocuments } = require('yaml') as typeof Yaml;
      const [error] = parseAllDocuments(content).flatMap(({ errors }) => errors);
      if (error !== undefined) throw error;
    },
  ],
];

interface NodesView {
  readonly fault: string | null;
  /** Valid TypeScript syntax that is more than types, such as enums. */
  readonly beyond: boolean;
  /** The code with types replaced by blanks, offsets unchanged. Null when that fails. */
  readonly bare: string | null;
}

/** Null when that fails. */
function nodesView(content: string): NodesView | null {
  try {
    return { fault: null, beyond: false, bare: stripTypeScriptTypes(content) };
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : '';
    if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return { fault: null, beyond: true, bare: null };
    // A crash of the parser says nothing about the code.
    if (code !== 'ERR_INVALID_TYPESCRIPT_SYNTAX') return null;
    return { fault: words(thrown), beyond: false, bare: null };
  }
}

/** Node's parser knows current JavaScript but no JSX. The tolerant parser knows JSX. */
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
    // `a < b, c > (d)` looks like type arguments to Node, and new syntax looks wrong to the tolerant parser. Both must reject.
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

/** Node parses every file as a module. Scripts and CommonJS modules allow more. */
function certain(path: string, fault: string, scripts: RegExp): Syntax {
  return { verdict: scripts.test(path) ? 'doubtful' : 'wrong', fault };
}

function placed(path: string, content: string): string {
  const reading = readingOf(path, content);
  return reading === null || reading.fault === null ? '' : ` (${reading.fault})`;
}

/** Template files look like the language that they produce. */
const isTemplate = ({ path, content }: CodeFile): boolean => /\.(ya?ml|json)$/i.test(path) && /\{\{|\{%|<%/.test(content);

export function hasParser({ path }: CodeFile): boolean {
  return exact.some(([pattern]) => pattern.test(path)) || /\.([mc]?[jt]s|[jt]sx)$/i.test(path) || hasGrammar(path);
}

/** Runs for as long as the parsers take, and they may crash. Call it in a subprocess only. */
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
