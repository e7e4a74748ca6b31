/** A text that filters on the server. It is a filter when it is entered, not while it is typed. */
import { Input } from 'antd';
import { type ReactNode, useState } from 'react';

interface TextFilterProps {
  readonly label: string;
  readonly value: string;
  readonly onEnter: (text: string) => void;
}

export function TextFilter({ label, value, onEnter }: TextFilterProps): ReactNode {
  const [text, setText] = useState(value);
  return (
    <Input
      allowClear
      className="text-filter"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={({ target }) => {
        setText(target.value);
        if (target.value === '' && value !== '') onEnter('');
      }}
      onPressEnter={() => onEnter(text.trim())}
      onBlur={() => {
        if (text.trim() !== value) onEnter(text.trim());
      }}
    />
  );
}
