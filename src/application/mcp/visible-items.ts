/** The items that one caller finds at one address, and their names: prefixed at /mcp, the server's own at /mcp/<server>. */
import { looksPublic, publicToolName } from '../../models/tool-names.ts';
import { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { PinnedDefinition } from '../../types/tool-definitions.ts';
import type { McpServerEntry } from '../../types/snapshot.ts';
import { type ServerListing, SourceRefusal, type ToolDefinition } from '../../types/tool-source.ts';
import { type Caller, may, promptCapability, resourceCapability, toolCapability } from '../caller.ts';
import type { CallServices } from '../services.ts';
import { isVirtual, sourcesOf, visibleTools } from '../tools/server-tools.ts';
import { claimantsOf, requireOwner } from './name-owners.ts';
import { skillOfAddress } from './skill-folders.ts';

/** An item that is called `name` at `server`, and `shown` at this address. */
export interface VisibleItem<D> {
  readonly server: McpServerEntry;
  /** The server that provides it. Differs from `server` when that is virtual. */
  readonly source: McpServerEntry;
  readonly name: string;
  readonly shown: string;
  readonly definition: D;
}

/** `only`: the server of the address, null at /mcp. */
export interface Place {
  readonly services: CallServices;
  readonly caller: Caller;
  readonly servers: readonly McpServerEntry[];
  readonly only: McpServerEntry | null;
}

/** The name under which clients see an item. Null at `/mcp` when other rows use both the name and the prefix of its server. */
function shownName({ only }: Place, server: McpServerEntry, name: string): string | null {
  if (only !== null) return name;
  const { label = server.name } = server;
  return label === null ? null : publicToolName(label, name);
}

/** Removes duplicates and items without a name at this address. */
function named<D>(place: Place, all: readonly Omit<VisibleItem<D>, 'shown'>[]): readonly VisibleItem<D>[] {
  const items = new Map<string, VisibleItem<D>>();
  for (const each of all) {
    const shown = shownName(place, each.server, each.name);
    if (shown !== null && !items.has(shown)) items.set(shown, { ...each, shown });
  }
  return [...items.values()];
}

export function visibleToolItems(place: Place): readonly VisibleItem<ToolDefinition>[] {
  const { services, caller, servers } = place;
  const real = servers.filter((server) => !isVirtual(server));
  const direct = real.flatMap((server) => visibleTools(services, caller, server));
  const known = new Set(direct.map(({ source, definition }) => `${source.id} ${definition.name}`));
  // A virtual server adds only tools that the caller cannot reach otherwise, so that no tool is listed twice.
  const selected = servers
    .filter(isVirtual)
    .flatMap((server) => visibleTools(services, caller, server))
    .filter(({ source, definition }) => !known.has(`${source.id} ${definition.name}`));
  return named(place, [...direct, ...selected]);
}

export function visiblePrompts(place: Place): readonly VisibleItem<JsonObject>[] {
  const { services, caller, servers } = place;
  return named(
    place,
    servers.flatMap((server) =>
      services.catalogue
        .offer(server)
        .prompts.filter(({ name }) => may(caller, 'view', promptCapability(server, name)))
        .map((definition) => ({ server, source: server, name: definition.name, definition })),
    ),
  );
}

/** True for an address of a skill. A server's resource never replaces it. */
function isOfSkill({ only, caller }: Place, uri: string): boolean {
  return only === null && caller.view.skillNames.has(skillOfAddress(uri) ?? '');
}

/** Resources and templates have the same addresses everywhere, so that links in tool results resolve. Each is listed once. */
export function visibleResources(place: Place): Pick<ServerListing, 'resources' | 'templates'> {
  const { services, caller, servers } = place;
  const visible = (server: McpServerEntry, uri: string): boolean =>
    !isOfSkill(place, uri) && may(caller, 'view', resourceCapability(server, uri));
  const resources = new Map<string, ServerListing['resources'][number]>();
  const templates = new Map<string, ServerListing['templates'][number]>();
  for (const server of servers) {
    const offer = services.catalogue.offer(server);
    for (const each of offer.resources) if (!resources.has(each.uri) && visible(server, each.uri)) resources.set(each.uri, each);
    for (const each of offer.templates)
      if (!templates.has(each.uriTemplate) && visible(server, each.uriTemplate)) templates.set(each.uriTemplate, each);
  }
  return { resources: [...resources.values()], templates: [...templates.values()] };
}

/**
 * The instructions of the servers of which the caller finds anything here. At the address of one server they are its own words, elsewhere
 * each stands below the name of its server.
 */
export function visibleInstructions(place: Place): string | undefined {
  const { services, caller, servers, only } = place;
  const sources = [...new Set(servers.flatMap((server) => sourcesOf(caller, server)))];
  const found = sources.flatMap((source) => {
    const { instructions } = services.catalogue.offer(source);
    const through = servers.filter((server) => server === source || sourcesOf(caller, server).includes(source));
    return instructions !== undefined && through.some((server) => hasVisibleItems({ ...place, servers: [server] }))
      ? [{ source, instructions }]
      : [];
  });
  if (found.length === 0) return undefined;
  const [first] = found;
  if (only !== null && first?.source === only) return first.instructions;
  return found.map(({ source, instructions }) => `## ${source.name}\n\n${instructions}`).join('\n\n');
}

/** True if the caller finds any item here. */
export function hasVisibleItems(place: Place): boolean {
  if (visibleToolItems(place).length > 0 || visiblePrompts(place).length > 0) return true;
  const { resources, templates } = visibleResources(place);
  return resources.length + templates.length > 0;
}

/**
 * By the displayed name, or by the server's own name when it is unique and does not look like a displayed one. Undefined for an unknown
 * name. Throws when several items have the name, including items that are quarantined, switched off or disabled.
 */
export function findVisible<D>(
  { services, caller, only }: Place,
  kind: 'tool' | 'prompt',
  all: readonly VisibleItem<D>[],
  name: string,
): VisibleItem<D> | undefined {
  const exact = all.find((each) => each.shown === name);
  if (exact !== undefined) return exact;
  const bare = all.filter((each) => each.name === name);
  const [first] = bare;
  if (first === undefined || only !== null) return first;
  // The text before the underscores names the owner, even while that server or skill does not exist.
  if (looksPublic(name)) return undefined;
  const remedy = `use ${bare.map((each) => each.shown).join(' or ')}`;
  const isOfSkillToo = kind === 'prompt' && caller.view.skillNames.has(name);
  if (bare.length > 1 || isOfSkillToo)
    throw new GatewayError('invalid_request', `Several ${isOfSkillToo ? 'skills and servers' : 'servers'} have "${name}"; ${remedy}.`);
  const capabilityOf = kind === 'tool' ? toolCapability : promptCapability;
  const maySee = (server: McpServerEntry): boolean => may(caller, 'view', capabilityOf(server, name));
  requireOwner(
    first.source,
    claimantsOf(services, caller.view, kind, (pin) => pin.name === name),
    maySee,
    { name, remedy },
  );
  return first;
}

/** True if `uri` matches the template (RFC 6570), with any text between its fixed parts. */
export function isFromTemplate(template: string, uri: string): boolean {
  const parts = template.split(/\{[^{}]*\}/);
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const found = index === 0 ? (uri.startsWith(part) ? 0 : -1) : uri.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return parts.at(-1) === '' || uri.endsWith(parts.at(-1) ?? '');
}

export function unknownResource(uri: string): SourceRefusal {
  return new SourceRefusal(`There is no resource ${uri.slice(0, 200)} for you here.`, -32_602, { uri });
}

/** True if the resource or its template waits for an approval, and no approved one leads to it too. */
export function isQuarantined(pins: readonly PinnedDefinition[], uri: string): boolean {
  const own = pins.find((pin) => pin.kind === 'resource' && pin.name === uri);
  if (own !== undefined) return own.state !== 'approved';
  const templates = pins.filter((pin) => pin.kind === 'template' && (pin.name === uri || isFromTemplate(pin.name, uri)));
  return templates.length > 0 && templates.every((pin) => pin.state !== 'approved');
}

/** The server that owns the resource `uri`, among those that the caller may view. */
export function serverOfResource(place: Place, uri: string): McpServerEntry {
  const { services, caller, only } = place;
  const isVisible = (server: McpServerEntry) => may(caller, 'view', resourceCapability(server, uri));
  const quarantined = (server: McpServerEntry): boolean => isQuarantined(services.catalogue.items(server), uri);
  // At its own address a server may be asked for unlisted resources, because results of tools link to them.
  if (only !== null) {
    if (quarantined(only) || !isVisible(only)) throw unknownResource(uri);
    return only;
  }
  if (isOfSkill(place, uri)) throw unknownResource(uri);
  const claim = (kind: 'resource' | 'template', matches: (name: string) => boolean) =>
    claimantsOf(services, caller.view, kind, ({ name }) => matches(name));
  const listing = claim('resource', (name) => name === uri);
  const claimants = listing.length > 0 ? listing : claim('template', (name) => name === uri || isFromTemplate(name, uri));
  const seen = claimants.flatMap(({ server }) => (server !== null && isVisible(server) ? [server] : []));
  const [first] = seen;
  if (first === undefined) throw unknownResource(uri);
  const remedy = `ask at ${seen.map((server) => `/mcp/${server.name}`).join(' or ')}`;
  requireOwner(first, claimants, isVisible, { name: uri, remedy });
  if (quarantined(first)) throw unknownResource(uri);
  return first;
}
