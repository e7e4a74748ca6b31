/** Options of a selection that are names, which no translator touches. */
import type { ReactNode } from 'react';

export interface NameOption {
  readonly value: string;
  readonly label: ReactNode;
}

export function nameOptions(names: readonly string[]): NameOption[] {
  return names.map((name) => ({ value: name, label: <span translate="no">{name}</span> }));
}
