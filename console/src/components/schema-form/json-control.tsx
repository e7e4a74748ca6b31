/** A value of any shape, written as JSON. A text that is not JSON is not passed on, and its form cannot be sent. */
import { Input } from 'antd';
import { type ReactNode, useState } from 'react';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface JsonControlProps {
  readonly id: string;
  readonly disabled: boolean;
  readonly 'aria-label': string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : JSON.stringify(value, null, 2);
}

export function JsonControl({ value, onChange, ...labelled }: JsonControlProps): ReactNode {
  const t = useTexts(texts);
  const [text, setText] = useState(() => textOf(value));
  const [written, setWritten] = useState(value);
  const [problem, setProblem] = useState('');
  // Another control has replaced the value, as the choice of another kind does.
  if (textOf(value) !== textOf(written)) {
    setWritten(value);
    setText(textOf(value));
    setProblem('');
  }
  const write = (next: string): void => {
    setText(next);
    try {
      const parsed: unknown = next.trim() === '' ? undefined : JSON.parse(next);
      setWritten(parsed);
      setProblem('');
      onChange(parsed);
    } catch (thrown) {
      setProblem((thrown as Error).message);
    }
  };
  return (
    <>
      <Input.TextArea
        {...labelled}
        // Otherwise the form would send the last valid value in the place of what is on the screen.
        ref={(area) => area?.resizableTextArea?.textArea.setCustomValidity(problem)}
        className="code"
        translate="no"
        spellCheck={false}
        value={text}
        status={problem === '' ? '' : 'error'}
        autoSize={{ minRows: 2, maxRows: 16 }}
        placeholder="{ }"
        onChange={({ target }) => write(target.value)}
      />
      {problem !== '' && (
        <p role="alert" className="form-problem">
          {t('badJson', { reason: problem })}
        </p>
      )}
    </>
  );
}
