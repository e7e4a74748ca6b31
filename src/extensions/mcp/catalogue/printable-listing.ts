/** What an MCP server offers, fit to be shown: its words go to people's clients and into prompts. */
import type { Json, JsonObject } from '../../../types/json.ts';
import { isJsonObject } from '../../../types/json.ts';
import { printable, printableLine } from '../../../types/printable-text.ts';
import type { ServerListing } from '../../../types/tool-source.ts';

/** Texts for readers; all else in a definition, such as the values of an enum, goes back to the server and stays as it is. */
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

/** Leaves out what is called by a name or address that cannot be read; texts are made readable. */
export function printableListing({ tools, resources, templates, prompts }: ServerListing): ServerListing {
  const clean = <T>(list: readonly T[], called: (item: T) => unknown): readonly T[] =>
    list.filter((item) => isPrintable(called(item))).map((item) => readable(item as JsonObject) as T);
  const named = <T extends JsonObject>(list: readonly T[]): readonly T[] =>
    list.map((item) => (typeof item['name'] === 'string' ? { ...item, name: printableLine(item['name']) } : item));
  return {
    tools: clean(tools, ({ name }) => name),
    resources: named(clean(resources, ({ uri }) => uri)),
    templates: named(clean(templates, ({ uriTemplate }) => uriTemplate)),
    prompts: clean(prompts, ({ name }) => name),
  };
}
