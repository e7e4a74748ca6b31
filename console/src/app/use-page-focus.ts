/** Moves the focus to the content of a page that was opened by a link which is gone with its own page. */
import { useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';

export function usePageFocus(): void {
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe('onRendered', ({ pathChanged, fromLocation }) => {
        const isLost = document.activeElement === document.body || document.activeElement === null;
        if (pathChanged && fromLocation !== undefined && isLost) document.getElementById('content')?.focus({ preventScroll: true });
      }),
    [router],
  );
}
