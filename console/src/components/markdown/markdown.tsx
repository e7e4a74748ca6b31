/** Shows the Markdown of a model as text and structure. HTML stays text, and no picture or link of the answer is loaded or followed. */
import { lexer, type Token, type Tokens } from 'marked';
import { Fragment, type ReactNode, useDeferredValue, useMemo } from 'react';
import { CodeBlock } from '../code-block.tsx';

/** Not a link: a model could put words of the chat into its address, and a click would send them to that host. */
function Address({ label, href }: { readonly label: ReactNode; readonly href: string }): ReactNode {
  return (
    <span className="md-address">
      {label} <code>{href}</code>
    </span>
  );
}

function all(tokens: readonly Token[] | undefined): ReactNode {
  return tokens?.map((token, index) => <Fragment key={index}>{one(token)}</Fragment>);
}

function table({ header, rows }: Tokens.Table): ReactNode {
  return (
    <table className="md-table">
      <thead>
        <tr>
          {header.map((cell, index) => (
            <th key={index}>{all(cell.tokens)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((cell, column) => (
              <td key={column}>{all(cell.tokens)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function list({ ordered, items, start }: Tokens.List): ReactNode {
  const entries = items.map((item, index) => <li key={index}>{all(item.tokens)}</li>);
  return ordered ? <ol start={start === '' ? 1 : start}>{entries}</ol> : <ul>{entries}</ul>;
}

function one(token: Token): ReactNode {
  switch (token.type) {
    case 'space':
      return null;
    case 'paragraph':
      return <p>{all(token.tokens)}</p>;
    case 'heading':
      // No `h1` to `h6`: headings of an answer would mix with those of the page for screen readers.
      return <p className="md-heading">{all(token.tokens)}</p>;
    case 'code':
      return <CodeBlock text={(token as Tokens.Code).text} label={(token as Tokens.Code).lang ?? ''} />;
    case 'list':
      return list(token as Tokens.List);
    case 'table':
      return table(token as Tokens.Table);
    case 'blockquote':
      return <blockquote>{all(token.tokens)}</blockquote>;
    case 'hr':
      return <hr />;
    case 'strong':
      return <strong>{all(token.tokens)}</strong>;
    case 'em':
      return <em>{all(token.tokens)}</em>;
    case 'del':
      return <del>{all(token.tokens)}</del>;
    case 'codespan':
      return <code>{(token as Tokens.Codespan).text}</code>;
    case 'br':
      return <br />;
    case 'link': {
      const { href, text, tokens } = token as Tokens.Link;
      return href === text ? <code>{href}</code> : <Address label={all(tokens)} href={href} />;
    }
    case 'image':
      return <Address label={`🖼 ${(token as Tokens.Image).text}`} href={(token as Tokens.Image).href} />;
    case 'escape':
      return (token as Tokens.Escape).text;
    case 'text':
      return token.tokens === undefined ? (token as Tokens.Text).text : all(token.tokens);
    default:
      // HTML and whatever else there is: as it was written.
      return token.raw;
  }
}

export function Markdown({ text }: { readonly text: string }): ReactNode {
  // While an answer streams in, the newest text may wait for a free moment.
  const settled = useDeferredValue(text);
  const tokens = useMemo(() => lexer(settled), [settled]);
  return (
    <div className="md" translate="no">
      {all(tokens)}
    </div>
  );
}
