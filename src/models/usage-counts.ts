/** Reads the counts of an answer by a table of paths, so that a vendor's new field is one line of data. */
import type { Usage } from '../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { CountName, CountPaths } from '../types/wire-format.ts';

export type Counts = Readonly<Partial<Record<CountName, number>>>;

interface CompiledPath {
  /** The index of the object that holds the count. */
  readonly parent: number;
  readonly member: string;
}

/** A table of paths, split once. Each object on the paths is looked up once per answer: some vendors send counts in each chunk. */
interface CompiledTable {
  readonly parents: readonly (readonly string[])[];
  readonly counts: readonly (readonly [name: CountName, paths: readonly CompiledPath[]])[];
}

const compiled = new WeakMap<CountPaths, CompiledTable>();

function compileTable(table: CountPaths): CompiledTable {
  const parents: string[] = [];
  const compilePath = (path: string): CompiledPath => {
    const dot = path.lastIndexOf('.');
    const parent = path.slice(0, Math.max(0, dot));
    if (!parents.includes(parent)) parents.push(parent);
    return { parent: parents.indexOf(parent), member: path.slice(dot + 1) };
  };
  const counts = Object.entries(table).map(([name, paths]) => [name as CountName, paths.map(compilePath)] as const);
  return { parents: parents.map((path) => (path === '' ? [] : path.split('.'))), counts };
}

function tableOf(table: CountPaths): CompiledTable {
  let known = compiled.get(table);
  if (known === undefined) compiled.set(table, (known = compileTable(table)));
  return known;
}

function objectAt(answer: JsonObject, path: readonly string[]): JsonObject | undefined {
  let object = answer;
  for (const name of path) {
    const value = object[name];
    if (!isJsonObject(value)) return undefined;
    object = value;
  }
  return object;
}

function addCounts(answer: JsonObject, table: CountPaths, counts: Partial<Record<CountName, number>>): void {
  const { parents, counts: rows } = tableOf(table);
  const objects = parents.map((path) => objectAt(answer, path));
  for (const [name, paths] of rows) {
    if (counts[name] !== undefined) continue;
    for (const { parent, member } of paths) {
      const value = objects[parent]?.[member];
      if (typeof value !== 'number') continue;
      counts[name] = value;
      break;
    }
  }
}

/** The first number for each row of the tables, `more` before `common`. Plausibility is checked later, for all formats alike. */
export function readCounts(answer: JsonObject, common: CountPaths, more?: CountPaths): Counts {
  const counts: Partial<Record<CountName, number>> = {};
  if (more !== undefined) addCounts(answer, more, counts);
  addCounts(answer, common, counts);
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

/** All counts but the input and output tokens. */
export function otherCounts(counts: Counts): Omit<Usage, 'inputTokens' | 'outputTokens'> {
  const usage: { -readonly [Name in keyof Usage]?: Usage[Name] } = {};
  for (const name of copied) if (counts[name] !== undefined) usage[name] = counts[name];
  const milliseconds = counts.milliseconds ?? (counts.seconds === undefined ? undefined : Math.round(counts.seconds * 1_000));
  if (milliseconds !== undefined) usage.milliseconds = milliseconds;
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
