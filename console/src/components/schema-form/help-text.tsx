/** The help of a field. In Chinese texts, Latin letters are names and code, which no translator touches. */
import { Fragment, type ReactNode } from 'react';
import { useLanguage } from '../../i18n/language.tsx';

const quoted = /`([^`]+)`/g;
const quotedOrLatin = /`([^`]+)`|[A-Za-z][\w./<>:*@-]*/g;
const chinese = /[\u4e00-\u9fff]/;

function partsOf(text: string, code: RegExp): ReactNode[] {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const match of text.matchAll(code)) {
    parts.push(text.slice(end, match.index));
    parts.push(match[1] === undefined ? <span translate="no">{match[0]}</span> : <code translate="no">{match[1]}</code>);
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

export function HelpText({ text }: { readonly text: string }): ReactNode {
  const { language } = useLanguage();
  // An English text on a Chinese page is not translated yet; it must not pass for code.
  const code = language === 'zh' && chinese.test(text) ? quotedOrLatin : quoted;
  return partsOf(text, code).map((part, index) => <Fragment key={index}>{part}</Fragment>);
}
