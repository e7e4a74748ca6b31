/** Groups partial summaries into batches that fit one prompt. */
import type { Part } from './summary-prompt.ts';

export function written({ summary, key_points: points }: Part): string {
  return [summary, ...points.map(({ text, sections }) => `- ${text} [${sections.join(', ')}]`)].join('\n');
}

/** Joins neighbours as far as they fit, at least two at a time, so that the number always shrinks. */
export function grouped(parts: readonly Part[], most: number): readonly (readonly Part[])[] {
  const groups: Part[][] = [];
  let size = 0;
  for (const part of parts) {
    const length = written(part).length;
    const last = groups.at(-1);
    if (last === undefined || (last.length >= 2 && size + length > most)) {
      groups.push([part]);
      size = length;
    } else {
      last.push(part);
      size += length;
    }
  }
  return groups;
}
