/** A page that could not be shown; the menu around it stays. */
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ErrorState } from '../components/error-state.tsx';

export function ErrorPage({ error, reset }: ErrorComponentProps): ReactNode {
  const router = useRouter();
  return (
    <ErrorState
      error={error instanceof Error ? error : new Error(String(error))}
      onRetry={() => {
        reset();
        void router.invalidate();
      }}
    />
  );
}
