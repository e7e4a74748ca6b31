/** Shows the console as another person would see it, read-only. The view lasts until it is ended or the page is loaded anew. */
import { createContext, useCallback, useContext } from 'react';
import { call, consolePath, viewAsHeader } from './client.ts';
import { useSession } from './session.ts';

/** Replaces all data and pages of the console by those of `person`; null: of the signed-in person. `path`: the page to open, by default the current one. */
export type Become = (person: string | null, path?: string) => void;

export const BecomeContext = createContext<Become>(() => undefined);

export function useIsViewing(): boolean {
  const { data: me } = useSession();
  return me?.viewed_by !== undefined;
}

export interface ViewAs {
  /** Rejects with `ApiError` when the gateway refuses; the console then stays as it was. */
  readonly begin: (person: string) => Promise<void>;
  readonly end: () => void;
}

export function useViewAs(): ViewAs {
  const become = useContext(BecomeContext);
  const begin = useCallback(
    async (person: string) => {
      await call('GET', '/api/me', { headers: viewAsHeader(person) });
      become(person, consolePath);
    },
    [become],
  );
  const end = useCallback(() => become(null), [become]);
  return { begin, end };
}
