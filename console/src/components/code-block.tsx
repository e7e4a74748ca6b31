/** Code to copy. */
import type { ReactNode } from 'react';
import { CopyButton } from './copy-button.tsx';

/** `label` names the language or the program; it may be empty. */
export function CodeBlock({ text, label }: { readonly text: string; readonly label: string }): ReactNode {
  return (
    <div className="md-code">
      <div className="md-code-head">
        <span translate="no">{label}</span>
        <CopyButton text={text} {...(label === '' ? {} : { label })} showText />
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long lines are scrolled by keyboard */}
      <pre tabIndex={0} translate="no">
        <code>{text}</code>
      </pre>
    </div>
  );
}
