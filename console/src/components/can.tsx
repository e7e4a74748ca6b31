/** Shows its content only to those who hold the right. The server decides again. */
import type { ReactNode } from 'react';
import { holds, type Right, useSession } from '../api/session.ts';

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
