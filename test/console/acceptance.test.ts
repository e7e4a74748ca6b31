/** What a team does from the first minute on, with a gateway that was started as a user starts it. `docs/console.md` lists the points. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, startProcess, type TestGateway } from '../whole/gateway.ts';
import { answerOk, completion, startVendor, type Vendor } from '../whole/vendor.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, rowsOf, startChromium, type TestBrowser, type Visit } from './chromium.ts';
import { addRuns } from './many-runs.ts';

const program = join(import.meta.dirname, '../../bin/pailou.js');
const messages = [{ role: 'user' as const, content: 'Hello' }];

describe.skipIf(chromiumPath === undefined)('a gateway that was just started, in Chromium', () => {
  let gateway: TestGateway;
  let vendor: Vendor;
  let browser: TestBrowser;
  beforeAll(async () => {
    buildConsole();
    [gateway, vendor, browser] = await Promise.all([startGateway({}, (env) => startProcess(env, program)), startVendor(), startChromium()]);
    const options = { base_url: vendor.url, api_key: 'sk-that-never-returns' };
    await gateway.as('admin', 'POST', '/api/providers', { name: 'v', spec: { kind: 'openai-compatible', options } });
    const price = { currency: 'CNY', input: '2', output: '8' };
    for (const model of ['counted', 'uncounted', 'agent'])
      await gateway.as('admin', 'POST', '/api/models', { name: model, spec: { deployments: [{ provider: 'v', model, price }] } });
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    await vendor[Symbol.asyncDispose]();
  });

  it('streams an answer of the demo, which says under the banner that it is no AI', async () => {
    await using visit = await browser.visit(gateway.url, 'user', '/');
    const { page } = visit;
    await page.getByText('The demo models are not AI.').waitFor();
    await page.getByRole('link', { name: 'Playground' }).press('Enter');
    await page.getByLabel('Your question').fill('who are you?');
    await page.getByLabel('Your question').press('Enter');
    await page.getByRole('log').getByText('This is a demo, not an AI.').waitFor();
    await page.getByText('The demo models are not AI.').waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('shows the documentation of the API without a request outside and without an error', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/');
    const { page } = visit;
    await page.goto(`${gateway.url}/docs`);
    await page.locator('.opblock-summary').first().click();
    await page.locator('.opblock-body').first().waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('returns no secret to any page, not to the form that holds it, nor to the history or the audit', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/');
    const { page } = visit;
    const bodies: Promise<string>[] = [];
    page.on('response', (response) => {
      if (new URL(response.url()).pathname.startsWith('/api/')) bodies.push(response.text().catch(() => ''));
    });
    for (const path of ['providers?open=v', 'configuration?open=2', 'audit?target=provider/v']) {
      await page.goto(`${gateway.url}/console/${path}`);
      await page.getByText('openai-compatible').or(page.locator('button.row-name')).first().waitFor();
      await page.reload();
      await page.getByText('openai-compatible').or(page.locator('button.row-name')).first().waitFor();
    }
    await page.locator('button.row-name').first().press('Enter');
    await page.getByRole('dialog').getByText('api_key').waitFor();
    const seen = await Promise.all(bodies);
    expect(seen.filter((body) => body.includes('openai-compatible')).length).toBeGreaterThan(3);
    expect(seen.filter((body) => body.includes('sk-that-never-returns'))).toEqual([]);
    expect(await page.content()).not.toContain('sk-that-never-returns');
  });

  /** The lines that the page shows for a client. */
  async function linesFor({ page }: Visit, client: string): Promise<string> {
    await page.goto(`${gateway.url}/console/connect?client=${client}&model=agent`);
    return page.locator('.md-code pre').nth(1).innerText();
  }

  it('lets coding agents edit a file by the lines of the page Connect; their calls are those of the person', async () => {
    vendor.behave((request, response) => {
      const { tools = [], messages: given = [] } = request.body as { tools?: unknown[]; messages?: { role: string }[] };
      if (tools.length === 0 || given.some(({ role }) => role === 'tool')) return answerOk(request, response, 'The file is written.');
      const call = { name: 'write_file', arguments: JSON.stringify({ text: 'written by the agent' }) };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(completion(null, { tool_calls: [{ id: 'call_1', type: 'function', function: call }] }, 'tool_calls'));
    });
    const folder = await mkdtemp(join(tmpdir(), 'pailou-agent-'));
    const file = join(folder, 'note.txt');
    const { json: key } = await gateway.as('developer', 'POST', '/api/keys', { title: 'laptop', permissions: ['llm:model:use'] });
    await using visit = await browser.visit(gateway.url, 'developer', '/console/connect');
    const schema = { type: 'object' as const, properties: { text: { type: 'string' } }, required: ['text'] };
    const write = async (input: unknown): Promise<void> => writeFile(file, (input as { text: string }).text);
    const prompt = 'Write the note.';

    // Claude Code speaks the Messages API at the address and with the model of these lines.
    const shell = await linesFor(visit, 'claude-code');
    const claude = new Anthropic({ baseURL: /ANTHROPIC_BASE_URL=(\S+)/.exec(shell)?.[1] ?? null, authToken: key.key, apiKey: null });
    const model = /claude --model (\S+)/.exec(shell)?.[1] ?? '';
    const ask = { model, max_tokens: 100, tools: [{ name: 'write_file', input_schema: schema }] };
    const first = await claude.messages.create({ ...ask, messages: [{ role: 'user', content: prompt }] });
    const use = first.content.find((block) => block.type === 'tool_use');
    await write(use?.input);
    const result = { type: 'tool_result' as const, tool_use_id: use?.id ?? '', content: 'done' };
    const second = await claude.messages.create({
      ...ask,
      messages: [
        { role: 'user', content: prompt },
        { role: 'assistant', content: first.content },
        { role: 'user', content: [result] },
      ],
    });
    expect(second.content).toMatchObject([{ type: 'text', text: 'The file is written.' }]);
    expect(await readFile(file, 'utf8')).toBe('written by the agent');
    await rm(file);

    // Codex speaks the Responses API.
    const toml = await linesFor(visit, 'codex');
    expect(toml).toContain('wire_api = "responses"');
    const codex = new OpenAI({ baseURL: /base_url = "([^"]+)"/.exec(toml)?.[1] ?? '', apiKey: key.key });
    const turn = { model: /^model = "([^"]+)"/m.exec(toml)?.[1] ?? '', store: false };
    const tools = [{ type: 'function' as const, name: 'write_file', parameters: schema, strict: false }];
    const begun = await codex.responses.create({ ...turn, tools, input: prompt });
    const [call] = begun.output.filter((item) => item.type === 'function_call');
    await write(JSON.parse(call?.arguments ?? '{}'));
    const output = { type: 'function_call_output' as const, call_id: call?.call_id ?? '', output: 'done' };
    const ended = await codex.responses.create({
      ...turn,
      tools,
      input: [{ role: 'user', content: prompt }, ...(call === undefined ? [] : [call]), output],
    });
    expect(ended.output_text).toBe('The file is written.');
    expect(await readFile(file, 'utf8')).toBe('written by the agent');
    await rm(folder, { recursive: true });

    await eventually(
      () => gateway.as('developer', 'GET', '/api/runs?model=agent'),
      ({ json }) => json.data.length === 4,
    );
    const { page } = visit;
    await page.goto(`${gateway.url}/console/calls?capability=model/agent`);
    await rowsOf(page, 'developer').nth(3).waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('counts a hundred calls alike in answers, in Calls, in Usage and in the metrics, and marks what it estimated', async () => {
    vendor.behave((request, response) => {
      if (request.body?.model === 'counted') return answerOk(request, response, 'hello');
      const { usage: _none, ...body } = JSON.parse(completion('hello')) as Record<string, unknown>;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    const [counted, batch] = [90, 10];
    const ask = async (model: string): Promise<string> => {
      const answer = await gateway.as('user', 'POST', '/v1/chat/completions', { model, messages });
      const used = model === 'counted' ? { usage: { prompt_tokens: 5, completion_tokens: 2 } } : {};
      expect({ status: answer.status, ...answer.json }, answer.text).toMatchObject({ status: 200, ...used });
      return answer.headers.get('x-pailou-trace-id') ?? '';
    };
    for (const capability of ['model/counted', 'model/uncounted'])
      await gateway.as('admin', 'POST', '/api/grants', { spec: { subject_type: 'role', subject: 'user', capability, action: 'use' } });
    const ids = new Set<string>();
    for (let done = 0; done < counted; done += batch)
      for (const id of await Promise.all(Array.from({ length: batch }, () => ask('counted')))) ids.add(id);
    for (const id of await Promise.all(Array.from({ length: 100 - counted }, () => ask('uncounted')))) ids.add(id);
    expect(ids.size).toBe(100);
    const totals = await eventually(
      async () => (await gateway.as('user', 'GET', '/api/reports/series?by=model')).json.total,
      ({ calls }) => calls >= 100,
    );
    const runs = (await gateway.as('admin', 'GET', '/api/runs?user=user&model=counted&limit=500')).json.data as {
      id: string;
      usage: object;
    }[];
    expect(runs.length).toBe(counted);
    expect(runs.every(({ id }) => ids.has(id))).toBe(true);
    const metrics = (await gateway.as('admin', 'GET', '/metrics')).text;
    const count = (name: string, ...labels: string[]): number =>
      metrics
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    expect(count('pailou_runs_total', 'capability="model/counted"')).toBe(counted);
    expect(count('pailou_tokens_total', 'model/counted', 'direction="input"', 'source="vendor"')).toBe(5 * counted);
    expect(count('pailou_tokens_total', 'model/uncounted', 'source="vendor"')).toBe(0);
    await using visit = await browser.visit(gateway.url, 'user', '/console/usage?period=day');
    const { page } = visit;
    const row = page.getByRole('row').filter({ has: page.getByText('counted', { exact: true }) });
    await row.first().waitFor();
    expect((await row.first().getByRole('cell').allTextContents()).slice(1, 6)).toEqual(['90', '90', '0', '450', '180']);
    expect(totals.calls).toBeGreaterThanOrEqual(100);
    await page.goto(`${gateway.url}/console/calls?capability=model/uncounted`);
    await rowsOf(page, 'model/uncounted').first().getByText('≈').waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('pages a million runs by keyset: the first page and a filter cost one request each, whose size does not grow', async () => {
    addRuns(join(gateway.dataDir, 'pailou.db'), 1_000_000, 'model/counted');
    await using visit = await browser.visit(gateway.url, 'admin', '/console/calls?since=month');
    const { page } = visit;
    await rowsOf(page, 'model/').first().waitFor();
    const asked = (): readonly string[] => visit.requests.filter((request) => request.includes('/api/runs'));
    expect(asked().length).toBe(1);
    await page.getByLabel('Model, skill or tool').fill('model/counted');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Load more' }).waitFor();
    await eventually(
      () => Promise.resolve(asked()),
      (requests) => requests.length === 2,
    );
    expect(visit.requests.length).toBeLessThanOrEqual(6);
    const { json } = await gateway.as('admin', 'GET', '/api/runs?capability=model/counted&limit=100');
    expect(json.data.length).toBe(100);
    expect(JSON.stringify(json).length).toBeLessThan(150_000);
    expect(visit.faults).toEqual([]);
  });

  it('is closed to viewers page by page and API by API, and nothing of it is in what they receive', async () => {
    const apis = [
      'audit',
      'grants',
      'limits',
      'people',
      'config/history',
      'config/export',
      'access/matrix',
      'access/issuers',
      'audit/verify',
    ];
    const statuses = await Promise.all(apis.map(async (api) => (await gateway.as('viewer', 'GET', `/api/${api}`)).status));
    expect(statuses).toEqual(apis.map(() => 403));
    await using visit = await browser.visit(gateway.url, 'viewer', '/console/');
    const { page } = visit;
    for (const path of ['access', 'limits', 'audit', 'configuration', 'playground', 'connect', 'routing']) {
      await page.goto(`${gateway.url}/console/${path}`);
      await page.getByText('You may not see this page').waitFor();
    }
    // The menu names none of them.
    expect(
      await page
        .getByRole('navigation')
        .getByRole('link', { name: /Access|Limits|Audit|Configuration|Playground/ })
        .count(),
    ).toBe(0);
    const asked = visit.requests.filter((request) => /grants|limits|audit|history|matrix|people|explain/.test(request));
    expect(asked).toEqual([]);
    expect(visit.faults).toEqual([]);
  });

  it('refuses the next call after a grant was taken away, and the page says so', async () => {
    vendor.behave((request, response) => answerOk(request, response, 'still allowed'));
    const spec = { subject_type: 'role', subject: 'user', capability: 'model/agent', action: 'use' };
    const { json: grant } = await gateway.as('admin', 'POST', '/api/grants', { spec });
    await using visit = await browser.visit(gateway.url, 'user', '/console/playground?model=agent');
    const { page } = visit;
    const ask = async (): Promise<void> => {
      await page.getByLabel('Your question').fill('hello');
      await page.getByLabel('Your question').press('Enter');
    };
    await ask();
    await page.getByRole('log').getByText('still allowed').waitFor();
    expect((await gateway.as('admin', 'DELETE', `/api/grants/${grant.name}`)).status).toBe(204);
    await page.getByRole('button', { name: 'Send' }).waitFor();
    await ask();
    await page.getByRole('log').getByText('You may not do this. An administrator can grant the right.').waitFor();
    expect(visit.faults).toEqual([]);
  });
});
