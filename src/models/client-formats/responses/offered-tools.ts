/** The tools that a Responses request offers, converted to chat completions, and how each call of them returns to the client. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { type ClientRunTool, clientRunTool } from './client-run-tools.ts';
import { flatName, hashedName } from '../../flat-names.ts';
import { pickFields } from '../../pick-fields.ts';
import { invalid, typeName } from './request-errors.ts';

/** A tool that the caller named. */
export interface NamedOrigin {
  readonly kind: 'function' | 'custom';
  readonly name: string;
  readonly namespace: string | undefined;
}

/** What a function name of the request stands for. */
export type Origin = NamedOrigin | { readonly kind: 'client-run'; readonly tool: ClientRunTool };

/** The origin of each function name of a request. */
export interface ToolOrigins {
  of(name: string): Origin | undefined;
  /** The names of free-text tools. */
  readonly customNames: ReadonlySet<string>;
}

function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}\n${name}`;
}

function nameOf(tool: JsonObject, path: string): string {
  const { name } = tool;
  if (typeof name !== 'string' || name === '') throw invalid(`${path}.name`, 'is missing.');
  return name;
}

function grammarOf({ format }: JsonObject): JsonObject {
  if (format === undefined || format === null) return {};
  if (!isJsonObject(format) || format['type'] !== 'grammar') return { format };
  return { format: { type: 'grammar', grammar: pickFields(format, ['syntax', 'definition']) } };
}

/** How warnings name an MCP server that a request names by its address. */
export const serverByAddress = 'mcp with an address';

/** True for an MCP server by address, and for a connector of OpenAI. The ai SDK needs one of the two: any other connector stands for a server of the gateway. */
export function isElsewhere({ server_url: url, connector_id: connector }: JsonObject): boolean {
  return (url !== undefined && url !== null) || (typeof connector === 'string' && connector.startsWith('connector_'));
}

export class OfferedTools implements ToolOrigins {
  /** In the format of chat completions, in the order of the request, without duplicates. */
  readonly tools: JsonObject[] = [];
  /** Types of tools that run at OpenAI. */
  readonly hosted = new Set<string>();
  /** Types of tools beyond functions, for vendors with a part of the Responses format. */
  readonly types = new Set<string>();
  readonly customNames = new Set<string>();
  readonly #origins = new Map<string, Origin>();
  readonly #names = new Map<string, string>();
  readonly #places = new Map<string, number>();

  /** Throws a fault naming the field at `path`. */
  addAll(tools: Json | undefined, path: string): void {
    if (tools === undefined || tools === null) return;
    if (!Array.isArray(tools)) throw invalid(path, 'must be a list.');
    const given = tools as readonly Json[];
    // A search at the vendor needs deferred tools. Those are offered at once instead.
    const hasDeferred = given.some((tool) => isJsonObject(tool) && tool['defer_loading'] === true);
    const isSearched = given.some((tool) => isJsonObject(tool) && tool['type'] === 'tool_search' && tool['execution'] !== 'client');
    given.forEach((tool, index) => {
      const place = `${path}[${index}]`;
      if (!isJsonObject(tool)) throw invalid(place, 'must be an object with a type.');
      if (hasDeferred && tool['type'] === 'tool_search') this.#add({ execution: 'server', ...tool }, place);
      else {
        this.#add(tool, place);
        if (isSearched && tool['defer_loading'] === true) this.#loadDeferred(tool);
      }
    });
  }

  of(name: string): Origin | undefined {
    return this.#origins.get(name);
  }

  /** The function name for a tool, also for one that is not offered any more. */
  nameFor(namespace: string | undefined, name: string): string {
    const known = this.#names.get(keyOf(namespace, name));
    if (known !== undefined) return known;
    return namespace === undefined ? name : flatName(namespace, name);
  }

  /** The function name for a tool that the client itself runs. */
  nameForRun(tool: ClientRunTool): string {
    for (const [name, origin] of this.#origins) if (origin.kind === 'client-run' && origin.tool.call === tool.call) return name;
    return tool.type;
  }

  /** The names of all tools in a namespace. */
  namesIn(namespace: string): readonly string[] {
    return [...this.#names].flatMap(([key, flat]) => (key.startsWith(`${namespace}\n`) ? [flat] : []));
  }

  /** The function name that a choice of `name` means: a plain tool, or the only one of that name in a namespace. */
  chosen(namespace: string | undefined, name: string): string {
    const exact = this.#names.get(keyOf(namespace, name));
    if (exact !== undefined || namespace !== undefined) return exact ?? this.nameFor(namespace, name);
    const within = [...this.#names].flatMap(([key, flat]) => (key.endsWith(`\n${name}`) ? [flat] : []));
    return within.length === 1 ? (within[0] as string) : name;
  }

  #add(tool: JsonObject, path: string): void {
    const { type } = tool;
    if (typeof type !== 'string' || type === '') throw invalid(`${path}.type`, 'is missing.');
    if (type !== 'function') this.types.add(type);
    if (type === 'function') this.#function(tool, path);
    else if (type === 'custom') this.#custom(tool, path);
    else if (type === 'namespace') this.#namespace(tool, path);
    // A server by address would be called by the vendor, with the company's key.
    else if (type === 'mcp' && isElsewhere(tool)) this.hosted.add(serverByAddress);
    // MCP servers and skills that the gateway calls. The tool loop validates their fields.
    else if (type === 'mcp' || type === 'skill') this.tools.push(tool);
    else {
      const own = clientRunTool(tool);
      if (own === undefined) this.hosted.add(typeName(type));
      else this.#clientRun(own, tool);
    }
  }

  #function(tool: JsonObject, path: string, namespace?: string): void {
    const name = nameOf(tool, path);
    const flat = this.#register(namespace, name, { kind: 'function', name, namespace });
    this.#place(flat, { type: 'function', function: { name: flat, ...pickFields(tool, ['description', 'parameters', 'strict']) } });
  }

  #custom(tool: JsonObject, path: string, namespace?: string): void {
    const name = nameOf(tool, path);
    const flat = this.#register(namespace, name, { kind: 'custom', name, namespace });
    this.#place(flat, { type: 'custom', custom: { name: flat, ...pickFields(tool, ['description']), ...grammarOf(tool) } });
  }

  #namespace(tool: JsonObject, path: string): void {
    const namespace = nameOf(tool, path);
    const inner = tool['tools'];
    if (!Array.isArray(inner)) throw invalid(`${path}.tools`, 'must be a list.');
    const { description } = tool;
    (inner as readonly Json[]).forEach((each, index) => {
      const place = `${path}.tools[${index}]`;
      if (!isJsonObject(each)) throw invalid(place, 'must be an object with a type.');
      // The description of the namespace goes with its first tool.
      const own = typeof each['description'] === 'string' ? each['description'] : '';
      const described =
        index > 0 || typeof description !== 'string' || description === ''
          ? each
          : { ...each, description: `${namespace}: ${description}\n\n${own}`.trimEnd() };
      const { type } = each;
      if (type === 'custom') this.#custom(described, place, namespace);
      else if (type === 'function') this.#function(described, place, namespace);
      else this.hosted.add(typeName(type));
    });
  }

  /** OpenAI calls a tool that its search has loaded in a namespace of the tool's own name, and clients look for it there. */
  #loadDeferred({ name }: JsonObject): void {
    const origin = typeof name === 'string' ? this.#origins.get(name) : undefined;
    if (typeof name !== 'string' || origin === undefined || origin.kind === 'client-run' || origin.namespace !== undefined) return;
    const loaded = { ...origin, namespace: name };
    this.#origins.set(name, loaded).set(flatName(name, name), loaded);
    this.#names.set(keyOf(name, name), name);
  }

  #clientRun(own: ClientRunTool, tool: JsonObject): void {
    const flat = this.#register(`${own.type} tool`, own.type, { kind: 'client-run', tool: own }, own.type);
    const given = pickFields(tool, ['description', 'parameters']);
    this.#place(flat, { type: 'function', function: { name: flat, description: own.description, parameters: own.parameters, ...given } });
  }

  #register(namespace: string | undefined, name: string, origin: Origin, wanted?: string): string {
    const key = keyOf(namespace, name);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const plain = wanted ?? (namespace === undefined ? name : flatName(namespace, name));
    const flat = this.#origins.has(plain) ? hashedName(namespace ?? origin.kind, name) : plain;
    this.#names.set(key, flat);
    this.#origins.set(flat, origin);
    if (origin.kind === 'custom') this.customNames.add(flat);
    return flat;
  }

  #place(name: string, tool: JsonObject): void {
    const place = this.#places.get(name);
    if (place !== undefined) this.tools[place] = tool;
    else this.#places.set(name, this.tools.push(tool) - 1);
  }
}
