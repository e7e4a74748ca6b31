/** Suggestions for a mistyped name. */

/** Edits (insert, delete, replace, swap two neighbours) between two texts; stops counting beyond `most`. */
function distance(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Infinity;
      const value = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost, swapped);
      next.push(value);
      least = Math.min(least, value);
    }
    if (least > most) return most + 1;
    before = row;
    row = next;
  }
  return row[other.length] ?? most + 1;
}

/** At most three candidates that are a few edits away, the nearest first. Bounded work for hostile names. */
export function nearMatches(name: string, candidates: readonly string[]): string[] {
  if (name.length > 128) return [];
  const wanted = name.toLowerCase();
  const most = Math.max(1, Math.min(4, Math.floor(wanted.length / 3)));
  return candidates
    .slice(0, 20_000)
    .map((candidate) => ({ candidate, edits: distance(wanted, candidate.toLowerCase(), most) }))
    .filter(({ edits }) => edits <= most)
    .toSorted((a, b) => a.edits - b.edits || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** ` Did you mean "a" or "b"?`, or nothing. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const near = nearMatches(name, candidates);
  return near.length === 0 ? '' : ` Did you mean ${near.map((each) => `"${each}"`).join(' or ')}?`;
}
