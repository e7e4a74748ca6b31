/** Scrolls a result into view when it arrives, because a drawer may show only its button. */
import { type ReactNode, useEffect, useRef } from 'react';

export function Revealed({ children }: { readonly children: ReactNode }): ReactNode {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Not as the value of the arrow function: some browsers return a promise, which React would call as a clean-up.
    frame.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <div ref={frame} className="revealed">
      {children}
    </div>
  );
}
