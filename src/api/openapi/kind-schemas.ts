/** The options of each kind for the description of the API: one schema for each kind, chosen by `kind`. */
import type { Kinds, KindType } from '../../config/kinds/kinds.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';

/** The collections whose rows have a kind. */
export const kindCollections: Readonly<Record<string, Exclude<KindType, 'strategy'>>> = {
  '/api/providers': 'provider',
  '/api/skills': 'skill',
  '/api/mcp-servers': 'mcp',
};

const suffix = { provider: 'Provider', skill: 'Skill', mcp: 'McpServer' } as const;

/** `openai-compatible` -> `OpenaiCompatibleProvider`. */
function nameOf(type: keyof typeof suffix, kind: string): string {
  const words = kind.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}${suffix[type]}`;
}

/** A copy without the marks for forms, and with definitions moved to the components. */
function plain(value: Json | undefined, prefix: string): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((each) => plain(each, prefix));
  if (!isJsonObject(value)) return value ?? null;
  const entries = Object.entries(value)
    .filter(([key]) => !key.startsWith('x-') && key !== '$defs' && key !== 'secret' && key !== 'address')
    .map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string'
        ? ([key, inner.replace('#/$defs/', `#/components/schemas/${prefix}`)] as const)
        : ([key, plain(inner, prefix)] as const),
    );
  return Object.fromEntries(entries);
}

/** The schemas of all kinds, for `components.schemas`. */
export function kindSchemas({ kinds }: Kinds): Record<string, JsonObject> {
  const schemas: Record<string, JsonObject> = {};
  for (const { type, kind, title, options } of kinds) {
    if (type === 'strategy' || options === null) continue;
    const name = nameOf(type, kind);
    const { $defs } = options;
    for (const [part, definition] of Object.entries(isJsonObject($defs) ? $defs : {}))
      schemas[`${name}${part}`] = plain(definition, name) as JsonObject;
    const required = Array.isArray(options['required']) && options['required'].length > 0;
    schemas[name] = {
      type: 'object',
      title,
      properties: { kind: { const: kind }, options: plain(options, name) },
      required: required ? ['kind', 'options'] : ['kind'],
      // The other members of a spec are described beside it.
      additionalProperties: true,
    };
  }
  return schemas;
}

/** What a spec of this type must also be: one of the kinds. */
export function oneOfKinds({ kinds }: Kinds, type: keyof typeof suffix): JsonObject {
  const names = kinds.filter((each) => each.type === type).map(({ kind }) => [kind, `#/components/schemas/${nameOf(type, kind)}`] as const);
  return {
    oneOf: names.map(([, $ref]) => ({ $ref })),
    discriminator: { propertyName: 'kind', mapping: Object.fromEntries(names) },
  };
}
