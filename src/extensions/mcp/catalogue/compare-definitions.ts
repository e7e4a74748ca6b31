/** Compares the definitions that a server lists with the approved ones. Pure functions. */
import { canonicalJson } from '../../../schema/canonical-json.ts';
import type { PinnedDefinition, DefinitionKind } from '../../../types/tool-definitions.ts';
import type { JsonObject } from '../../../types/json.ts';
import type { ServerListing } from '../../../types/tool-source.ts';
import { digestOf } from './definition-digest.ts';

/** The pins of one server, by `definitionKey`. */
export type Definitions = ReadonlyMap<string, PinnedDefinition>;
export const definitionKey = (kind: DefinitionKind, name: string): string => `${kind} ${name}`;

/** Names of tools and prompts appear in configuration and URLs. Names of resources are URIs. */
const longestName: Readonly<Record<DefinitionKind, number>> = {
  tool: 300,
  prompt: 300,
  resource: 2_000,
  template: 2_000,
  instructions: 300,
};
/** The databases cannot store longer keys. */
const mostBytes = 2_000;

function isKept(kind: DefinitionKind, name: unknown): name is string {
  if (typeof name !== 'string' || name === '' || name.length > longestName[kind]) return false;
  return name.isWellFormed() && !name.includes('\u0000') && Buffer.byteLength(name) <= mostBytes;
}

/** A time after the pin's last change, because the clock of the node that wrote it may be ahead. */
function later({ changedAt }: PinnedDefinition, now: number): number {
  return Math.max(now, changedAt + 1);
}

/** The first of several definitions with the same name counts, as for every client. Definitions whose name cannot be stored are left out. */
function itemsOf(offer: ServerListing): Map<string, { kind: DefinitionKind; name: string; definition: JsonObject }> {
  const items = new Map<string, { kind: DefinitionKind; name: string; definition: JsonObject }>();
  const add = (kind: DefinitionKind, name: unknown, definition: JsonObject): void => {
    if (isKept(kind, name) && !items.has(definitionKey(kind, name))) items.set(definitionKey(kind, name), { kind, name, definition });
  };
  for (const tool of offer.tools) add('tool', tool.name, tool as unknown as JsonObject);
  for (const resource of offer.resources) add('resource', resource.uri, resource);
  for (const template of offer.templates) add('template', template.uriTemplate, template);
  for (const prompt of offer.prompts) add('prompt', prompt.name, prompt);
  const { instructions } = offer;
  if (instructions !== undefined) add('instructions', 'instructions', { instructions });
  return items;
}

export interface Compared {
  /** Pins to write; empty if nothing changed. */
  readonly changed: readonly PinnedDefinition[];
  /** Pins to delete: approved resources that the server no longer lists. */
  readonly gone: readonly PinnedDefinition[];
  /** Pins that this listing put into quarantine. */
  readonly quarantined: readonly PinnedDefinition[];
}

/**
 * Compares a listing with the pins. The first listing of a server is trusted. After that, a definition that differs from the approved one
 * is quarantined. With `approve`, new definitions are quarantined too.
 */
export function compare(
  server: { readonly id: string; readonly tenant: string },
  pins: Definitions,
  offer: ServerListing,
  newItems: 'allow' | 'approve',
  now: number,
): Compared {
  const changed: PinnedDefinition[] = [];
  const quarantined: PinnedDefinition[] = [];
  const items = itemsOf(offer);
  const trusted = pins.size === 0 || newItems === 'allow';
  for (const [key, { kind, name, definition }] of items) {
    const digest = digestOf(kind, definition);
    const before = pins.get(key);
    const base = {
      server: server.id,
      tenant: server.tenant,
      kind,
      name,
      present: true,
      changedAt: before === undefined ? now : later(before, now),
    };
    const asApproved = { state: 'approved', definition, digest, seenDefinition: null, seenDigest: null } as const;
    if (before === undefined) {
      const pin: PinnedDefinition = trusted
        ? { ...base, ...asApproved, decidedBy: null }
        : { ...base, state: 'new', definition: null, digest: '', seenDefinition: definition, seenDigest: digest, decidedBy: null };
      changed.push(pin);
      if (!trusted) quarantined.push(pin);
    } else if (before.definition !== null && digest === before.digest) {
      // Approved, or changed back to the approved form. Fields outside the digest may have changed.
      if (before.state !== 'approved' || !before.present || canonicalJson(definition) !== canonicalJson(before.definition))
        changed.push({ ...base, ...asApproved, decidedBy: before.decidedBy });
    } else if (digest !== before.seenDigest || !before.present) {
      const pin: PinnedDefinition = {
        ...before,
        ...base,
        state: before.definition === null ? 'new' : 'changed',
        seenDefinition: definition,
        seenDigest: digest,
      };
      changed.push(pin);
      if (digest !== before.seenDigest) quarantined.push(pin);
    }
  }
  const absent = [...pins].filter(([key, pin]) => pin.present && !items.has(key)).map(([, pin]) => pin);
  // A quarantined definition stays pinned when it disappears, so that it returns as quarantined.
  const stays = (pin: PinnedDefinition): boolean => pin.kind !== 'resource' || pin.state === 'changed';
  return {
    changed: [...changed, ...absent.filter(stays).map((pin) => ({ ...pin, present: false, changedAt: later(pin, now) }))],
    gone: absent.filter((pin) => !stays(pin)),
    quarantined,
  };
}

/** The pin with the offered definition approved. Null if that definition does not match `digest`. */
export function approved(pin: PinnedDefinition, digest: string, by: string, now: number): PinnedDefinition | null {
  if (pin.state === 'approved' || pin.seenDefinition === null || pin.seenDigest !== digest) return null;
  return {
    ...pin,
    state: 'approved',
    definition: pin.seenDefinition,
    digest,
    seenDefinition: null,
    seenDigest: null,
    changedAt: later(pin, now),
    decidedBy: by,
  };
}

/** The listing that clients see: definitions that are present and approved, sorted by name. */
export function offered(pins: Definitions): ServerListing {
  const of = (kind: DefinitionKind): never[] =>
    [...pins.values()]
      .filter((pin) => pin.kind === kind && pin.present && pin.state === 'approved')
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map((pin) => pin.definition as never);
  const [known] = of('instructions') as readonly { readonly instructions: string }[];
  return {
    tools: of('tool'),
    resources: of('resource'),
    templates: of('template'),
    prompts: of('prompt'),
    ...(known === undefined ? {} : { instructions: known.instructions }),
  };
}
