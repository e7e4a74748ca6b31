/**
 * The suite starts this program with the URL of a server. Pailou's upstream connection lists its tools and calls each. Arguments come
 * from the suite (`MCP_CONFORMANCE_CONTEXT`) or are generated from the tool's schema.
 */
import http from '../src/extensions/mcp/transports/http.ts';
import type { Principal } from '../src/types/access.ts';
import type { Json, JsonObject } from '../src/types/json.ts';
import type { Logger } from '../src/types/logger.ts';
import type { McpPeer, ToolResult } from '../src/types/tool-source.ts';

const address = process.argv[2];
if (address === undefined) throw new Error('The address of a server is missing.');
const revision = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? '2025-11-25';
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as { toolCalls?: { name: string; arguments: JsonObject }[] };

const say = (...words: unknown[]): void => console.error(...words);
const logger = { debug: say, info: say, warn: say, error: say } as unknown as Logger;
const principal: Principal = {
  subject: 'conformance',
  username: 'conformance',
  tenant: 'default',
  roles: ['user'],
  permissions: new Set(),
  client: null,
  issuer: 'https://issuer.test',
  credential: 'token',
  expiresAt: Date.now() + 3_600_000,
};

/** Generates a value that the property's schema allows. */
function valueFor({ type }: JsonObject): Json {
  if (type === 'number' || type === 'integer') return 5;
  if (type === 'boolean') return true;
  if (type === 'array') return [];
  return type === 'object' ? {} : 'something';
}

function inputFor({ properties }: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries((properties ?? {}) as Record<string, JsonObject>).map(([name, schema]) => [name, valueFor(schema)]),
  );
}

/** Accepts every question with the values that the server proposes. */
function answerTo(params: JsonObject): JsonObject {
  const schema = (params['requestedSchema'] ?? {}) as { properties?: Record<string, JsonObject> };
  const content = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, property]) => [name, property['default'] ?? valueFor(property)]),
  );
  return { action: 'accept', content };
}

const isStateless = revision >= '2026-07-28';
const peer: McpPeer = {
  connection: isStateless ? null : 'examined',
  capabilities: { elicitation: {} },
  log: say,
  ...(isStateless ? {} : { ask: (_method, params) => Promise.resolve(answerTo(params)) }),
};

await using source = await http.create(http.options.parse({ url: address, protocol: isStateless ? 'auto' : 'legacy', sessions: 'user' }), {
  logger,
  mode: 'development',
  stdioPrograms: [],
  stdioUser: null,
  tokenExchange: { check: async () => {}, require: async () => {} },
  checkUrl: (url) => new URL(url),
  fetch,
});

/** Repeats the call while the server answers with questions. */
async function call(name: string, input: JsonObject, given: Partial<McpPeer>): Promise<void> {
  const signal = AbortSignal.timeout(20_000);
  const result = (await source.call(name, input, { signal, principal, runId: 'run', peer: { ...peer, ...given } })) as ToolResult & {
    inputRequests?: Record<string, { params: JsonObject }>;
    requestState?: string;
  };
  say(name, JSON.stringify(result));
  if (result.resultType !== 'input_required') return;
  const inputResponses = Object.fromEntries(Object.entries(result.inputRequests ?? {}).map(([key, { params }]) => [key, answerTo(params)]));
  await call(name, input, { inputResponses, ...(result.requestState === undefined ? {} : { requestState: result.requestState }) });
}

const { tools } = await source.list(AbortSignal.timeout(10_000));
const calls = context.toolCalls ?? tools.map(({ name, inputSchema }) => ({ name, arguments: inputFor(inputSchema) }));
for (const each of calls) await call(each.name, each.arguments, {});
