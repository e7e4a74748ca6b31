/** The height that is left for the rows of a table below its place on the page. */
import { type RefObject, useLayoutEffect, useState } from 'react';

const least = 240;
/** The head of the table and the margin of the page. */
const around = 110;

export function useTableHeight(frame: RefObject<HTMLElement | null>): number {
  const [height, setHeight] = useState(least);
  useLayoutEffect(() => {
    const measure = (): void => {
      const top = frame.current?.getBoundingClientRect().top ?? 0;
      setHeight(Math.max(least, Math.floor(window.innerHeight - top - around)));
    };
    measure();
    window.addEventListener('resize', measure);
    return () => window.removeEventListener('resize', measure);
  }, [frame]);
  return height;
}
