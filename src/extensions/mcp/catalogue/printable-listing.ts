/** Makes the texts of an MCP server's listing printable, because they reach clients and prompts. */
import type { Json, JsonObject } from '../../../types/json.ts';
import { isJsonObject } from '../../../types/json.ts';
import { printable, printableLine } from '../../../types/printable-text.ts';
import type { ServerListing } from '../../../types/tool-source.ts';

/** Cleans texts for readers. Other values, such as those of an enum, go back to the server and stay unchanged. */
function readable(value: Json): Json {
  if (Array.isArray(value)) return value.map(readable);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (typeof inner !== 'string') return [key, readable(inner as Json)];
      return [key, key === 'description' ? printable(inner) : key === 'title' ? printableLine(inner) : inner];
    }),
  );
}

const isPrintable = (text: unknown): boolean => typeof text !== 'string' || printableLine(text) === text;

/** Leaves out definitions whose name or URI is not printable, and cleans the other texts. */
export function printableListing({ tools, resources, templates, prompts, instructions, problems }: ServerListing): ServerListing {
  const clean = <T>(list: readonly T[], called: (item: T) => unknown): readonly T[] =>
    list.filter((item) => isPrintable(called(item))).map((item) => readable(item as JsonObject) as T);
  const named = <T extends JsonObject>(list: readonly T[]): readonly T[] =>
    list.map((item) => (typeof item['name'] === 'string' ? { ...item, name: printableLine(item['name']) } : item));
  return {
    tools: clean(tools, ({ name }) => name),
    resources: named(clean(resources, ({ uri }) => uri)),
    templates: named(clean(templates, ({ uriTemplate }) => uriTemplate)),
    prompts: clean(prompts, ({ name }) => name),
    ...(instructions === undefined ? {} : { instructions: printable(instructions) }),
    ...(problems === undefined ? {} : { problems: problems.map((problem) => printableLine(problem)) }),
  };
}
