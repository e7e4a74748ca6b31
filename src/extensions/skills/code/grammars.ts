/** Languages with tolerant parsers. A grammar may lag behind its language, so its faults are advice only. */
import { createRequire } from 'node:module';
import type { Parser, SyntaxNodeRef, Tree } from '@lezer/common';
import type { parser as javascriptParser } from '@lezer/javascript';

// A grammar is loaded on first use. The load is synchronous, because a check cannot wait.
const require = createRequire(import.meta.url);
type LezerParser = typeof javascriptParser;
const parserIn = (module: unknown): LezerParser => (module as { readonly parser: LezerParser }).parser;
const javascript = (dialect: string): Parser => parserIn(require('@lezer/javascript')).configure({ dialect });

/** The grammars for Java and C++ are left out: they miss switch expressions, fold expressions and nested requirements. */
const grammars: readonly (readonly [RegExp, () => Parser])[] = [
  [/\.(jsx|[mc]?js)$/i, () => javascript('jsx')],
  [/\.tsx$/i, () => javascript('ts jsx')],
  [/\.[mc]?ts$/i, () => javascript('ts')],
  [/\.pyi?$/i, () => parserIn(require('@lezer/python'))],
  [/\.go$/i, () => parserIn(require('@lezer/go'))],
  [/\.rs$/i, () => parserIn(require('@lezer/rust'))],
  [/\.[ch]$/i, () => parserIn(require('@lezer/cpp'))],
  [/\.php$/i, () => parserIn(require('@lezer/php'))],
  [/\.css$/i, () => parserIn(require('@lezer/css'))],
];

export interface Reading {
  /** The first place that the parser rejects, as text; null for none. */
  readonly fault: string | null;
  /** The offset of that place; 0 for none. */
  readonly at: number;
  /** True when the code contains JSX. */
  readonly jsx: boolean;
  /** True when the code contains type annotations. */
  readonly types: boolean;
}

/** New keywords that a grammar does not know and that do not affect the rest of the syntax. They are blanked out. */
const unknownWords: readonly (readonly [RegExp, RegExp])[] = [
  // `for range ch {` is parsed like `for ch {`.
  [/\.go$/i, /(?<=\bfor\s+)range\b/g],
  [/\.php$/i, /\breadonly(?=\s+(final\s+|abstract\s+)?class\b)/g],
];

const contextCharacters = 40;

function placeOf(content: string, { from, to }: { readonly from: number; readonly to: number }): string {
  const before = content.slice(0, from);
  const line = before.split('\n').length;
  const column = from - (before.lastIndexOf('\n') + 1) + 1;
  const words = content.slice(Math.max(0, from - contextCharacters), to + contextCharacters).replaceAll(/\s+/g, ' ');
  return `line ${line}, column ${column}, near ${JSON.stringify(words.slice(0, 2 * contextCharacters + 20))}`;
}

function read(tree: Tree, content: string): Reading {
  let fault: string | null = null;
  let at = 0;
  let jsx = false;
  let types = false;
  tree.iterate({
    enter(node: SyntaxNodeRef) {
      jsx ||= node.name.startsWith('JSX');
      types ||= /^(Type|Interface)/.test(node.name);
      if (!node.type.isError || fault !== null) return;
      fault = placeOf(content, node);
      at = node.from;
    },
  });
  return { fault, at, jsx, types };
}

export const hasGrammar = (path: string): boolean => grammars.some(([pattern]) => pattern.test(path));

/** Null for a language without a grammar. */
export function readingOf(path: string, content: string): Reading | null {
  const load = grammars.find(([pattern]) => pattern.test(path))?.[1];
  if (load === undefined) return null;
  const left = unknownWords.find(([pattern]) => pattern.test(path))?.[1];
  const known = left === undefined ? content : content.replaceAll(left, (word) => ' '.repeat(word.length));
  return read(load().parse(known), content);
}
