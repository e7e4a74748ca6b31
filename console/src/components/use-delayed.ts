/** True once `active` has lasted for a while, so that fast answers show no flicker. */
import { useEffect, useState } from 'react';

export function useDelayed(active: boolean, milliseconds: number): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!active) return undefined;
    const timer = setTimeout(() => setLate(true), milliseconds);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [active, milliseconds]);
  return active && isLate;
}
