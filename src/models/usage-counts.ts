/** Reads the counts of an answer by a table of paths, so that a vendor's new field is one line of data. */
import type { Usage } from '../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { CountName, CountPaths } from '../types/wire-format.ts';

export type Counts = Readonly<Partial<Record<CountName, number>>>;

const split = new Map<string, readonly string[]>();

function fieldAt(answer: JsonObject, path: string): Json | undefined {
  let names = split.get(path);
  if (names === undefined) split.set(path, (names = path.split('.')));
  let value: Json | undefined = answer;
  for (const name of names) {
    if (!isJsonObject(value)) return undefined;
    value = value[name];
  }
  return value;
}

/** The first number for each row of the tables, `more` before `common`. Plausibility is checked later, for all formats alike. */
export function readCounts(answer: JsonObject, common: CountPaths, more: CountPaths = {}): Counts {
  const counts: Partial<Record<CountName, number>> = {};
  for (const table of [more, common]) {
    for (const name in table) {
      const member = name as CountName;
      if (counts[member] !== undefined) continue;
      for (const path of table[member] ?? []) {
        const value = fieldAt(answer, path);
        if (typeof value !== 'number') continue;
        counts[member] = value;
        break;
      }
    }
  }
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

/** Tiers that vendors bill at another price. */
const pricedTiers: ReadonlySet<Json | undefined> = new Set(['batch', 'flex']);

export function serviceTierOf(tier: Json | undefined): Pick<Usage, 'serviceTier'> {
  return typeof tier === 'string' && pricedTiers.has(tier) ? { serviceTier: tier } : {};
}
