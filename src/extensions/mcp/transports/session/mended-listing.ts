/** Mends the listings of careless servers before the SDK reads them: one malformed definition must not hide all others. */
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { mendedResult, withoutNulls } from './mended-result.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../../types/json.ts';

/** Validates one definition as the SDK would. Returns what is wrong with it, or null. */
type Check = (definition: JsonObject) => string | null;

export type ListMember = 'tools' | 'resources' | 'resourceTemplates' | 'prompts';

interface ListKind {
  readonly member: ListMember;
  readonly title: string;
  readonly nameOf: (definition: JsonObject) => Json | undefined;
  readonly check: Check;
}

export interface ListingMender {
  /** The message, with mended definitions and without those that cannot be mended. */
  mend(message: Json): Json;
  /** What was left out or changed since `start`. */
  readonly problems: readonly string[];
  /** The definitions since `start`, by the member of the result. The SDK's own copies lack members that its schemas do not know. */
  definitions(member: ListMember): readonly JsonObject[];
  start(): void;
}

/** Keywords of a JSON Schema whose value may be null. */
const nullable: ReadonlySet<string> = new Set(['const', 'default']);

/** A schema that leaves out its type says nothing else than an object, because arguments are one. */
function asObjectSchema(schema: Json | undefined): Json {
  if (schema === undefined || schema === null) return { type: 'object' };
  if (!isJsonObject(schema)) return schema;
  return { type: 'object', ...Object.fromEntries(Object.entries(schema).filter(([key, each]) => each !== null || nullable.has(key))) };
}

function mendedTool(given: JsonObject): JsonObject {
  const tool: Record<string, Json | undefined> = { ...withoutNulls(given) };
  tool['inputSchema'] = asObjectSchema(tool['inputSchema']);
  if (isJsonObject(tool['annotations'])) tool['annotations'] = withoutNulls(tool['annotations']);
  // Pailou serves no tasks, so a client must not be offered them.
  if (isJsonObject(tool['execution'])) {
    const { taskSupport: _unserved, ...execution } = tool['execution'];
    if (Object.keys(execution).length === 0) delete tool['execution'];
    else tool['execution'] = execution;
  }
  return tool;
}

/** What the schema of a tool's output must be for clients of every protocol era; null if it is that. */
function outputFault(schema: Json): string | null {
  if (!isJsonObject(schema)) return 'it is not an object';
  return schema['type'] === 'object' ? null : 'its type is not "object"';
}

const needsTasks = ({ execution }: JsonObject): boolean => isJsonObject(execution) && execution['taskSupport'] === 'required';

/** Pages may repeat what an earlier one had. */
function uniqueOf(definitions: readonly JsonObject[], nameOf: ListKind['nameOf'] | undefined): readonly JsonObject[] {
  const names = new Set<Json | undefined>();
  return definitions.filter((definition) => {
    const name = nameOf?.(definition);
    if (names.has(name)) return false;
    names.add(name);
    return true;
  });
}

const shown = (name: unknown): string => (typeof name === 'string' && name !== '' ? `"${name.slice(0, 200)}"` : 'without a name');

/** `checks`: by the names of the protocol's types, such as `Tool`. */
export function createListingMender(checks: (type: string) => Check): ListingMender {
  const kinds: readonly ListKind[] = [
    { member: 'tools', title: 'tool', nameOf: ({ name }) => name, check: checks('Tool') },
    { member: 'resources', title: 'resource', nameOf: ({ uri }) => uri, check: checks('Resource') },
    {
      member: 'resourceTemplates',
      title: 'resource template',
      nameOf: ({ uriTemplate }) => uriTemplate,
      check: checks('ResourceTemplate'),
    },
    { member: 'prompts', title: 'prompt', nameOf: ({ name }) => name, check: checks('Prompt') },
  ];
  let problems: string[] = [];
  let collected = new Map<string, JsonObject[]>();

  const checkBlock = checks('ContentBlock');
  const isReadable = (block: JsonObject): boolean => checkBlock(block) === null;

  const mendedList = (list: readonly Json[], { member, title, nameOf, check }: ListKind): JsonObject[] => {
    const names = new Set<string>();
    return list.flatMap((given) => {
      const leaveOut = (why: string): [] => {
        problems.push(`The ${title} ${shown(isJsonObject(given) ? nameOf(given) : null)} is left out: ${why}.`);
        return [];
      };
      if (!isJsonObject(given)) return leaveOut('its definition is not an object');
      if (member === 'tools' && needsTasks(given)) return leaveOut('it runs as a task only, and tasks are not served');
      const definition: Record<string, Json | undefined> = { ...(member === 'tools' ? mendedTool(given) : withoutNulls(given)) };
      const name = nameOf(definition);
      if (name === '') return leaveOut('its name is empty');
      if (typeof name === 'string' && names.has(name)) return leaveOut('there is another one of this name before it');
      const { outputSchema } = definition;
      if (member === 'tools' && outputSchema !== undefined) {
        const schema = asObjectSchema(outputSchema);
        const wrong = outputFault(schema);
        definition['outputSchema'] = schema;
        if (wrong !== null) {
          delete definition['outputSchema'];
          problems.push(`The output schema of the ${title} ${shown(name)} is left out: ${wrong}.`);
        }
      }
      const fault = check(definition);
      if (fault !== null) return leaveOut(fault);
      if (typeof name === 'string') names.add(name);
      return [definition];
    });
  };

  return {
    get problems() {
      return problems;
    },
    definitions: (member) => uniqueOf(collected.get(member) ?? [], kinds.find((kind) => kind.member === member)?.nameOf),
    start() {
      problems = [];
      collected = new Map();
    },
    mend(message) {
      if (!isJsonObject(message)) return message;
      const { result } = message;
      if (!isJsonObject(result)) return message;
      const kind = kinds.find(({ member }) => Array.isArray(result[member]));
      if (kind !== undefined) {
        const list = mendedList(result[kind.member] as Json[], kind);
        collected.set(kind.member, [...(collected.get(kind.member) ?? []), ...list]);
        return { ...message, result: { ...withoutNulls(result), [kind.member]: list } };
      }
      const isHandshake = 'protocolVersion' in result || 'supportedVersions' in result;
      return { ...message, result: isHandshake ? withoutNulls(result) : mendedResult(result, isReadable) };
    },
  };
}

/** Passes each message of the transport through the mender. */
export function mendMessages(transport: Transport, mender: ListingMender): void {
  let handler: Transport['onmessage'];
  const mended: NonNullable<Transport['onmessage']> = (message, extra) =>
    handler?.(mender.mend(message as unknown as Json) as unknown as JSONRPCMessage, extra);
  Object.defineProperty(transport, 'onmessage', {
    configurable: true,
    get: () => (handler === undefined ? undefined : mended),
    set(next: Transport['onmessage']) {
      handler = next;
    },
  });
}

/** The checks of the SDK, which is loaded with the first connection. */
export async function protocolChecks(): Promise<(type: string) => Check> {
  const { specTypeSchemas } = await import('@modelcontextprotocol/client');
  const schemas = specTypeSchemas as unknown as Readonly<Record<string, Sdk>>;
  return (type) => (definition) => {
    const checked = schemas[type]?.['~standard'].validate(definition);
    const issue = checked?.issues?.[0];
    if (issue === undefined) return null;
    const path = (issue.path ?? []).map((part) => (typeof part === 'object' ? String(part.key) : String(part))).join('.');
    return `${path === '' ? '' : `${path}: `}${issue.message.slice(0, 300)}`;
  };
}

interface Sdk {
  readonly '~standard': {
    validate(value: unknown): {
      readonly issues?: readonly { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] }[];
    };
  };
}
