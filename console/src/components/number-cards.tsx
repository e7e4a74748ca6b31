/** A row of large numbers with their names. */
import type { ReactNode } from 'react';
import './charts.css';

export interface NumberCard {
  readonly name: string;
  readonly value: ReactNode;
  readonly note?: string;
}

export function NumberCards({ cards }: { readonly cards: readonly NumberCard[] }): ReactNode {
  return (
    <dl className="numbers">
      {cards.map(({ name, value, note }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          {note !== undefined && <dd className="numbers-note">{note}</dd>}
        </div>
      ))}
    </dl>
  );
}
