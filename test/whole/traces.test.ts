/** OpenTelemetry traces: a real collector's endpoint receives the spans of calls, attempts, tools and skills; `traceparent` goes in and out. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { startRawMcpServer, type RawMcpServer } from './raw-mcp-server.ts';
import { chunks, startVendor, type Vendor } from './vendor.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code?: number };
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly spans: Span[];
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  readonly resources: Record<string, unknown>[];
}

type Value = Record<string, unknown>;
const plain = (attributes: readonly { key: string; value: Value }[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** Accepts OTLP as JSON at any path. */
async function startCollector(): Promise<Collector> {
  const collector: Omit<Collector, 'url' | typeof Symbol.asyncDispose> = { spans: [], requests: [], resources: [] };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      collector.requests.push({ path: request.url ?? '', headers: request.headers });
      if (request.headers['content-type'] === 'application/json') {
        const { resourceSpans } = JSON.parse(Buffer.concat(parts).toString());
        for (const { resource, scopeSpans } of resourceSpans) {
          collector.resources.push(plain(resource.attributes));
          for (const { spans } of scopeSpans)
            for (const span of spans) collector.spans.push({ ...span, attributes: plain(span.attributes) });
        }
      }
      response
        .writeHead(200, { 'content-type': request.headers['content-type'] ?? 'text/plain' })
        .end(request.headers['content-type'] === 'application/json' ? '{}' : '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...collector,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let collector: Collector;
let gateway: TestGateway;
let vendor: Vendor;
let tools: RawMcpServer;

beforeAll(async () => {
  collector = await startCollector();
  vendor = await startVendor();
  tools = await startRawMcpServer({
    'tools/list': { tools: [{ name: 'clock', description: 'The time.', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [{ type: 'text', text: 'noon' }] },
  });
  gateway = await startGateway(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=blue',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
    startProcess,
  );
  const options = { base_url: vendor.url, api_key: 'key' };
  await gateway.as('admin', 'POST', '/api/providers', { name: 'v', spec: { kind: 'openai-compatible', options } });
  const spec = { deployments: [{ provider: 'v', model: 'upstream', price: { currency: 'USD', input: '1', output: '2' } }] };
  expect((await gateway.as('admin', 'POST', '/api/models', { name: 'm', spec })).status).toBe(201);
  const server = { name: 'office', spec: { kind: 'http', options: { url: tools.url } } };
  expect((await gateway.as('admin', 'POST', '/api/mcp-servers', server)).status).toBe(201);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await Promise.all([collector, vendor, tools].map((each) => each[Symbol.asyncDispose]()));
});

const messages = [{ role: 'user', content: 'Hi' }];
const remote = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const runOf = (answer: { headers: Headers }): string => answer.headers.get('x-pailou-trace-id') ?? '';
/** The spans of one trace, when `count` have come. */
const traceOf = (traceId: string, count: number): Promise<readonly Span[]> =>
  eventually(
    async () => collector.spans.filter((span) => span.traceId === traceId),
    (spans) => spans.length >= count,
  );
const sent = (): string | undefined => vendor.requests.at(-1)?.headers['traceparent'] as string | undefined;

describe('a call', () => {
  it('is a trace of its own: the run, its attempts, tokens and money; the vendor gets its traceparent', async () => {
    const answer = await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'm', messages });
    const traceId = runOf(answer).replaceAll('-', '');
    const [attempt, run] = await traceOf(traceId, 2);
    expect(run).toMatchObject({
      name: 'chat m',
      kind: 2,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'm',
        'gen_ai.usage.input_tokens': 5,
        'gen_ai.usage.output_tokens': 2,
        'pailou.run.id': runOf(answer),
        'pailou.request.id': answer.headers.get('x-request-id'),
        'pailou.deployment': 'm#v/upstream',
        'pailou.outcome': 'complete',
        'pailou.cost.amount': 0.000009,
        'pailou.cost.currency': 'USD',
      },
    });
    expect(run?.parentSpanId).toBeUndefined();
    expect(attempt).toMatchObject({
      name: 'chat upstream',
      kind: 3,
      parentSpanId: run?.spanId,
      attributes: {
        'gen_ai.provider.name': 'v',
        'gen_ai.request.model': 'upstream',
        'http.response.status_code': 200,
        'pailou.attempt': 1,
      },
    });
    for (const span of [attempt, run])
      expect(Object.values(span?.attributes ?? {}), 'no attribute without a value').not.toContain(undefined);
    expect(sent()).toBe(`00-${traceId}-${run?.spanId}-01`);
    expect(JSON.stringify(collector.spans), 'no content of messages').not.toContain('Hi');
    expect(collector.requests[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-team': 'blue' } });
    expect(collector.resources[0]).toMatchObject({ 'service.name': 'pailou', 'deployment.environment.name': 'test' });
  });

  it('continues the trace of its caller', async () => {
    const traceparent = `00-${remote.traceId}-${remote.spanId}-01`;
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${chunks(['a', 'b']).join('')}data: [DONE]\n\n`);
    });
    await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'm', messages, stream: true }, { traceparent });
    const [, run] = await traceOf(remote.traceId, 2);
    expect(run).toMatchObject({ parentSpanId: remote.spanId, attributes: { 'pailou.streamed': true } });
    expect(sent()).toBe(`00-${remote.traceId}-${run?.spanId}-01`);
  });

  it.each([
    ['an invalid header starts a trace', 'nonsense', 2],
    ['a header of zeros starts a trace', `00-${'0'.repeat(32)}-${remote.spanId}-01`, 2],
    ['a version that is not allowed starts a trace', `ff-${remote.traceId}-${remote.spanId}-01`, 2],
  ])('%s', async (_about, traceparent, count) => {
    const answer = await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'demo/echo', messages }, { traceparent });
    const spans = await traceOf(runOf(answer).replaceAll('-', ''), count);
    expect(spans.at(-1)?.parentSpanId).toBeUndefined();
  });

  it('that its caller does not sample is not exported, and the vendor is told so', async () => {
    const traceId = 'c'.repeat(32);
    const headers = { traceparent: `00-${traceId}-${remote.spanId}-00` };
    await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'm', messages, stream: true }, headers);
    expect(sent()).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    const later = await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'demo/echo', messages });
    await traceOf(runOf(later).replaceAll('-', ''), 2);
    expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });

  it('that fails is an error with its code, and so is each attempt', async () => {
    vendor.behave(
      (_request, response) => void response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}'),
    );
    const answer = await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'm', messages });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    const spans = await traceOf(runOf(answer).replaceAll('-', ''), 2);
    for (const span of spans) expect(span).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': answer.json.error.code } });
    expect(spans[0]?.attributes).toMatchObject({ 'http.response.status_code': 401 });
  });
});

describe('what a call does itself', () => {
  it('shows tools and model rounds below the call; the MCP server gets the traceparent in _meta', async () => {
    vendor.behave((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const isFirst = request.body.messages.length === 1;
      const call = { id: 'c1', type: 'function', function: { name: request.body.tools[0].function.name, arguments: '{}' } };
      const message = { role: 'assistant', content: isFirst ? null : 'Noon.', ...(isFirst ? { tool_calls: [call] } : {}) };
      const choice = { index: 0, message, finish_reason: isFirst ? 'tool_calls' : 'stop' };
      response.end(
        JSON.stringify({
          id: 'v',
          object: 'chat.completion',
          created: 1,
          model: 'u',
          choices: [choice],
          usage: { prompt_tokens: 1, completion_tokens: 1 },
        }),
      );
    });
    const body = { model: 'm', messages, tools: [{ type: 'mcp', server_label: 'office' }] };
    const answer = await gateway.as('admin', 'POST', '/v1/chat/completions', body);
    expect(answer.json.choices[0].message.content).toBe('Noon.');
    const spans = await traceOf(runOf(answer).replaceAll('-', ''), 6);
    const root = spans.find((span) => span.parentSpanId === undefined);
    const tool = spans.find((span) => span.attributes['gen_ai.operation.name'] === 'execute_tool');
    expect(root?.name).toBe('invoke_agent m');
    expect(tool).toMatchObject({
      name: 'execute_tool office/clock',
      parentSpanId: root?.spanId,
      attributes: { 'gen_ai.tool.name': 'office/clock' },
    });
    const called = tools.seen.find(({ method }) => method === 'tools/call');
    expect(called?.params).toMatchObject({ _meta: { traceparent: `00-${root?.traceId}-${tool?.spanId}-01` } });
  });

  it('shows the model calls of a skill below the skill', async () => {
    const body = { model: 'skill/demo-greeting', messages: [{ role: 'user', content: 'Ada' }] };
    const answer = await gateway.as('admin', 'POST', '/v1/chat/completions', body);
    expect(answer.status, answer.text).toBe(200);
    const spans = await traceOf(runOf(answer).replaceAll('-', ''), 3);
    const skill = spans.find((span) => span.parentSpanId === undefined);
    expect(skill).toMatchObject({ name: 'invoke_agent demo-greeting', attributes: { 'gen_ai.agent.name': 'demo-greeting' } });
    expect(spans.find((span) => span.name === 'chat demo/echo')?.parentSpanId).toBe(skill?.spanId);
  });
});

describe('the settings', () => {
  it('send protobuf by default, and the last spans when the gateway stops', async () => {
    await using other = await startCollector();
    await using node = await startGateway({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${other.url}/own/path` }, startProcess);
    await node.as('admin', 'POST', '/v1/chat/completions', { model: 'demo/echo', messages });
    await node.gateway.stop();
    expect(other.requests.map(({ path, headers }) => [path, headers['content-type']])).toEqual([['/own/path', 'application/x-protobuf']]);
  });

  it('a collector that is away changes nothing for callers', async () => {
    await using away = await startCollector();
    await away[Symbol.asyncDispose]();
    await using node = await startGateway({ OTEL_EXPORTER_OTLP_ENDPOINT: away.url, OTEL_BSP_SCHEDULE_DELAY: '10' }, startProcess);
    for (let turn = 0; turn < 3; turn++) {
      const answer = await node.as('admin', 'POST', '/v1/chat/completions', { model: 'demo/echo', messages });
      expect(answer.status).toBe(200);
    }
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'http/protobuf or http/json'],
    ['OTEL_TRACES_SAMPLER', 'sometimes', 'parentbased_always_on'],
    ['OTEL_TRACES_SAMPLER_ARG', '7', 'from 0 to 1'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'otlp or none'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '-1', 'above 0'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'an http or https address'],
  ])('%s=%s stops the start with what is expected', async (name, value, expected) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', [name]: value };
    await expect(startGateway(env)).rejects.toThrow(expected);
  });
});
