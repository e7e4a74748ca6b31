/** A row of a table as a list of its fields, for a screen on which its columns have no room. */
import type { ReactNode } from 'react';

interface StackedRowProps {
  /** The title and value of each column; what renders nothing is left out. */
  readonly fields: readonly (readonly [title: string, value: ReactNode])[];
}

const isNothing = (value: ReactNode): boolean => value === null || value === undefined || value === false || value === '';

export function StackedRow({ fields }: StackedRowProps): ReactNode {
  return (
    <dl className="stacked-row">
      {fields.map(
        ([title, value]) =>
          !isNothing(value) && (
            <div key={title}>
              <dt>{title}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
