/** The height that is left for the rows of a table below its place on the page. */
import { useLayoutEffect, useState } from 'react';

const least = 240;
/** The head of the table and the margin of the page. */
const around = 110;

/** `frame` is null until the table is shown. */
export function useTableHeight(frame: HTMLElement | null): number {
  const [height, setHeight] = useState(least);
  useLayoutEffect(() => {
    if (frame === null) return undefined;
    const measure = (): void => {
      // Its place on the page, which does not change while the page is scrolled.
      const top = frame.getBoundingClientRect().top + window.scrollY;
      setHeight(Math.max(least, Math.floor(window.innerHeight - top - around)));
    };
    measure();
    window.addEventListener('resize', measure);
    return () => window.removeEventListener('resize', measure);
  }, [frame]);
  return height;
}
