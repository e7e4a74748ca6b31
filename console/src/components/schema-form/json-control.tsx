/** A value of any shape, written as JSON. It is passed on only while it is valid. */
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

export function JsonControl({ value, onChange, ...labelled }: JsonControlProps): ReactNode {
  const t = useTexts(texts);
  const [text, setText] = useState(() => (value === undefined || value === null ? '' : JSON.stringify(value, null, 2)));
  const [problem, setProblem] = useState('');
  const write = (next: string): void => {
    setText(next);
    try {
      onChange(next.trim() === '' ? undefined : JSON.parse(next));
      setProblem('');
    } catch (thrown) {
      setProblem((thrown as Error).message);
    }
  };
  return (
    <>
      <Input.TextArea
        {...labelled}
        className="code"
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
