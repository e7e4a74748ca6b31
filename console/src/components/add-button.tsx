/** The button of a page that adds a row. */
import { PlusOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import type { ReactNode } from 'react';

interface AddButtonProps {
  readonly text: string;
  readonly onAdd: () => void;
}

export function AddButton({ text, onAdd }: AddButtonProps): ReactNode {
  return (
    <Button type="primary" icon={<PlusOutlined />} onClick={onAdd}>
      {text}
    </Button>
  );
}
