/** A cut stream is resumed at a fallback model, in every client format: word for word, or with an explicit error. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/models/estimate-usage.ts';
import { end, say, type Script, type ScriptedVendor, startScripted, stream } from '../dispatch/scene.ts';
import { type FormatClient, formatClients, formatNames } from './format-clients.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let clients: readonly FormatClient[];
const vendors: ScriptedVendor[] = [];
let made = 0;

beforeAll(async () => {
  await loadTokenizer();
  gateway = await startGateway();
  clients = formatClients(gateway.url, await gateway.token('developer'));
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await Promise.all(vendors.map((vendor) => vendor.close()));
});

const full = 'Many roads lead to 牌楼 🏮 and on.';
const pieces = (text: string): string[] => text.match(/[\s\S]{1,5}/g) ?? [];
const cut = (text: string, then: 'close' | 'reset' | 'stall' | 'end'): Script =>
  stream(
    pieces(text).map((each) => say(each)),
    then,
  );
const whole = (text: string): Script => stream([...pieces(text).map((each) => say(each)), ...end(20, 9)], 'end', 2);

interface Line {
  readonly script: Script;
  readonly prefill?: boolean;
  /** Additional fields of the model's row. */
  readonly spec?: object;
}

/** Models with fallbacks in this order; the first one's name and the vendor of each. */
async function chain(...lines: readonly Line[]): Promise<{ readonly model: string; readonly own: readonly ScriptedVendor[] }> {
  const own: ScriptedVendor[] = [];
  const id = ++made;
  for (const [at, { script, prefill = false, spec = {} }] of [...lines.entries()].toReversed()) {
    const vendor = await startScripted(script);
    own[at] = vendor;
    vendors.push(vendor);
    const name = `line-${id}-${at}`;
    const provider = { kind: 'openai-compatible', options: { base_url: vendor.url } };
    expect((await gateway.as('admin', 'POST', '/api/providers', { name, spec: provider })).status).toBe(201);
    const answer = await gateway.as('admin', 'POST', '/api/models', {
      name,
      spec: {
        deployments: [{ provider: name, model: 'up', prefill }],
        interrupted: 'resume',
        limits: { idle_ms: 400 },
        retry: { same: 0 },
        circuit: { failures: 1_000 },
        ...(at + 1 < lines.length ? { fallbacks: [{ on: ['error', 'overload'], model: `line-${id}-${at + 1}` }] } : {}),
        ...spec,
      },
    });
    expect(answer.status, answer.text).toBe(201);
  }
  return { model: `line-${id}-0`, own };
}

async function runOf(model: string): Promise<{ outcome: string; attempts: string[]; usage: { input: number; output: number } }> {
  const list = async () => (await gateway.as('admin', 'GET', `/api/runs?capability=model/${model}`)).json.data as { id: string }[];
  const [row, ...others] = await eventually(list, (data) => data.length > 0);
  expect(others).toEqual([]);
  const { json } = await gateway.as('admin', 'GET', `/api/runs/${row?.id}`);
  return {
    outcome: json.outcome,
    attempts: json.attempts.map((each: { provider: string; outcome: string }) => `${each.provider.at(-1)} ${each.outcome}`),
    usage: { input: json.usage.input_tokens, output: json.usage.output_tokens },
  };
}

describe.each(formatNames)('%s', (name) => {
  const ask: FormatClient['ask'] = (model, asked) => clients[formatNames.indexOf(name)]!.ask(model, asked);

  it.each(['close', 'reset', 'stall', 'end'] as const)('a fallback without prefill sends the rest of an answer cut by: %s', async (how) => {
    const { model } = await chain({ script: cut('Many roads le', how) }, { script: whole(full) });
    const heard = await ask(model, { stream: true });
    expect(heard).toMatchObject({ said: full, complete: true, error: null });
    const run = await runOf(model);
    expect(run).toMatchObject({ outcome: 'complete', attempts: ['0 error', '1 complete'] });
    expect(heard.usage, 'what the caller reads is what the ledger says').toEqual(run.usage);
  });

  it('a fallback with prefill gets the delivered text', async () => {
    const { model, own } = await chain({ script: cut('Many roa', 'close') }, { script: whole(full.slice(8)), prefill: true });
    expect(await ask(model, { stream: true })).toMatchObject({ said: full, complete: true, error: null });
    expect(own[1]?.calls[0]?.body.messages.at(-1)).toEqual({ role: 'assistant', content: 'Many roa' });
  });

  it('the fallback of a fallback continues when that one is cut too', async () => {
    const { model } = await chain({ script: cut('Many ', 'close') }, { script: cut('Many roads', 'reset') }, { script: whole(full) });
    expect(await ask(model, { stream: true })).toMatchObject({ said: full, complete: true, error: null });
    expect((await runOf(model)).attempts).toEqual(['0 error', '1 error', '2 complete']);
  });

  it('two answers are never mixed', async () => {
    const { model } = await chain({ script: cut('Many roads', 'close') }, { script: whole('Other words.') });
    expect(await ask(model, { stream: true })).toMatchObject({ said: 'Many roads', complete: false, error: expect.stringMatching(/./) });
  });
});

const ask = (model: string) => clients[0]!.ask(model, { stream: true });

it('a fallback continues although the attempts at the first model are used up', async () => {
  const { model } = await chain({ script: cut('Many ', 'close'), spec: { limits: { attempts: 1 } } }, { script: whole(full) });
  expect(await ask(model)).toMatchObject({ said: full, complete: true });
});

it('a fallback for another class of failure is not tried', async () => {
  const { model, own } = await chain({ script: cut('Many ', 'close') }, { script: whole(full) });
  const row = (await gateway.as('admin', 'GET', `/api/models/${model}`)).json;
  const fallbacks = row.spec.fallbacks.map((each: object) => ({ ...each, on: ['content_filter'] }));
  const spec = { ...row.spec, fallbacks };
  expect((await gateway.as('admin', 'PUT', `/api/models/${model}`, { spec })).status).toBe(200);
  expect(await ask(model)).toMatchObject({ said: 'Many ', complete: false, error: expect.stringMatching(/./) });
  expect(own[1]?.calls).toHaveLength(0);
});

it('a fallback that the caller may not use is not tried', async () => {
  const { model, own } = await chain({ script: cut('Many ', 'close') }, { script: whole(full) });
  const grant = { subject_type: 'role', subject: 'user', capability: `model/${model}`, action: 'use' };
  expect((await gateway.as('admin', 'POST', '/api/grants', { spec: grant })).status).toBe(201);
  const user = formatClients(gateway.url, await gateway.token('user'))[0]!;
  expect(await user.ask(model, { stream: true })).toMatchObject({ said: 'Many ', complete: false, error: expect.stringMatching(/./) });
  expect(own[1]?.calls).toHaveLength(0);
});

it('a fallback needs only the reservation that the cut model releases, even after the headers were sent', async () => {
  const { model } = await chain({ script: cut('Many ', 'close') }, { script: whole(full) });
  const spec = { subject_type: 'user', concurrent_calls: 1, tokens_per_minute: 100_000 };
  expect((await gateway.as('admin', 'POST', '/api/limits', { name: 'one-call', spec })).status).toBe(201);
  expect(await ask(model)).toMatchObject({ said: full, complete: true, error: null });
  expect((await gateway.as('admin', 'DELETE', '/api/limits/one-call')).status).toBeLessThan(300);
});

it('a fallback without room in the caller’s limits is not tried', async () => {
  const { model, own } = await chain({ script: cut('Many ', 'close') }, { script: whole(full) });
  const spec = { subject_type: 'user', requests_per_minute: 1, capability: `model/${model.replace(/0$/, '1')}` };
  expect((await gateway.as('admin', 'POST', '/api/limits', { name: 'no-room', spec })).status).toBe(201);
  expect(await ask(model.replace(/0$/, '1'))).toMatchObject({ said: full });
  expect(await ask(model)).toMatchObject({ said: 'Many ', complete: false });
  expect(own[1]?.calls).toHaveLength(1);
});
