/** Server-side tools and background runs over two nodes: state of one node is available on the other. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, postgresUrl, type TestDatabase } from '../storage/databases.ts';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { answerOk, completion, startVendor, type Vendor } from './vendor.ts';

describe.skipIf(postgresUrl === undefined)('two nodes on PostgreSQL', () => {
  const owned = new AsyncDisposableStack();
  let identity: TestGateway;
  let vendor: Vendor;
  let nodes: TestGateway[];

  beforeAll(async () => {
    const kind = databaseKinds.find(({ name }) => name === 'PostgreSQL');
    if (kind === undefined) throw new Error('no PostgreSQL');
    const database: TestDatabase = owned.use(await kind.createMigrated());
    identity = owned.use(await startGateway());
    vendor = owned.use(await startVendor());
    const env = {
      PAILOU_MODE: 'production',
      PAILOU_OAUTH_ISSUER: identity.gateway.issuer,
      PAILOU_OAUTH_PRESET: 'generic',
      PAILOU_OAUTH_AUDIENCE: identity.url,
      PAILOU_DATABASE_URL: database.url ?? '',
      PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
      PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
      PAILOU_LOG_LEVEL: 'error',
    };
    // Sequential starts avoid concurrent migrations.
    nodes = [owned.use(await startGateway(env, startProcess)), owned.use(await startGateway(env, startProcess))];
    await ask(0, 'admin', 'POST', '/api/providers', {
      name: 'vendor',
      spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
    });
    await ask(0, 'admin', 'POST', '/api/models', { name: 'small', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
    const spec = { kind: 'prompt', description: 'd', model: 'small', options: { instructions: 'City.' } };
    const made = await ask(0, 'admin', 'POST', '/api/skills', { name: 'city', spec });
    expect(made.status, made.text).toBe(201);
    await eventually(
      async () => (await ask(1, 'developer', 'GET', '/v1/skills/city')).status,
      (status) => status === 200,
    );
  });
  afterAll(() => owned.disposeAsync());

  const ask = async (node: number, role: 'admin' | 'developer', method: string, path: string, body?: unknown) =>
    (nodes[node] as TestGateway).as(null, method, path, body, { authorization: `Bearer ${await identity.token(role)}` });

  it('an approval and the results of the caller’s own functions resume on the other, once', async () => {
    const functions = [{ type: 'function', function: { name: 'mine', parameters: { type: 'object' } } }];
    const tools = [...functions, { type: 'skill', name: 'city', require_approval: 'always' }];
    const call = (id: string, name: string) => ({
      id,
      type: 'function',
      function: { name, arguments: name === 'mine' ? '{}' : '{"text":"x"}' },
    });
    vendor.behave((request, response) => {
      const results = (request.body.messages as { role: string; content: string }[]).filter(({ role }) => role === 'tool');
      if (request.body.tools === undefined) return answerOk(request, response, 'Suzhou');
      if (results.length > 0) return answerOk(request, response, `Both: ${results.map(({ content }) => content).join(' ')}`);
      const calls = [call('m', 'mine'), call('c', 'skill__city')];
      response.writeHead(200, { 'content-type': 'application/json' }).end(completion(null, { tool_calls: calls }, 'tool_calls'));
    });
    const messages = [{ role: 'user', content: 'go' }];
    const first = await ask(0, 'developer', 'POST', '/v1/chat/completions', { model: 'small', messages, tools });
    const [choice] = first.json.choices;
    expect(choice.finish_reason).toBe('tool_calls');
    expect(choice.message.tool_calls.map((each: { function: { name: string } }) => each.function.name)).toEqual(['mine']);
    const [waiting] = first.json.pailou.steps.filter((step: { status: string }) => step.status === 'approval_required');
    expect(waiting).toMatchObject({ capability: 'skill/city', input: { text: 'x' } });
    const back = [...messages, choice.message, { role: 'tool', tool_call_id: choice.message.tool_calls[0].id, content: 'my result' }];
    const gateway = { approvals: [{ id: waiting.id, approve: true }] };
    const next = await ask(1, 'developer', 'POST', '/v1/chat/completions', { model: 'small', messages: back, tools, gateway });
    expect(next.json.choices[0].message.content).toBe('Both: Suzhou my result');
    const again = await ask(0, 'developer', 'POST', '/v1/chat/completions', { model: 'small', messages: back, tools, gateway });
    // A repeated decision, even on the other node, continues from the stored result.
    expect(again.json.choices[0].message.content).toBe('Both: Suzhou my result');
    expect(vendor.requests.filter(({ body }) => body.tools === undefined)).toHaveLength(1);
    const no = { approvals: [{ id: waiting.id, approve: false }] };
    const changed = await ask(0, 'developer', 'POST', '/v1/chat/completions', { model: 'small', messages: back, tools, gateway: no });
    expect(changed.json.error).toMatchObject({ code: 'invalid_request', param: 'gateway.approvals[0].id' });
    const other = await ask(1, 'admin', 'POST', '/v1/chat/completions', { model: 'small', messages: back, tools, gateway });
    expect(other.status).toBe(400);
  });

  it('a vendor that requires its reasoning gets it from the other node as well', async () => {
    const provider = { name: 'deep', spec: { kind: 'deepseek', options: { api_key: 'k', base_url: vendor.url } } };
    expect((await ask(0, 'admin', 'POST', '/api/providers', provider)).status).toBe(201);
    const spec = { deployments: [{ provider: 'deep', model: 'deepseek-reasoner' }] };
    expect((await ask(0, 'admin', 'POST', '/api/models', { name: 'thinker', spec })).status).toBe(201);
    await eventually(
      async () => (await ask(1, 'developer', 'GET', '/v1/models/thinker')).status,
      (status) => status === 200,
    );
    const rounds: { role: string; reasoning_content?: string }[][] = [];
    vendor.behave((request, response) => {
      if (request.body.tools === undefined) return answerOk(request, response, 'Suzhou');
      rounds.push(request.body.messages as (typeof rounds)[number]);
      const name = ['skill__city', 'mine'][rounds.length - 1];
      if (name === undefined) return answerOk(request, response, 'Done');
      const calls = [{ id: `c${rounds.length}`, type: 'function', function: { name, arguments: name === 'mine' ? '{}' : '{"text":"x"}' } }];
      const more = { reasoning_content: `thought ${rounds.length}`, tool_calls: calls };
      response.writeHead(200, { 'content-type': 'application/json' }).end(completion(null, more, 'tool_calls'));
    });
    const tools = [
      { type: 'function', function: { name: 'mine', parameters: { type: 'object' } } },
      { type: 'skill', name: 'city' },
    ];
    const messages = [{ role: 'user', content: 'go' }];
    const first = await ask(0, 'developer', 'POST', '/v1/chat/completions', { model: 'thinker', messages, tools });
    const { tool_calls } = first.json.choices[0].message;
    // As a strict client stores it: only fields of OpenAI's schema.
    const kept = { role: 'assistant', content: null, tool_calls };
    const back = [...messages, kept, { role: 'tool', tool_call_id: tool_calls[0].id, content: 'my result' }];
    const next = await ask(1, 'developer', 'POST', '/v1/chat/completions', { model: 'thinker', messages: back, tools });
    expect(next.json.choices[0].message.content).toBe('Done');
    const thoughts = (round: number) => rounds[round]?.filter(({ role }) => role === 'assistant').map((each) => each.reasoning_content);
    expect([thoughts(1), thoughts(2)]).toEqual([['thought 1'], ['thought 1', 'thought 2']]);
  });

  it('the answer of a background run is served by the other node', async () => {
    vendor.behave((request, response) => answerOk(request, response, 'Suzhou'));
    const started = await ask(0, 'developer', 'POST', '/v1/skills/city/runs', { input: { text: 'x' }, async: true });
    expect(started.status, started.text).toBe(202);
    const path = `/v1/runs/${started.json.id}`;
    const kept = await eventually(
      async () => (await ask(1, 'developer', 'GET', path)).json,
      (found) => found.status === 'completed' && found.tree.outcome === 'complete',
    );
    expect(kept).toMatchObject({ output: 'Suzhou', tree: { capability: 'skill/city' } });
    expect((await ask(1, 'admin', 'GET', path)).status).toBe(404);
  });

  it('the steps of a background run are streamed by the other node as they end', async () => {
    const options = {
      steps: [
        { id: 'first', with: 'one' },
        { id: 'second', with: 'two' },
      ],
    };
    const made = await ask(0, 'admin', 'POST', '/api/skills', {
      name: 'steps',
      spec: { kind: 'pipeline', description: 'd', model: 'small', options },
    });
    expect(made.status, made.text).toBe(201);
    const release = Promise.withResolvers<void>();
    vendor.behave(async (request, response) => {
      if (JSON.stringify(request.body.messages).includes('two')) await release.promise;
      answerOk(request, response, 'done');
    });
    const started = await ask(0, 'developer', 'POST', '/v1/skills/steps/runs', { input: { text: 'x' }, async: true });
    expect(started.status, started.text).toBe(202);
    const { id } = started.json;
    const headers = { authorization: `Bearer ${await identity.token('developer')}` };
    const following = await fetch(`${(nodes[1] as TestGateway).url}/v1/runs/${id}?stream=true`, { headers });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of following.body as ReadableStream<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      if (text.includes('event: step')) release.resolve();
    }
    const events = [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, data]) => [name, JSON.parse(data ?? '')] as const);
    expect(events.map(([name, { status }]) => `${name} ${status}`)).toEqual([
      'started running',
      'step completed',
      'step completed',
      'completed completed',
    ]);
    expect(events[0]?.[1].steps).toBeUndefined();
    expect(events.at(-1)?.[1]).toMatchObject({ output: 'done' });
    expect(events.at(-1)?.[1].steps).toEqual(events.filter(([name]) => name === 'step').map(([, step]) => step));
  });

  it('a background run is followed and cancelled from the other', async () => {
    const aborts = vendor.aborts;
    vendor.behave(() => {});
    const started = await ask(0, 'developer', 'POST', '/v1/skills/city/runs', { input: { text: 'x' }, async: true });
    const path = `/v1/runs/${started.json.id}`;
    await eventually(
      async () => (await ask(1, 'developer', 'GET', path)).json,
      (found) => found.status === 'running',
    );
    expect((await ask(1, 'admin', 'DELETE', path)).status).toBe(404);
    const following = ask(1, 'developer', 'GET', `${path}?stream=true`);
    expect((await ask(1, 'developer', 'DELETE', path)).status).toBe(202);
    expect([...(await following).text.matchAll(/^event: (\w+)/gm)].map(([, name]) => name)).toEqual(['started', 'cancelled']);
    await eventually(
      () => Promise.resolve(vendor.aborts),
      (count) => count > aborts,
    );
  });
});
