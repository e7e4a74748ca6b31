/** Reads the counts of an answer by a table of paths, so that a vendor's new field is one line of data. */
import type { Usage } from '../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { CountName, CountPaths } from '../types/wire-format.ts';

export type Counts = Readonly<Partial<Record<CountName, number>>>;

/** A path that ends at a member. The first of several paths of a count wins. */
interface PathEnd {
  readonly name: CountName;
  readonly rank: number;
}

/** The paths of a table as a tree. An answer is read by the few members that it has. */
interface PathTree {
  readonly ends: Map<string, PathEnd[]>;
  readonly inner: Map<string, PathTree>;
}

const compiled = new WeakMap<CountPaths, PathTree>();

const newTree = (): PathTree => ({ ends: new Map(), inner: new Map() });

function compileTable(table: CountPaths): PathTree {
  const root = newTree();
  for (const [name, paths] of Object.entries(table) as [CountName, readonly string[]][]) {
    for (const [rank, path] of paths.entries()) {
      const members = path.split('.');
      const last = members.pop() as string;
      let tree = root;
      for (const member of members) {
        let inner = tree.inner.get(member);
        if (inner === undefined) tree.inner.set(member, (inner = newTree()));
        tree = inner;
      }
      const ends = tree.ends.get(last);
      if (ends === undefined) tree.ends.set(last, [{ name, rank }]);
      else ends.push({ name, rank });
    }
  }
  return root;
}

function treeOf(table: CountPaths): PathTree {
  let known = compiled.get(table);
  if (known === undefined) compiled.set(table, (known = compileTable(table)));
  return known;
}

type FoundCounts = Partial<Record<CountName, number>>;

/** `ranks`: of the counts that this table has given. Counts of another table stay. */
function addCounts(object: JsonObject, tree: PathTree, counts: FoundCounts, ranks: FoundCounts): void {
  for (const member in object) {
    const value = object[member];
    if (typeof value === 'number') {
      const ends = tree.ends.get(member);
      if (ends === undefined) continue;
      for (const { name, rank } of ends) {
        if (counts[name] !== undefined && !((ranks[name] ?? -1) > rank)) continue;
        counts[name] = value;
        ranks[name] = rank;
      }
    } else if (isJsonObject(value)) {
      const inner = tree.inner.get(member);
      if (inner !== undefined) addCounts(value, inner, counts, ranks);
    }
  }
}

/** The first number for each row of the tables, `more` before `common`. Plausibility is checked later, for all formats alike. */
export function readCounts(answer: JsonObject, common: CountPaths, more?: CountPaths): Counts {
  const counts: FoundCounts = {};
  if (more !== undefined) addCounts(answer, treeOf(more), counts, {});
  addCounts(answer, treeOf(common), counts, {});
  return counts;
}

const copied = [
  'cachedInputTokens',
  'cacheWriteTokens',
  'cacheWrite1hTokens',
  'reasoningTokens',
  'audioInputTokens',
  'audioOutputTokens',
  'imageInputTokens',
  'imageOutputTokens',
  'pictures',
  'characters',
  'pages',
  'searches',
] as const satisfies readonly (CountName & keyof Usage)[];

type WritableUsage = { -readonly [Name in keyof Usage]?: Usage[Name] };
const isCopied: ReadonlySet<string> = new Set(copied);

/** Adds all counts but the input and output tokens. */
export function addOtherCounts(usage: WritableUsage, counts: Counts): void {
  for (const name in counts) {
    const count = counts[name as CountName];
    if (count !== undefined && isCopied.has(name)) usage[name as (typeof copied)[number]] = count;
  }
  const milliseconds = counts.milliseconds ?? (counts.seconds === undefined ? undefined : Math.round(counts.seconds * 1_000));
  if (milliseconds !== undefined) usage.milliseconds = milliseconds;
}

/** All counts but the input and output tokens. */
export function otherCounts(counts: Counts): Omit<Usage, 'inputTokens' | 'outputTokens'> {
  const usage: WritableUsage = {};
  addOtherCounts(usage, counts);
  return usage;
}

/** Marks the side that a vendor did not count. Nothing when it counted both or neither. */
export function uncountedSide(input: number | undefined, output: number | undefined): Pick<Usage, 'uncounted'> {
  if ((input === undefined) === (output === undefined)) return {};
  return { uncounted: input === undefined ? 'input' : 'output' };
}

/** Tiers that vendors bill at another price. */
const pricedTiers: ReadonlySet<Json | undefined> = new Set(['batch', 'flex']);

export function serviceTierOf(tier: Json | undefined): Pick<Usage, 'serviceTier'> {
  return typeof tier === 'string' && pricedTiers.has(tier) ? { serviceTier: tier } : {};
}
