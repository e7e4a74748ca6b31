/** The version to propose for the next publication: that of the row, or the one after the highest that exists. */
const numbersOf = (version: string): readonly number[] => version.split('.').map(Number);

function compare(one: string, other: string): number {
  const [a, b] = [numbersOf(one), numbersOf(other)];
  return [0, 1, 2].map((at) => (a[at] ?? 0) - (b[at] ?? 0)).find((each) => each !== 0) ?? 0;
}

export function nextVersion(own: string, published: readonly string[]): string {
  const highest = published.toSorted(compare).at(-1);
  if (highest === undefined || compare(own, highest) > 0) return own;
  const [major = 0, minor = 0, patch = 0] = numbersOf(highest);
  return `${major}.${minor}.${patch + 1}`;
}
