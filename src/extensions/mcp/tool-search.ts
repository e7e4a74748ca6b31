/** Search mode for large sets of tools: the client sees `search_tools` and `call_tool` instead of hundreds of definitions. */
import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';
import type MiniSearch from 'minisearch';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { ToolDefinition, ToolResult } from '../../types/tool-source.ts';

export const searchTools = 'search_tools';
export const callTool = 'call_tool';

const mostFound = 25;
const usuallyFound = 8;
/** Bound on cached indexes. Callers with different permissions have different indexes. */
const keptIndexes = 32;

/** The two tools that the client sees. */
export function searchModeTools(count: number): readonly ToolDefinition[] {
  return [
    {
      name: searchTools,
      title: 'Search tools',
      description: `Finds tools by what they do, among the ${count} that you may use here. Gives their names, descriptions and input schemas. Call what you find with ${callTool}.`,
      inputSchema: {
        type: 'object',
        properties: {
          query: { type: 'string', description: 'What the tool should do, in a few words; empty to list what there is.' },
          limit: { type: 'integer', minimum: 1, maximum: mostFound, default: usuallyFound },
          offset: { type: 'integer', minimum: 0, default: 0 },
        },
        required: ['query'],
      },
      annotations: { readOnlyHint: true },
    },
    {
      name: callTool,
      title: 'Call a tool',
      description: `Calls a tool that ${searchTools} has found.`,
      inputSchema: {
        type: 'object',
        properties: {
          name: { type: 'string', description: 'The name of the tool.' },
          arguments: { type: 'object', description: 'Its input, as its input schema says.' },
        },
        required: ['name'],
      },
    },
  ];
}

/** Splits text of any script into words; `readTextFile` and `read_text_file` are three words each. */
const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });
function searchWords(text: string): string[] {
  const spaced = text.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll(/[_.\-/]+/g, ' ');
  return [...segmenter.segment(spaced)].filter((part) => part.isWordLike === true).map((part) => part.segment.toLowerCase());
}

/** The names and descriptions of the inputs, which often say more than the tool's own description. */
function inputWords({ inputSchema }: ToolDefinition): string {
  const { properties } = inputSchema;
  if (!isJsonObject(properties)) return '';
  return Object.entries(properties)
    .map(([name, schema]) => `${name} ${isJsonObject(schema) && typeof schema['description'] === 'string' ? schema['description'] : ''}`)
    .join(' ');
}

const require = createRequire(import.meta.url);
const indexes = new LRUCache<string, MiniSearch>({ max: keptIndexes });
/** A number for each definition object. The catalogue freezes definitions and replaces the object when one changes. */
const numbers = new WeakMap<object, number>();
let nextNumber = 0;
function numberOf(definition: object): number {
  const known = numbers.get(definition);
  if (known !== undefined) return known;
  numbers.set(definition, ++nextNumber);
  return nextNumber;
}

/** A tool under its shown name, with the catalogue's own definition. */
export interface Searchable {
  readonly shown: string;
  readonly definition: ToolDefinition;
}

function indexOf(tools: readonly Searchable[]): MiniSearch {
  const key = tools.map(({ shown, definition }) => `${shown} ${numberOf(definition)}`).join('\n');
  const known = indexes.get(key);
  if (known !== undefined) return known;
  const Index = require('minisearch') as typeof MiniSearch;
  const index = new Index({
    idField: 'name',
    fields: ['name', 'title', 'description', 'input'],
    tokenize: searchWords,
    processTerm: (term) => term,
    searchOptions: {
      boost: { name: 4, title: 3, description: 2 },
      prefix: (term) => term.length > 2,
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
    },
  });
  index.addAll(
    tools.map(({ shown, definition }) => ({
      name: shown,
      title: definition.title ?? '',
      description: definition.description ?? '',
      input: inputWords(definition),
    })),
  );
  indexes.set(key, index);
  return index;
}

function integer(value: Json | undefined, least: number, most: number, otherwise: number, field: string): number {
  if (value === undefined) return otherwise;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new GatewayError('invalid_request', `${field}: must be a whole number from ${least} to ${most}.`, { param: field });
}

/** Runs a call of `search_tools`. Throws `invalid_request` naming the field. */
export function findTools(tools: readonly Searchable[], input: JsonObject): ToolResult {
  const { query } = input;
  if (typeof query !== 'string') throw new GatewayError('invalid_request', 'query: must be a text.', { param: 'query' });
  const limit = integer(input['limit'], 1, mostFound, usuallyFound, 'limit');
  const offset = integer(input['offset'], 0, 100_000, 0, 'offset');
  const byName = new Map(tools.map((tool) => [tool.shown, tool]));
  const all =
    searchWords(query).length === 0
      ? [...byName.keys()].toSorted()
      : indexOf(tools)
          .search(query.slice(0, 1_000))
          .map(({ id }) => String(id));
  const found = all.slice(offset, offset + limit).map((name) => {
    const { title, description, inputSchema, annotations } = (byName.get(name) as Searchable).definition;
    return {
      name,
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      inputSchema,
      ...(annotations === undefined ? {} : { annotations }),
    };
  });
  const answer: JsonObject = { tools: found, total: all.length, ...(offset + limit < all.length ? { next_offset: offset + limit } : {}) };
  return { content: [{ type: 'text', text: JSON.stringify(answer) }], structuredContent: answer };
}

/** Parses the input of `call_tool`. Throws `invalid_request` naming the field. */
export function wantedTool(input: JsonObject): { readonly name: string; readonly input: JsonObject } {
  const { name, arguments: given = {} } = input;
  if (typeof name !== 'string' || name === '')
    throw new GatewayError('invalid_request', `name: must be the name of a tool; find one with ${searchTools}.`, { param: 'name' });
  if (!isJsonObject(given))
    throw new GatewayError('invalid_request', 'arguments: must be an object, as the input schema of the tool says.', {
      param: 'arguments',
    });
  return { name, input: given };
}
