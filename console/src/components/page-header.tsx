/** The head of every page: its name, one sentence on what it is for, and its main actions. */
import type { ReactNode } from 'react';

interface PageHeaderProps {
  readonly title: string;
  readonly purpose: string;
  readonly actions?: ReactNode;
}

export function PageHeader({ title, purpose, actions }: PageHeaderProps): ReactNode {
  return (
    <header className="page-header">
      <div>
        <h1>{title}</h1>
        <p>{purpose}</p>
      </div>
      {actions !== undefined && <div className="page-actions">{actions}</div>}
    </header>
  );
}
