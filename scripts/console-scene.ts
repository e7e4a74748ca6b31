/** What the pictures of the console show: a vendor that fails at times, models with prices, grants, a limit, a key, a skill with versions, and calls. */
import { createServer, type Server } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { fetchDevelopmentToken } from '../src/auth/development/development-token.ts';
import type { Gateway } from '../src/main.ts';

/** By the language of the question, and by the model. */
const answers = {
  zh: {
    'qwen3-max':
      '这是一张 **1,280 元** 的增值税发票，开票日期 2026-11-20，付款期限 30 天。\n\n- 销售方：杭州云帆科技\n- 税额：147.26 元\n- 状态：未付款',
    'qwen3-coder': '发票金额 1,280 元，应于 2026-12-20 前付款。',
  },
  en: {
    'qwen3-max':
      'An invoice over **1,280 yuan**, issued on 20 November 2026 and payable within 30 days.\n\n- Seller: Hangzhou Yunfan\n- Tax: 147.26 yuan\n- State: not paid',
    'qwen3-coder': 'Invoice of 1,280 yuan, to be paid before 20 December 2026.',
  },
} as const;

function answerTo(body: string): string {
  const { zh, en } = answers;
  const known = /[\u4e00-\u9fff]/.test(body) ? zh : en;
  return body.includes('qwen3-coder') ? known['qwen3-coder'] : known['qwen3-max'];
}

/** A vendor in OpenAI's format; every fourth answer is an error. */
function startVendor(): Promise<Server> {
  let calls = 0;
  const server = createServer((request, response) => {
    let question = '';
    request.setEncoding('utf8').on('data', (part: string) => (question += part));
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
    const usage = { prompt_tokens: 420 + calls * 37, completion_tokens: 64 + calls * 3, total_tokens: 484 + calls * 40 };
    setTimeout(() => {
      const message = { role: 'assistant', content: answerTo(question) };
      const choices = [{ index: 0, message, finish_reason: 'stop' }];
      const body = { id: 'a', object: 'chat.completion', created: 1, model: 'm', choices, usage };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }, 120);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const hourMs = 3_600_000;
/** How busy each of the last hours, and of the last days, was in comparison with the present one. */
const pastHours = [2, 3, 2, 4, 3, 5, 6, 4, 3, 2, 1, 0, 0, 0, 1, 1, 2, 4, 5, 6, 5, 4, 3];
const pastDays = [38, 41, 12, 9, 33, 36, 40, 35, 31, 10, 8, 29, 34, 30, 27, 25, 9, 6, 24, 28, 26, 22, 20, 7, 5, 18, 21, 16, 12];

/** Multiplies the sums of this hour and day into the past, so that charts have a past. */
function addPast(file: string): void {
  const database = new DatabaseSync(file);
  for (const { table, factors, length } of [
    { table: 'llm_rollup_hour', factors: pastHours, length: hourMs },
    { table: 'llm_rollup_day', factors: pastDays, length: 24 * hourMs },
  ]) {
    const columns = (database.prepare(`select name from pragma_table_info('${table}')`).all() as { name: string }[]).map(
      ({ name }) => name,
    );
    const values = (factor: number, back: number): string[] =>
      columns.map((name) => {
        if (name === 'start') return `start - ${back * length}`;
        return name === 'tenant' || name === 'series' ? name : `${name} * ${factor}`;
      });
    const { latest } = database.prepare(`select max(start) as latest from ${table}`).get() as { latest: number };
    for (const [index, factor] of factors.entries())
      if (factor > 0)
        database.exec(
          `insert or ignore into ${table} (${columns.join(', ')}) select ${values(factor, index + 1).join(', ')} from ${table} where start = ${latest}`,
        );
  }
  database.close();
}

export interface Scene extends AsyncDisposable {
  /** Views beyond the pages themselves: what lies in drawers and tabs. */
  readonly views: readonly { readonly name: string; readonly path: string }[];
}

export async function setScene(gateway: Gateway, dataDir: string): Promise<Scene> {
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
  const coder = { provider: 'dashscope-local', model: 'qwen3-coder', price: { ...price, input: '1', output: '4' } };
  await send('admin', 'POST', '/api/models', { name: 'team-code', spec: { description: '代码模型', deployments: [coder] } });
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
  const id = await traced();
  // A trace is best seen where an attempt failed.
  const runs = (await send('admin', 'GET', '/api/runs?limit=50&model=demo/flaky')) as { readonly data: readonly { readonly id: string }[] };
  let traceable = id;
  for (const run of runs.data) {
    const { attempts = [] } = (await send('admin', 'GET', `/api/runs/${run.id}`)) as { readonly attempts?: readonly unknown[] };
    if (attempts.length > 1) traceable = run.id;
  }
  addPast(join(dataDir, 'pailou.db'));
  return {
    views: [
      { name: 'provider-new', path: '/providers?add=yes' },
      { name: 'provider-one', path: '/providers?open=dashscope-local' },
      { name: 'model-one', path: '/models?open=team-chat' },
      { name: 'call-one', path: `/calls?open=${traceable}` },
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
