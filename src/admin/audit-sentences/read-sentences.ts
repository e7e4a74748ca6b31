/**
 * The detail of an audit entry as codes with parameters, for readers in other languages. They are read from the sentence that the chain
 * seals, so they cannot differ from it, and entries of earlier versions have them too.
 */
import { errorTable } from '../../types/errors.ts';
import { acts } from './acts.ts';
import { changes } from './changes.ts';
import { decisions } from './decisions.ts';
import { refusals } from './refusals.ts';
import { tokens } from './tokens.ts';
import { words } from './words.ts';

/** One sentence of a detail. A detail of two has its reason in the second. */
export interface Sentence {
  readonly code: string;
  readonly params: Readonly<Record<string, string>>;
}

/** Sentences that no table has, such as the words of an identity service. Their text is a parameter. */
export const verbatim = 'verbatim';
/** The error code of a refusal; its sentence follows. */
export const refusedBy = 'refused_by';
const rest = 'then';

/** Of two patterns that fit, the earlier one counts. */
export const sentenceTable = { ...changes, ...acts, ...tokens, ...refusals, ...decisions };

/** Longer details are shown as they are. */
const longest = 2_000;

interface Pattern {
  readonly code: string;
  /** The text before each parameter, and the text after the last one. */
  readonly texts: readonly string[];
  readonly names: readonly string[];
}

const patterns = Object.entries(sentenceTable).map(([code, sentence]): Pattern => {
  const parts = sentence.split(/\{(\w+)\}/);
  return { code, texts: parts.filter((_, index) => index % 2 === 0), names: parts.filter((_, index) => index % 2 === 1) };
});

/** Where the parameter that starts at `from` ends, or -1. A word ends by its list, a name before `next`, the last one at the end of the text. */
function endOf(text: string, from: number, name: string, next: string, isLast: boolean): number {
  const known: readonly string[] | undefined = Object.hasOwn(words, name) ? words[name as keyof typeof words] : undefined;
  if (known !== undefined) {
    const word = known.find((each) => text.startsWith(each + next, from) && (!isLast || from + each.length + next.length === text.length));
    return word === undefined ? -1 : from + word.length;
  }
  const end = isLast ? text.length - next.length : text.indexOf(next, from + 1);
  return end > from && text.startsWith(next, end) ? end : -1;
}

/** Each piece is searched once, so the time is in proportion to the text. */
function match({ texts: [first = '', ...texts], names }: Pattern, text: string): Record<string, string> | null {
  if (!text.startsWith(first)) return null;
  const params: Record<string, string> = {};
  let at = first.length;
  for (const [index, name] of names.entries()) {
    const next = texts[index] ?? '';
    const end = endOf(text, at, name, next, index === names.length - 1);
    if (end === -1) return null;
    params[name] = text.slice(at, end);
    at = end + next.length;
  }
  return at === text.length ? params : null;
}

/** Empty for a text that no pattern fits. */
function read(text: string): Sentence[] {
  for (const pattern of patterns) {
    const found = match(pattern, text);
    if (found === null) continue;
    const { [rest]: reason, ...params } = found;
    return [{ code: pattern.code, params }, ...(reason === undefined ? [] : readOr(reason))];
  }
  return [];
}

function readOr(text: string): Sentence[] {
  const found = read(text);
  return found.length > 0 ? found : [{ code: verbatim, params: { text } }];
}

/** The acts whose detail is a name, a format, or the words of an administrator. */
const plain: ReadonlySet<string> = new Set(['block', 'unblock', 'signed-in', 'signed-out', 'export', 'end session']);

/** Empty for a detail without a sentence of the gateway: it is shown as it is. */
export function readSentences(act: string, detail: string | null): Sentence[] {
  if (detail === null || detail.length > longest || plain.has(act)) return [];
  const code = act === 'refused' ? (/^([a-z_]+): /.exec(detail)?.[1] ?? '') : '';
  if (!Object.hasOwn(errorTable, code)) return read(detail);
  return [{ code: refusedBy, params: { code } }, ...readOr(detail.slice(code.length + 2))];
}
