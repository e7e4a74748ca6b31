/** Completes the description that follows from the routes: operation ids, answers, errors, kinds and examples. */
import type { Kinds } from '../../config/kinds/kinds.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { callAnswers, callSchemas, uploads } from './call-answers.ts';
import { errorAnswers, errorResponses, errorSchemas } from './error-answers.ts';
import { kindCollections, kindSchemas, oneOfKinds } from './kind-schemas.ts';
import { operationExamples } from './operation-examples.ts';

export interface DocumentFacts {
  readonly kinds: Kinds;
  /** True for a route that needs no token. */
  readonly isPublic: (method: string, path: string) => boolean;
  readonly pathPrefix: string;
}

type Mutable = Record<string, Json | undefined>;

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;
const verbs = { get: 'get', post: 'post', put: 'replace', patch: 'update', delete: 'delete' } as const;

const tagTexts: Readonly<Record<string, string>> = {
  access: 'Who may do what.',
  audit: 'What was done, and by whom.',
  calls: 'Calls of models, in the formats of OpenAI and Anthropic.',
  config: 'The configuration as a whole: revisions, files, problems.',
  configuration: 'What forms need to know of each kind of row.',
  grants: 'Rights on capabilities.',
  keys: 'Keys for machines and editors.',
  limits: 'Limits and budgets.',
  'service-accounts': 'Subjects that are no people, which call with keys.',
  mcp: 'Tools as MCP servers.',
  'mcp-servers': 'Registered MCP servers.',
  'mcp-sessions': 'Sessions of MCP clients.',
  models: 'Models and their deployments.',
  operation: 'Health and metrics.',
  people: 'People whose tokens were seen.',
  providers: 'Connections to vendors.',
  reports: 'Sums over time.',
  routing: 'Which deployment a call goes to, and why.',
  skills: 'Skills: rows, versions, runs.',
  teams: 'People with one role or group, their administrators and their service accounts.',
  usage: 'Runs, tokens and money.',
};

/** `/api/models/{name}/owner` -> `ModelsByNameOwner`. Paths under /v1 keep it unless they are calls, because /api has some of their names. */
function wordsOf(method: string, path: string): string {
  return path
    .replace(method === 'post' ? /^\/(?:api|v1)(?=\/)/ : /^\/api(?=\/)/, '')
    .split(/[/._-]/)
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('{') ? `By${capital(part.slice(1, -1).replace('*', 'name'))}` : capital(part)))
    .join('');
}
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

function operationId(method: keyof typeof verbs, path: string, operation: JsonObject): string {
  const parameters = Array.isArray(operation['parameters']) ? (operation['parameters'] as readonly JsonObject[]) : [];
  const isList = method === 'get' && parameters.some(({ name }) => name === 'limit');
  const isRow = method === 'post' && /^\/api\/[a-z-]+$/.test(path);
  return `${isList ? 'list' : isRow ? 'create' : verbs[method]}${wordsOf(method, path) || 'Root'}`;
}

/** Marks of the code on option schemas, which JSON Schema does not know. */
const isMark = (key: string, value: Json | undefined): boolean => (key === 'secret' || key === 'address') && value === true;

/** References to what is nowhere defined stand for any JSON value: the generator loses recursive definitions. */
function withoutLostReferences(value: Json | undefined, known: ReadonlySet<string>): Json | undefined {
  if (Array.isArray(value)) return (value as readonly Json[]).map((each) => withoutLostReferences(each, known) ?? null);
  if (!isJsonObject(value)) return value;
  const { $ref } = value;
  const isLost = typeof $ref === 'string' && !known.has($ref);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !(key === '$ref' && isLost) && !isMark(key, inner))
      .map(([key, inner]) => [key, withoutLostReferences(inner, known)]),
  );
}

const member = (value: Json | undefined, name: string): JsonObject => {
  const inner = isJsonObject(value) ? value[name] : undefined;
  return isJsonObject(inner) ? inner : {};
};

function withKinds(body: JsonObject, path: string, kinds: Kinds): JsonObject {
  const type = kindCollections[path.replace(/\/(?:test|\{name\})$/, '')];
  const media = member(member(body, 'content'), 'application/json');
  const schema = member(media, 'schema');
  const spec = member(member(schema, 'properties'), 'spec');
  if (type === undefined || member(spec, 'properties')['kind'] === undefined) return body;
  const chosen = { ...schema, properties: { ...member(schema, 'properties'), spec: { ...spec, ...oneOfKinds(kinds, type) } } };
  return { ...body, content: { 'application/json': { ...media, schema: chosen } } };
}

function withExample(body: JsonObject, key: string, path: string, kinds: Kinds): JsonObject {
  const row = kinds.rows.find((each) => key === `post ${each.path}`);
  const example = operationExamples[key] ?? row?.example;
  const content = member(body, 'content');
  const media = member(content, 'application/json');
  if (example === undefined || media['schema'] === undefined) return body;
  const merged = key.startsWith('patch ') ? { 'application/merge-patch+json': { ...media, example } } : {};
  return { ...body, content: { ...content, 'application/json': { ...media, example }, ...merged } };
}

/** The texts of successful answers, where the route gives none. */
function describedAnswers(operation: JsonObject, method: string): Mutable {
  const answers: Mutable = {};
  for (const [status, answer] of Object.entries(member(operation, 'responses'))) {
    const given = isJsonObject(answer) ? answer : {};
    const words = method === 'delete' ? 'It is gone.' : status === '201' ? 'It is there, as GET shows it.' : 'The answer.';
    const isGeneric = given['description'] === undefined || given['description'] === 'Default Response';
    const fixed = method === 'delete' && status === '200' && given['content'] === undefined ? '204' : status;
    answers[fixed] = { ...given, description: isGeneric ? words : given['description'] };
  }
  return answers;
}

/** A path of several parts is one parameter. */
function parametersOf(operation: JsonObject, path: string): JsonObject {
  const { parameters } = operation;
  if (!path.includes('{*}') || !Array.isArray(parameters)) return {};
  return { parameters: (parameters as readonly JsonObject[]).map((each) => (each['name'] === '*' ? { ...each, name: 'name' } : each)) };
}

/** The error answers that an operation has. */
function usedResponses(paths: Mutable): Record<string, JsonObject> {
  const text = JSON.stringify(paths);
  return Object.fromEntries(Object.entries(errorResponses()).filter(([name]) => text.includes(`#/components/responses/${name}"`)));
}

function completed(operation: JsonObject, method: (typeof methods)[number], path: string, facts: DocumentFacts): JsonObject {
  const key = `${method} ${path}`;
  const isPublic = facts.isPublic(method, path);
  const callsVendor = operation['tags'] !== undefined && method === 'post' && path.startsWith('/v1/');
  const body = operation['requestBody'];
  const calls = callAnswers[key];
  const upload = uploads[key];
  const answers: Mutable =
    calls === undefined
      ? describedAnswers(operation, method)
      : Object.fromEntries(calls.map(({ status, description, content }) => [status, { description, content }]));
  const errors = errorAnswers({ method, path, isPublic, hasBody: body !== undefined || upload !== undefined, callsVendor });
  return {
    ...operation,
    ...parametersOf(operation, path),
    operationId: operationId(method, path, operation),
    ...(isPublic ? { security: [] } : {}),
    ...(upload === undefined ? {} : { requestBody: { required: true, content: upload } }),
    ...(isJsonObject(body) && upload === undefined
      ? { requestBody: withExample(withKinds(body, path, facts.kinds), key, path, facts.kinds) }
      : {}),
    responses: { ...answers, ...errors },
  };
}

export function completeDocument(document: JsonObject, facts: DocumentFacts): JsonObject {
  const schemas = { ...callSchemas, ...errorSchemas, ...kindSchemas(facts.kinds) };
  const tags = new Set<string>();
  const paths: Mutable = {};
  for (const [path, item] of Object.entries(member(document, 'paths'))) {
    const operations: Mutable = { ...(item as JsonObject) };
    for (const method of methods) {
      const operation = operations[method];
      if (!isJsonObject(operation)) continue;
      const complete = completed(operation, method, path, facts);
      operations[method] = complete;
      for (const tag of Array.isArray(complete['tags']) ? complete['tags'] : []) tags.add(String(tag));
    }
    paths[path.replace('{*}', '{name}')] = operations;
  }
  const components = { ...member(document, 'components'), schemas, responses: usedResponses(paths) };
  const known = new Set(
    Object.entries(components).flatMap(([part, names]) => Object.keys(names).map((name) => `#/components/${part}/${name}`)),
  );
  const { info, ...rest } = document;
  const whole = {
    ...rest,
    info: { ...(info as JsonObject), license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: facts.pathPrefix === '' ? '/' : facts.pathPrefix }],
    tags: [...tags].toSorted().map((name) => ({ name, ...(tagTexts[name] === undefined ? {} : { description: tagTexts[name] }) })),
    paths,
    components,
  };
  return withoutLostReferences(whole, known) as JsonObject;
}
