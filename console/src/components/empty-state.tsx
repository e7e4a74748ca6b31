/** Nothing here yet: why, and the one next step. */
import { Empty } from 'antd';
import type { ReactNode } from 'react';

interface EmptyStateProps {
  readonly title: string;
  readonly help?: string;
  readonly action?: ReactNode;
}

export function EmptyState({ title, help, action }: EmptyStateProps): ReactNode {
  return (
    <Empty
      image={Empty.PRESENTED_IMAGE_SIMPLE}
      description={
        <>
          <strong>{title}</strong>
          {help !== undefined && <p className="empty-help">{help}</p>}
        </>
      }
    >
      {action}
    </Empty>
  );
}
