/** Shows its content only to those who may use it. The server decides again. */
import type { ReactNode } from 'react';
import { holds, type Right, useSession } from '../api/session.ts';
import { useIsViewing } from '../api/view-as.ts';

export function useCan(right: Right): boolean {
  const { data: me } = useSession();
  return me != null && holds(me, right);
}

interface CanProps {
  readonly right: Right;
  readonly children: ReactNode;
}

export function Can({ right, children }: CanProps): ReactNode {
  return useCan(right) ? children : null;
}

/** False while an administrator views the console as another person: nothing can be changed, called or downloaded then. */
export function useCanAct(): boolean {
  return !useIsViewing();
}

/** Shows what changes, calls or downloads something. */
export function CanAct({ children }: { readonly children: ReactNode }): ReactNode {
  return useCanAct() ? children : null;
}
