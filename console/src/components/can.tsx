/** Shows its content only to those who hold the right. The server decides again. */
import type { ReactNode } from 'react';
import { holds, type Right, useSession } from '../api/session.ts';

export function useCan(right: Right): boolean {
  const { data: me } = useSession();
  return me != null && holds(me, right);
}

interface CanProps {
  readonly right: Right;
  /** Shown to others; nothing by default. */
  readonly otherwise?: ReactNode;
  readonly children: ReactNode;
}

export function Can({ right, otherwise = null, children }: CanProps): ReactNode {
  return useCan(right) ? children : otherwise;
}
