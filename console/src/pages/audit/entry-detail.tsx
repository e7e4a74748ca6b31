/** The detail of an entry in the reader's language, or as the gateway wrote it where a sentence is not known. */
import { Fragment, type ReactNode } from 'react';
import { type Translate, useTexts } from '../../i18n/texts.ts';
import { isSentenceKey, type SentenceKey, sentenceTexts, wordKey } from './sentence-texts.ts';

export interface Sentence {
  readonly code: string;
  readonly params: Readonly<Record<string, string>>;
}

/** The parameters with translated values. In any other parameter a value such as `model` is a name. */
const ofWords: ReadonlySet<string> = new Set(['action', 'title', 'item', 'type', 'before', 'state', 'by', 'field', 'whom', 'because']);

function valueOf(t: Translate<SentenceKey>, name: string, value: string): ReactNode {
  const word = ofWords.has(name) ? wordKey(value) : null;
  return word === null ? <span translate="no">{value}</span> : t(word);
}

/** The text with its parameters, and what stands between backticks as code. */
function render(t: Translate<SentenceKey>, code: SentenceKey, params: Sentence['params']): ReactNode[] {
  return t(code)
    .split(/(\{\w+\}|`[^`]+`)/)
    .map((part, index) => {
      const key = `${index}`;
      if (part.startsWith('`')) return <code key={key}>{part.slice(1, -1)}</code>;
      const value = part.startsWith('{') ? params[part.slice(1, -1)] : undefined;
      return <Fragment key={key}>{value === undefined ? part : valueOf(t, part.slice(1, -1), value)}</Fragment>;
    });
}

export function EntryDetail({ detail, sentences }: { readonly detail: string; readonly sentences: readonly Sentence[] }): ReactNode {
  const t = useTexts(sentenceTexts);
  const known = sentences.flatMap(({ code, params }) => (isSentenceKey(code) ? [{ code, params }] : []));
  if (known.length === 0 || known.length < sentences.length) return <span translate="no">{detail}</span>;
  return known.map(({ code, params }) => <Fragment key={code}>{render(t, code, params)}</Fragment>);
}
