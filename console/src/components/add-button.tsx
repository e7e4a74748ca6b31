/** The button of a page that adds a row. */
import { PlusOutlined } from '@ant-design/icons';
import type { ReactNode } from 'react';
import { ActButton } from './act-button.tsx';

interface AddButtonProps {
  readonly text: string;
  readonly onAdd: () => void;
}

export function AddButton({ text, onAdd }: AddButtonProps): ReactNode {
  return (
    <ActButton type="primary" icon={<PlusOutlined aria-hidden />} onClick={onAdd}>
      {text}
    </ActButton>
  );
}
