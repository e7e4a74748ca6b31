/** The state of a page that belongs in its address, so that it can be shared and reloaded. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

export type SearchState = Readonly<Record<string, string | undefined>>;

/** Reads the named parameters; the setter keeps the others. An empty value leaves the parameter out. */
export function useSearchState<Name extends string>(
  ...names: readonly Name[]
): readonly [Readonly<Partial<Record<Name, string>>>, (change: Readonly<Partial<Record<Name, string | undefined>>>) => void] {
  const all: Readonly<Record<string, unknown>> = useSearch({ strict: false });
  const navigate = useNavigate();
  const state = Object.fromEntries(names.flatMap((name) => (typeof all[name] === 'string' && all[name] !== '' ? [[name, all[name]]] : [])));
  const change = useCallback(
    (next: SearchState) => {
      void navigate({
        to: '.',
        search: (before: SearchState) =>
          Object.fromEntries(Object.entries({ ...before, ...next }).filter(([, value]) => value !== undefined && value !== '')),
      });
    },
    [navigate],
  );
  return [state as Partial<Record<Name, string>>, change];
}
