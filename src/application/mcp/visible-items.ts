/** What one caller finds at one address, and under which names: prefixed at /mcp, the server's own at /mcp/<server>. */
import { publicToolName } from '../../models/tool-names.ts';
import { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { PinnedDefinition } from '../../types/tool-definitions.ts';
import type { McpServerEntry } from '../../types/snapshot.ts';
import { type ServerListing, SourceRefusal, type ToolDefinition } from '../../types/tool-source.ts';
import { type Caller, may, promptCapability, resourceCapability } from '../caller.ts';
import type { CallServices } from '../services.ts';
import { isVirtual, visibleTools } from '../tools/server-tools.ts';

/** A thing of `server` that is called `name` there, and `shown` here. */
export interface VisibleItem<D> {
  readonly server: McpServerEntry;
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

function shownName({ only }: Place, server: McpServerEntry, name: string): string {
  return only === null ? publicToolName(server.spec.prefix ?? server.name, name) : name;
}

/** Where two servers have the same prefix, the second one's things are called by its own name. */
function told<D>(all: readonly VisibleItem<D>[]): readonly VisibleItem<D>[] {
  const taken = new Set<string>();
  return all.map((each) => {
    const shown = taken.has(each.shown) ? publicToolName(each.server.name, each.name) : each.shown;
    taken.add(shown);
    return shown === each.shown ? each : { ...each, shown };
  });
}

export function visibleToolItems(place: Place): readonly VisibleItem<ToolDefinition>[] {
  const { services, caller, servers } = place;
  const real = servers.filter((server) => !isVirtual(server));
  const direct = real.flatMap((server) => visibleTools(services, caller, server));
  const known = new Set(direct.map(({ source, definition }) => `${source.id} ${definition.name}`));
  // A virtual server adds what its caller cannot reach otherwise; nobody needs the same tool twice.
  const selected = servers
    .filter(isVirtual)
    .flatMap((server) => visibleTools(services, caller, server))
    .filter(({ source, definition }) => !known.has(`${source.id} ${definition.name}`));
  return told(
    [...direct, ...selected].map(({ server, name, definition }) => ({ server, name, shown: shownName(place, server, name), definition })),
  );
}

export function visiblePrompts(place: Place): readonly VisibleItem<JsonObject>[] {
  const { services, caller, servers } = place;
  return told(
    servers.flatMap((server) =>
      services.catalogue
        .offer(server)
        .prompts.filter(({ name }) => may(caller, 'view', promptCapability(server, name)))
        .map((definition) => ({ server, name: definition.name, shown: shownName(place, server, definition.name), definition })),
    ),
  );
}

/** Resources and templates keep their addresses everywhere: what a tool's result points to must be found under the same. */
export function visibleResources({ services, caller, servers }: Place): Pick<ServerListing, 'resources' | 'templates'> {
  const visible = (server: McpServerEntry, uri: string): boolean => may(caller, 'view', resourceCapability(server, uri));
  return {
    resources: servers.flatMap((server) => services.catalogue.offer(server).resources.filter(({ uri }) => visible(server, uri))),
    templates: servers.flatMap((server) =>
      services.catalogue.offer(server).templates.filter(({ uriTemplate }) => visible(server, uriTemplate)),
    ),
  };
}

/** True if there is anything here for the caller. */
export function hasVisibleItems(place: Place): boolean {
  if (visibleToolItems(place).length > 0 || visiblePrompts(place).length > 0) return true;
  const { resources, templates } = visibleResources(place);
  return resources.length + templates.length > 0;
}

/** By the shown name, or by the server's own if one server alone has it. Undefined for a name that nobody knows; throws for one that several have. */
export function findVisible<D>(all: readonly VisibleItem<D>[], name: string): VisibleItem<D> | undefined {
  const exact = all.find((each) => each.shown === name);
  if (exact !== undefined) return exact;
  const bare = all.filter((each) => each.name === name);
  if (bare.length > 1)
    throw new GatewayError('invalid_request', `Several servers have "${name}"; use ${bare.map((each) => each.shown).join(' or ')}.`);
  return bare[0];
}

/** True if `uri` may have been made from the template (RFC 6570): whatever stands between its fixed parts. */
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

/** True if the resource, or the template that it may be made from, waits for an approval, and no approved one leads to it as well. */
export function isWithheld(pins: readonly PinnedDefinition[], uri: string): boolean {
  const own = pins.find((pin) => pin.kind === 'resource' && pin.name === uri);
  if (own !== undefined) return own.state !== 'approved';
  const templates = pins.filter((pin) => pin.kind === 'template' && (pin.name === uri || isFromTemplate(pin.name, uri)));
  return templates.length > 0 && templates.every((pin) => pin.state !== 'approved');
}

/** The one server whose resource `uri` is, as far as the caller may see. */
export function serverOfResource({ services, caller, servers, only }: Place, uri: string): McpServerEntry {
  const isVisible = (server: McpServerEntry) => may(caller, 'view', resourceCapability(server, uri));
  const withheld = (server: McpServerEntry): boolean => isWithheld(services.catalogue.items(server), uri);
  // At its own address a server may be asked for what it never listed: results of tools point to such resources.
  if (only !== null) {
    if (withheld(only) || !isVisible(only)) throw unknownResource(uri);
    return only;
  }
  const open = servers.filter((server) => !withheld(server) && isVisible(server));
  const listing = open.filter((server) => services.catalogue.offer(server).resources.some((each) => each.uri === uri));
  const candidates =
    listing.length > 0
      ? listing
      : open.filter((server) => services.catalogue.offer(server).templates.some((each) => isFromTemplate(each.uriTemplate, uri)));
  const [first, second] = candidates;
  if (first === undefined) throw unknownResource(uri);
  if (second === undefined) return first;
  throw new GatewayError(
    'invalid_request',
    `Several servers have the resource ${uri.slice(0, 200)}; ask at ${candidates.map((server) => `/mcp/${server.name}`).join(' or ')}.`,
  );
}
