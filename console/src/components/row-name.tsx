/** The name of a row, which opens it. */
import { Button } from 'antd';
import type { ReactNode } from 'react';

interface RowNameProps {
  readonly row: { readonly name: string };
  readonly onOpen: () => void;
}

export function RowName({ row, onOpen }: RowNameProps): ReactNode {
  return (
    <Button type="link" size="small" className="row-name" translate="no" onClick={onOpen}>
      {row.name}
    </Button>
  );
}
