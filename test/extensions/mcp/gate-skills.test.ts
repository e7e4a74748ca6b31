/** Pagination of the Skills extension at the gate. */
import { describe, expect, it } from 'vitest';
import { onePage } from '../../../src/extensions/mcp/gate/skills.ts';

const named = (count: number): { uri: string }[] =>
  Array.from({ length: count }, (_, index) => ({ uri: `skill://s-${String(index).padStart(4, '0')}/SKILL.md` }));
const cursorOf = (page: ReturnType<typeof onePage>): string | undefined => page?.next.nextCursor;

describe('a page', () => {
  it.each([0, 1, 99, 100, 101, 200, 250])('contains each of %i once, in order', (count) => {
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = onePage(named(count).toReversed(), cursor);
      seen.push(...(page?.items ?? []).map(({ uri }) => uri));
      cursor = cursorOf(page);
      pages++;
    } while (cursor !== undefined && pages < 10);
    expect(seen).toEqual(named(count).map(({ uri }) => uri));
    expect(pages).toBe(Math.max(1, Math.ceil(count / 100)));
  });

  it('continues after its last entry, whatever was added or removed before it', () => {
    const all = named(150);
    const cursor = cursorOf(onePage(all, undefined));
    expect(onePage(all.slice(50), cursor)?.items).toEqual(all.slice(100));
    expect(onePage(all.slice(0, 10), cursor)).toEqual({ items: [], next: {} });
  });

  it.each(['', 'x', 'skill://s-0001/SKILL.md', '%%%', Buffer.from('before:x').toString('base64url')])('has no cursor %j', (cursor) =>
    expect(onePage(named(3), cursor)).toBeNull(),
  );
});
