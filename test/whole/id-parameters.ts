/** Where the addresses of the gateway take ids, read from its own document, and of what. */

/** What an id can be of. `model reference` and the like: as grants write it. */
export type Kind =
  | 'provider'
  | 'model'
  | 'skill'
  | 'server'
  | 'limit'
  | 'grant'
  | 'key'
  | 'run'
  | 'response'
  | 'person'
  | 'audit entry'
  | 'request'
  | 'run cursor'
  | 'skill as model'
  | 'model reference'
  | 'mcp session'
  | 'skill reference'
  | 'server reference';

/** A place at which an address takes a word. */
export interface Place {
  readonly method: string;
  readonly path: string;
  /** `path:name`, `query:after` or `body:spec.deployments[].provider` */
  readonly at: string;
}

const references: readonly Kind[] = ['model reference', 'skill reference', 'server reference'];
export const collectionKinds: Readonly<Record<string, Kind>> = {
  providers: 'provider',
  models: 'model',
  skills: 'skill',
  'mcp-servers': 'server',
  limits: 'limit',
  grants: 'grant',
  keys: 'key',
  people: 'person',
  runs: 'run',
  responses: 'response',
};

/** What stands at a place, by the end of its name; the first that fits. An empty list: no id of anything in a tenant. */
const rules: readonly (readonly [RegExp, readonly Kind[]])[] = [
  [/ \/v1\/models\/\{\*\} path:\*$/, ['model', 'skill as model']],
  [/ path:server$/, ['server']],
  [/ \/api\/mcp-sessions\S* path:id$/, ['mcp session']],
  // What a vendor calls its models.
  [/ body:spec\.offered_models\[\]$/, []],
  // What a server calls its own things; they are looked up within a server that was found.
  [/ (path:tool|body:items\[\]\.(name|digest)|body:spec\.prefix)$/, []],
  [/ \/api\/audit\S* query:after$/, ['audit entry']],
  [/ \/api\/runs query:after$/, ['run cursor']],
  // A place in an order, made of names; nothing is looked up by it.
  [/ \/api\/access\/matrix query:after$/, []],
  [/ query:(capability|target)$/, references],
  [/ query:(actor|user|subject|as)$/, ['person']],
  [/ query:request_id$/, ['request']],
  [/ query:(act|by|return_to|stream)$/, []],
  // Numbers of versions, looked up within a skill that was found.
  [/ \/api\/skills\/\S+ (path|body):version$/, []],
  // Compared with the version that is live; nothing is looked up by it.
  [/ \/api\/skills\S* body:spec\.runs_as_allowed\.(version|digest|by|at)$/, []],
  [/ \/api\/skills\/import query:model$/, ['model']],
  [/ \/api\/skills\S* body:spec\.cases\[\]\.expect\.judge\.model$/, ['model']],
  [/ \/api\/skills\S* body:spec\.cases\b\S*$/, []],
  [/ \/api\/skills\/\S+ body:models\[\]$/, ['model']],
  // What an OAuth2 service gives back.
  [/\/account\/callback query:(state|code|iss|error)$/, []],
  [/ body:(owner)$/, ['person']],
  [/ \/api\/skills\S* body:spec\.tools\[\]$/, references],
  // Ids that are kept for their own person, below what any tenant could see.
  [/ body:gateway\.approvals\[\]\.id$/, []],
  [/ body:spec\.subject$/, ['person', 'key']],
  [/ body:(spec\.capability|capabilities\[\])$/, references],
  [/ body:spec\.deployments\[\]\.provider$/, ['provider']],
  [/ body:spec\.fallbacks\[\]\.model$/, ['model']],
  [/ \/api\/skills\S* body:spec\.model$/, ['model']],
  [/ body:previous_response_id$/, ['response']],
  [/ \/(v1\/\S+|api\/route\/explain) body:model$/, ['model', 'skill as model']],
  // The vendor's own name of a model, and what plugins of the whole installation are called.
  [/ body:(model|spec\.deployments\[\]\.model|spec\.kind|spec\.strategy|spec\.allowed_tools\[\])$/, []],
  [/ body:reason$/, []],
  // Money, hours and the words of a vendor's price list.
  [/ body:spec\.deployments\[\]\.price\b\S*$/, []],
  [/ \/api\/limits\S* body:spec\.spend\.\w+$/, []],
  [/ \/api\/limits\S* body:spec\.replaces$/, ['limit']],
  // Where an alert is sent and what signs it.
  [/ \/api\/limits\S* body:spec\.spend\.alerts\.(url|secret)$/, []],
  // What is publicly known of models, the same for all.
  [/ \/api\/catalogue query:\w+$/, []],
  [/ body:(title|spec\.(title|description|version|live)|spec\.tags\[\]|spec\.\S*currency|addresses\[\])$/, []],
  // What the options of a plugin name in their tenant is added by hand below.
  [/ body:spec\.options\.\*$/, []],
  [/ \/v1\/\S+ body:(messages|tools|stop_sequences|system|include|input|metadata|documents|query|prompt)\b\S*$/, []],
];

/** Undefined where no rule says what stands there. */
export function kindsAt({ method, path, at }: Place): readonly Kind[] | undefined {
  const ruled = rules.find(([place]) => place.test(`${method} ${path} ${at}`))?.[1];
  if (ruled !== undefined) return ruled;
  // The id of a thing at the address of its collection, and the name of a new one.
  const kind = collectionKinds[path.split('/')[2] ?? ''];
  return kind !== undefined && /^(path:(name|id)|query:after|body:name)$/.test(at) ? [kind] : undefined;
}

interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: unknown;
  readonly const?: unknown;
  readonly $ref?: string;
  readonly items?: Schema;
  readonly properties?: Record<string, Schema>;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: Schema[];
  readonly oneOf?: Schema[];
  readonly allOf?: Schema[];
}

const takesWords = (schema: Schema): boolean =>
  schema.type === 'string' && schema.enum === undefined && schema.const === undefined && schema.format?.startsWith('date') !== true;

/** The paths in a body at which it takes a word. */
function wordsIn(schema: Schema, path = ''): string[] {
  const inner = (name: string): string => (path === '' ? name : `${path}.${name}`);
  return [
    ...(takesWords(schema) || schema.$ref !== undefined ? [path] : []),
    ...(schema.items === undefined ? [] : wordsIn(schema.items, `${path}[]`)),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, each]) => wordsIn(each, inner(name))),
    ...(typeof schema.additionalProperties === 'object' ? wordsIn(schema.additionalProperties, inner('*')) : []),
    ...[schema.anyOf, schema.oneOf, schema.allOf].flatMap((options) => (options ?? []).flatMap((each) => wordsIn(each, path))),
  ];
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters?: { readonly in: string; readonly name: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> };
}

interface Document {
  readonly paths: Record<string, Record<string, Omit<Operation, 'method' | 'path'>>>;
}

export function operationsOf({ paths }: Document): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
}

/** Each place at which one of the operations takes a word. */
export function referencesIn(operations: readonly Operation[]): Place[] {
  return operations.flatMap(({ method, path, parameters, requestBody }) => {
    const words = [
      ...(parameters ?? []).flatMap((each) => (takesWords(each.schema) ? [`${each.in}:${each.name}`] : [])),
      ...Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => wordsIn(schema).map((each) => `body:${each}`)),
    ];
    return [...new Set(words)].map((at) => ({ method, path, at }));
  });
}
