/** A stream ends with an error when its key or grant is revoked, here within a second. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { chunks, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  vendor = await startVendor();
  gateway = await startGateway({ PAILOU_RECHECK_SECONDS: '1' });
  const made = async (path: string, body: object) => expect((await gateway.as('admin', 'POST', path, body)).status).toBe(201);
  await made('/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
  await made('/api/models', { name: 'endless', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});
beforeEach(() => {
  vendor.aborts = 0;
  // One word every 50 ms, endlessly.
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const [first = '', word = ''] = chunks(['word ']);
    response.write(first);
    const timer = setInterval(() => response.write(word), 50);
    response.on('close', () => clearInterval(timer));
  });
});

const grant = async (): Promise<string> => {
  const made = await gateway.as('admin', 'POST', '/api/grants', {
    spec: { subject_type: 'user', subject: 'user', capability: 'model/endless', action: 'use' },
  });
  expect(made.status, made.text).toBe(201);
  return made.json.name as string;
};
const revoke = async (path: string) => expect((await gateway.as('admin', 'DELETE', path)).status).toBeLessThan(300);
const latestRun = async (): Promise<{ id: string; outcome: string; error: string; usage: { output_tokens: number } | null }> =>
  (await gateway.as('admin', 'GET', '/api/runs')).json.data[0];

/** Reads until the stream fails; `act` runs at the third word. Resolves with the failure. */
async function readUntilEnd(stream: AsyncIterable<unknown>, act: () => Promise<unknown>): Promise<{ error: unknown }> {
  let words = 0;
  try {
    for await (const _event of stream) {
      if (++words === 5) await act();
    }
  } catch (error) {
    return { error };
  }
  throw new Error('the stream ended as if all were well');
}
const messages = [{ role: 'user' as const, content: 'Hi' }];

describe('an active stream', () => {
  it('continues while its permission holds', async () => {
    const id = await grant();
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('user'), maxRetries: 0 });
    const stream = await openai.chat.completions.create({ model: 'endless', messages, stream: true });
    const start = performance.now();
    for await (const _chunk of stream) if (performance.now() - start > 3_500) break;
    expect(performance.now() - start).toBeGreaterThan(3_500);
    await eventually(
      async () => vendor.aborts,
      (aborts) => aborts === 1,
    );
    await revoke(`/api/grants/${id}`);
  });

  it('ends when its grant is revoked: chat completions', async () => {
    const id = await grant();
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('user'), maxRetries: 0 });
    const stream = await openai.chat.completions.create({ model: 'endless', messages, stream: true });
    const { error } = await readUntilEnd(stream, () => revoke(`/api/grants/${id}`));
    expect(error).toMatchObject({ error: { code: 'permission_denied', message: expect.stringContaining('no longer use model/endless') } });
    await eventually(
      async () => vendor.aborts,
      (aborts) => aborts === 1,
    );
    const run = await eventually(latestRun, ({ outcome }) => outcome === 'error');
    expect(run.error).toBe('permission_denied');
    expect(run.usage?.output_tokens).toBeGreaterThan(0);
    // It was not the vendor's fault.
    const { attempts } = (await gateway.as('admin', 'GET', `/api/runs/${run.id}`)).json;
    expect(attempts).toMatchObject([{ outcome: 'aborted' }]);
    const ended = await eventually(
      async () => (await gateway.as('admin', 'GET', '/api/audit?act=ended')).json.data as { actor: string; target: string }[],
      (entries) => entries.length > 0,
    );
    expect(ended).toMatchObject([{ actor: 'user', target: 'model/endless' }]);
  });

  it('is checked in its turn, behind calls that keep their permission', async () => {
    const id = await grant();
    const streamOf = async (who: 'admin' | 'user') => {
      const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token(who), maxRetries: 0 });
      return openai.chat.completions.create({ model: 'endless', messages, stream: true });
    };
    const before = [await streamOf('admin'), await streamOf('admin'), await streamOf('admin')];
    const { error } = await readUntilEnd(await streamOf('user'), () => revoke(`/api/grants/${id}`));
    expect(error).toMatchObject({ error: { code: 'permission_denied' } });
    for (const stream of before) stream.controller.abort();
    await eventually(
      async () => vendor.aborts,
      (aborts) => aborts === 4,
    );
  });

  it('ends when its key is revoked: responses and messages', async () => {
    const id = await grant();
    const key = async (): Promise<{ id: string; key: string }> => (await gateway.as('user', 'POST', '/api/keys', {})).json;
    const one = await key();
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: one.key, maxRetries: 0 });
    const response = await openai.responses.create({ model: 'endless', input: 'Hi', stream: true });
    const failed = await readUntilEnd(
      (async function* () {
        for await (const event of response) {
          if (event.type === 'response.failed' || event.type === 'error') throw new Error(JSON.stringify(event));
          yield event;
        }
      })(),
      () => revoke(`/api/keys/${one.id}`),
    );
    expect(String(failed.error)).toContain('There is no such key');

    const other = await key();
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: other.key, maxRetries: 0 });
    const stream = await anthropic.messages.create({ model: 'endless', max_tokens: 1_000, messages, stream: true });
    const afterRevocation = await readUntilEnd(stream, () => revoke(`/api/keys/${other.id}`));
    expect(JSON.stringify(afterRevocation.error)).toContain('authentication_error');
    await eventually(
      async () => vendor.aborts,
      (aborts) => aborts === 2,
    );
    await revoke(`/api/grants/${id}`);
  });
});

it('a background run also ends with the permission for its tools, without a listener', async () => {
  const spec = { kind: 'prompt', description: 'd', model: 'endless', options: { instructions: 'Go on.' } };
  expect((await gateway.as('admin', 'POST', '/api/skills', { name: 'going', spec })).status).toBe(201);
  const model = await grant();
  const skill = await gateway.as('admin', 'POST', '/api/grants', {
    spec: { subject_type: 'user', subject: 'user', capability: 'skill/going', action: 'use' },
  });
  expect(skill.status).toBe(201);
  const started = await gateway.as('user', 'POST', '/v1/skills/going/runs', { input: { text: 'x' }, async: true });
  expect(started.status, started.text).toBe(202);
  const path = `/v1/runs/${started.json.id}`;
  // Longer than one re-check.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect((await gateway.as('user', 'GET', path)).json.status).toBe('running');
  await revoke(`/api/grants/${model}`);
  const ended = await eventually(
    async () => (await gateway.as('user', 'GET', path)).json,
    (found) => found.status !== 'running',
  );
  expect(ended).toMatchObject({
    status: 'failed',
    error: { code: 'permission_denied', message: expect.stringContaining('model/endless') },
  });
  await eventually(
    async () => vendor.aborts,
    (aborts) => aborts === 1,
  );
});
