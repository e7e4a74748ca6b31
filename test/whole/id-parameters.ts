/** The places where routes accept ids, read from the OpenAPI document, and the kind of each id. */

/** The kinds of ids. `model reference` and similar: in the form of grants. */
export type Kind =
  | 'provider'
  | 'model'
  | 'skill'
  | 'server'
  | 'limit'
  | 'grant'
  | 'key'
  | 'service-account'
  | 'team'
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

/** A string parameter of a route. */
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
  teams: 'team',
  'service-accounts': 'service-account',
  people: 'person',
  runs: 'run',
  responses: 'response',
};

/** The kinds of ids by parameter name; the first match counts. An empty list: not an id of a tenant's row. */
const rules: readonly (readonly [RegExp, readonly Kind[]])[] = [
  [/ \/v1\/models\/\{name\} path:name$/, ['model', 'skill as model']],
  [/ path:server$/, ['server']],
  [/ \/api\/mcp-sessions\S* path:id$/, ['mcp session']],
  // A vendor's own model names.
  [/ body:spec\.offered_models\[\]$/, []],
  // A server's own item names; they are looked up within a server that was found.
  [/ (path:tool|body:items\[\]\.(name|digest)|body:spec\.prefix)$/, []],
  [/ \/api\/audit\S* query:after$/, ['audit entry']],
  [/ \/api\/runs query:after$/, ['run cursor']],
  // Cursors made of names and numbers; nothing is looked up by them.
  [/ \/api\/(access\/matrix|usage|config\/history|settings) query:after$/, []],
  [/ \/api\/reports\/series query:(model|provider|skill|key)$/, ['model', 'provider', 'skill', 'key']],
  [/ \/api\/reports\/series query:(deployment|client|error)$/, []],
  [/ \/api\/runs(\/stream)? query:key$/, ['key']],
  [/ \/api\/runs(\/stream)? query:model$/, ['model']],
  [/ \/api\/runs(\/stream)? query:error$/, []],
  [/ query:team$/, ['team']],
  [/ query:(capability|target)$/, references],
  [/ query:(actor|user|subject|as)$/, ['person']],
  [/ query:request_id$/, ['request']],
  [/ query:(act|by|return_to|stream)$/, []],
  // The choice among kinds; its members are places of their own.
  [/ \/api\/(providers|skills|mcp-servers)\S* body:spec$/, []],
  [/ \/api\/skills\/import body:$/, []],
  [/ \/v1\/audio\/transcriptions body:(file|language|prompt)$/, []],
  [/ \/api\/explain query:(roles|permissions|tenant)$/, []],
  // As GET gives them; a write that changes one is refused.
  [
    /^(PUT|PATCH) \/api\/\S+ body:(id|name|created_at|created_by|updated_at|updated_by|approved_tags\[\]|labels\.\*|locked|warnings\[\])$/,
    [],
  ],
  [/^PATCH \/api\/\S+ body:spec\.\*$/, []],
  [/^PATCH \/api\/keys\/\S+ body:title$/, []],
  // Numbers of versions, looked up within a skill that was found.
  [/ \/api\/skills\/\S+ (path|body):version$/, []],
  // Compared with the version that is live; nothing is looked up by it.
  [/ \/api\/skills\S* body:spec\.runs_as_allowed\.(version|digest|by|at)$/, []],
  [/ \/api\/skills\/import query:model$/, ['model']],
  [/ \/api\/skills\S* body:spec\.cases\[\]\.expect\.judge\.model$/, ['model']],
  [/ \/api\/skills\S* body:spec\.cases\b\S*$/, []],
  [/ \/api\/skills\/\S+ body:models\[\]$/, ['model']],
  // Values that an OAuth2 service returns.
  [/\/account\/callback query:(state|code|iss|error)$/, []],
  [/ body:(owner|for)$/, ['person']],
  [/ \/api\/keys body:service$/, ['service-account']],
  [/ \/api\/service-accounts\S* body:spec\.team$/, ['team']],
  [/ \/api\/teams\S* body:spec\.administrators\[\]$/, ['person']],
  // Roles, as tokens name them.
  [/ \/api\/teams\S* body:spec\.(role|administrator_role)$/, []],
  [/ \/api\/service-accounts\S* body:spec\.roles\[\]$/, []],
  [/ \/api\/skills\S* body:spec\.tools\[\]$/, references],
  // Ids that are stored for one person only.
  [/ body:gateway\.approvals\[\]\.id$/, []],
  [/ body:spec\.subject$/, ['person', 'key']],
  [/ body:(spec\.capability|capabilities\[\])$/, references],
  [/ body:spec\.deployments\[\]\.provider$/, ['provider']],
  // Tenants; nothing is looked up by them.
  [/ body:spec\.shared_with\[\]$/, []],
  [/ \/api\/shared query:after$/, []],
  [/ body:spec\.fallbacks\[\]\.model$/, ['model']],
  [/ \/api\/skills\S* body:spec\.model$/, ['model']],
  [/ body:previous_response_id$/, ['response']],
  [/ \/(v1\/\S+|api\/route\/explain) body:model$/, ['model', 'skill as model']],
  // The vendor's own name of a model, and kinds of plugins of the whole installation.
  [/ body:(model|spec\.deployments\[\]\.model|spec\.kind|spec\.strategy|spec\.allowed_tools\[\])$/, []],
  [/ body:reason$/, []],
  // Amounts, hours and terms of a vendor's price list.
  [/ body:spec\.deployments\[\]\.price\b\S*$/, []],
  [/ \/api\/limits\S* body:spec\.spend\.\w+$/, []],
  [/ \/api\/limits\S* body:spec\.replaces$/, ['limit']],
  // Levels of reasoning, as a vendor names them.
  [/ body:spec\.deployments\[\]\.efforts\[\]$/, []],
  // Documents are rows of the caller's own tenant; one of another tenant is refused.
  [/ \/api\/config\/apply body:(documents\[\]\.metadata\.(name|tenant|labels\.\*)|labels\.\*)$/, []],
  // A credential; nothing is looked up by it.
  [/ \/api\/access\/token-test body:token$/, []],
  [/ \/api\/config\/rollback body:only\.name$/, ['model']],
  // The address of an alert and its signing secret.
  [/ \/api\/limits\S* body:spec\.spend\.alerts\.(url|secret)$/, []],
  // Public data on models, equal for all tenants.
  [/ \/api\/catalogue query:\w+$/, []],
  [/ body:(title|spec\.(title|description|version|live)|spec\.tags\[\]|spec\.\S*currency|addresses\[\])$/, []],
  // References within plugin options are added manually below.
  [/ body:spec\.options\.\*$/, []],
  [/ \/v1\/\S+ body:(messages|tools|stop_sequences|system|include|input|metadata|documents|query|prompt)\b\S*$/, []],
];

/** Undefined without a rule for the parameter. */
export function kindsAt({ method, path, at }: Place): readonly Kind[] | undefined {
  const ruled = rules.find(([place]) => place.test(`${method} ${path} ${at}`))?.[1];
  if (ruled !== undefined) return ruled;
  // The id of a row at its collection's address, and the name of a new row.
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

/** The paths of strings in a body. */
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

/** Each string parameter of the operations. */
export function referencesIn(operations: readonly Operation[]): Place[] {
  return operations.flatMap(({ method, path, parameters, requestBody }) => {
    const words = [
      ...(parameters ?? []).flatMap((each) => (takesWords(each.schema) ? [`${each.in}:${each.name}`] : [])),
      ...Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => wordsIn(schema).map((each) => `body:${each}`)),
    ];
    return [...new Set(words)].map((at) => ({ method, path, at }));
  });
}
