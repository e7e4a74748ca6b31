/** Scrolls wide content sideways, also by keyboard. */
import type { ReactNode } from 'react';

interface ScrollFrameProps {
  readonly label: string;
  /** The width in pixels below which the content scrolls. */
  readonly width: number;
  readonly children: ReactNode;
}

export function ScrollFrame({ label, width, children }: ScrollFrameProps): ReactNode {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
    <section className="scroll-frame" aria-label={label} tabIndex={0}>
      <div style={{ minWidth: width }}>{children}</div>
    </section>
  );
}
