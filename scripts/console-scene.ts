/** What the pictures of the console show: a vendor that fails at times, models with prices, grants, a limit, a key, a skill with versions, and calls. */
import { createServer, type Server } from 'node:http';
import { fetchDevelopmentToken } from '../src/auth/development/development-token.ts';
import type { Gateway } from '../src/main.ts';

const answers = ['发票金额为 1,280 元，开票日期 2026-11-20。', 'The invoice is over 1,280 yuan.', '好的，已经整理成三点。'];

/** A vendor in OpenAI's format; every fourth answer is an error. */
function startVendor(): Promise<Server> {
  let calls = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (request.url?.endsWith('/models') === true) {
      const data = ['qwen3-max', 'qwen3-coder', 'deepseek-v3.2', 'glm-4.6'].map((id) => ({ id }));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
      return;
    }
    calls += 1;
    if (calls % 4 === 0) {
      response
        .writeHead(503, { 'content-type': 'application/json' })
        .end('{"error":{"message":"Service is overloaded, try again later."}}');
      return;
    }
    const message = { role: 'assistant', content: answers[calls % answers.length] };
    const usage = { prompt_tokens: 420 + calls * 37, completion_tokens: 64 + calls * 3, total_tokens: 484 + calls * 40 };
    const body = {
      id: 'a',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage,
    };
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)), 120);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

export interface Scene extends AsyncDisposable {
  /** Views beyond the pages themselves: what lies in drawers and tabs. */
  readonly views: readonly { readonly name: string; readonly path: string }[];
}

export async function setScene(gateway: Gateway): Promise<Scene> {
  const vendor = await startVendor();
  const address = vendor.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const tokens = { admin: await fetchDevelopmentToken(gateway.issuer, 'admin'), user: await fetchDevelopmentToken(gateway.issuer, 'user') };
  const send = async (who: 'admin' | 'user', method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const response = await fetch(gateway.url + path, {
      method,
      headers: { authorization: `Bearer ${tokens[who]}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok && path.startsWith('/api/')) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>;
  };
  const options = { base_url: `http://127.0.0.1:${port}/v1`, api_key: 'sk-picture' };
  await send('admin', 'POST', '/api/providers', { name: 'dashscope-local', spec: { kind: 'openai-compatible', options } });
  const price = { currency: 'CNY', input: '2.4', output: '9.6' };
  const deployments = [
    { provider: 'dashscope-local', model: 'qwen3-max', price, weight: 3 },
    { provider: 'dashscope-local', model: 'deepseek-v3.2', price, weight: 1 },
    { provider: 'demo', model: 'echo', tier: 1, price: { ...price, input: '0', output: '0' } },
  ];
  await send('admin', 'POST', '/api/models', { name: 'team-chat', spec: { description: '团队默认模型', deployments } });
  await send('admin', 'POST', '/api/grants', {
    spec: { subject_type: 'role', subject: 'user', capability: 'model/team-chat', action: 'use' },
  });
  await send('admin', 'POST', '/api/limits', {
    name: 'each-person',
    spec: {
      subject_type: 'user',
      subject: '*',
      capability: 'model/team-chat',
      requests_per_minute: 60,
      spend: { currency: 'CNY', per_month: '200' },
    },
  });
  await send('admin', 'POST', '/api/keys', { title: 'VS Code', permissions: ['llm:model:use'] });
  await send('admin', 'POST', '/api/skills/demo-greeting/publish', { version: '1.0.0' });
  for (let count = 0; count < 14; count++)
    await send(count % 3 === 0 ? 'user' : 'admin', 'POST', '/v1/chat/completions', {
      model: count % 5 === 4 ? 'demo/flaky' : 'team-chat',
      messages: [{ role: 'user', content: '请总结这张发票。' }],
    });
  await send('admin', 'POST', '/v1/skills/demo-greeting/run', { input: { name: 'Ann' } });
  // Runs are written a moment after their answers.
  const traced = async (): Promise<string> => {
    for (;;) {
      const { data } = (await send('admin', 'GET', '/api/runs?limit=50&model=team-chat')) as {
        readonly data: readonly { readonly id: string }[];
      };
      const [first] = data;
      if (first !== undefined) return first.id;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  return {
    views: [
      { name: 'provider-new', path: '/providers?add=yes' },
      { name: 'provider-one', path: '/providers?open=dashscope-local' },
      { name: 'model-one', path: '/models?open=team-chat' },
      { name: 'call-one', path: `/calls?open=${await traced()}` },
      { name: 'skill-try', path: '/skills?open=demo-greeting&tab=try' },
      { name: 'skill-versions', path: '/skills?open=demo-greeting&tab=versions' },
      { name: 'mcp-items', path: '/mcp?open=demo&tab=items' },
      { name: 'mcp-inspector', path: '/mcp?open=demo&tab=inspector' },
      { name: 'access-matrix', path: '/access?tab=matrix' },
      { name: 'access-explain', path: '/access?tab=explain' },
      { name: 'limit-one', path: '/limits?open=each-person' },
      { name: 'configuration-one', path: '/configuration?open=2' },
    ],
    async [Symbol.asyncDispose]() {
      vendor.closeAllConnections();
      await new Promise((resolve) => vendor.close(resolve));
    },
  };
}
