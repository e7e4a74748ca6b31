/** The label of an MCP server: the prefix of its tools and prompts at /mcp. The oldest row owns a label, enabled or not, so that no save, restart or quarantine moves it to another server. */
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';

/** Reserved: prefixes of skills, and of MCP references. */
export const reservedLabels: readonly string[] = ['skill', 'mcp'];

type Row = Pick<ConfigRow, 'id' | 'name' | 'spec' | 'createdAt'>;

export function byAge(one: Pick<ConfigRow, 'id' | 'createdAt'>, other: Pick<ConfigRow, 'id' | 'createdAt'>): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? -1 : 1;
  return one.id < other.id ? -1 : 1;
}

/** The part before the first `__` of every name with the label, in small letters. Only labels with the same root can collide. */
const rootOf = (label: string): string => `${label.toLowerCase()}__`.split('__', 1)[0] ?? '';

/**
 * True when tools under these labels could get one name: `a` and `a__b` both make `a__b__c`, `a` and `a_` both make `a___c`. Also true for
 * names that differ in case alone, which models and some clients do not tell apart.
 */
export function labelsCollide(one: string, other: string): boolean {
  const labels = [one.toLowerCase(), other.toLowerCase()] as const;
  const [short, long] = labels[0].length <= labels[1].length ? labels : [labels[1], labels[0]];
  return long === short || long === `${short}_` || long.startsWith(`${short}__`);
}

export interface LabelFault {
  readonly name: string;
  readonly error: GatewayError;
}

export interface Labels {
  /** By row name; null for a server without a label of its own. */
  readonly of: ReadonlyMap<string, string | null>;
  readonly faults: readonly LabelFault[];
}

function taken(param: string, label: string, by: string): GatewayError {
  const holder = reservedLabels.includes(by) ? `"${by}" is reserved` : `the MCP server "${by}" has it`;
  const sentence = `${param}: tools named ${label}__… would be mistaken for others, because ${holder}; choose another ${param === 'name' ? 'name' : 'prefix'}.`;
  return new GatewayError('configuration_invalid', sentence, { param });
}

/** A server claims its name and its prefix. On a conflict the older row wins; the younger one uses what is left. */
export const mcpLabels = (rows: Iterable<Row>): Labels => labelsInOrder([...rows].toSorted(byAge));

/** As `mcpLabels`; on a conflict the earlier row wins. */
export function labelsInOrder(rows: readonly Row[]): Labels {
  const claims = new Map<string, { label: string; by: string }[]>();
  const claim = (label: string, by: string): void => {
    const root = rootOf(label);
    claims.set(root, [...(claims.get(root) ?? []), { label, by }]);
  };
  const holderOf = (label: string, asker: string): string | null =>
    claims.get(rootOf(label))?.find((each) => each.by !== asker && labelsCollide(each.label, label))?.by ?? null;
  for (const label of reservedLabels) claim(label, label);
  const of = new Map<string, string | null>();
  const faults: LabelFault[] = [];
  for (const { name, spec } of rows) {
    const prefix = typeof spec['prefix'] === 'string' ? spec['prefix'] : null;
    const [nameHeldBy, prefixHeldBy] = [holderOf(name, name), prefix === null ? null : holderOf(prefix, name)];
    if (nameHeldBy !== null) faults.push({ name, error: taken('name', name, nameHeldBy) });
    else claim(name, name);
    if (prefix !== null && prefixHeldBy !== null) faults.push({ name, error: taken('spec.prefix', prefix, prefixHeldBy) });
    else if (prefix !== null) claim(prefix, name);
    const own = nameHeldBy === null ? name : null;
    of.set(name, prefix !== null && prefixHeldBy === null ? prefix : own);
  }
  return { of, faults };
}
