/**
 * The label of an MCP server: what stands before the names of its tools and prompts at /mcp. Who owns a label is settled by the age of the
 * rows, whether they are switched on or not, so that no save, restart or withheld tool hands it to another server.
 */
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';

/** These stand before the names of skills, and before those of this protocol in references. */
export const reservedLabels: readonly string[] = ['skill', 'mcp'];

type Row = Pick<ConfigRow, 'id' | 'name' | 'spec' | 'createdAt'>;

export function byAge(one: Pick<ConfigRow, 'id' | 'createdAt'>, other: Pick<ConfigRow, 'id' | 'createdAt'>): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? -1 : 1;
  return one.id < other.id ? -1 : 1;
}

/** What stands before the first `__` of every name that begins with the label: only labels that agree in it can make the same name. */
const rootOf = (label: string): string => `${label}__`.split('__', 1)[0] ?? '';

/** True if two tools under these labels could have one name: `a` and `a__b` both make `a__b__c`, `a` and `a_` both make `a___c`. */
export function labelsCollide(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  return long === short || long === `${short}_` || long.startsWith(`${short}__`);
}

export interface LabelFault {
  readonly name: string;
  readonly error: GatewayError;
}

export interface Labels {
  /** By the name of the row; null where its things have no name at /mcp that is theirs alone. */
  readonly of: ReadonlyMap<string, string | null>;
  readonly faults: readonly LabelFault[];
}

function taken(param: string, label: string, by: string): GatewayError {
  const holder = reservedLabels.includes(by) ? `"${by}" is reserved` : `the MCP server "${by}" has it`;
  const sentence = `${param}: tools named ${label}__… would be mistaken for others, because ${holder}; choose another ${param === 'name' ? 'name' : 'prefix'}.`;
  return new GatewayError('configuration_invalid', sentence, { param });
}

/** A server holds its name and its prefix. The older row keeps what two of them want; the younger is shown under what is left to it. */
export function mcpLabels(rows: Iterable<Row>): Labels {
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
  for (const { name, spec } of [...rows].toSorted(byAge)) {
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
