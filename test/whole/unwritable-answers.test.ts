/** Answers that the client's format cannot express: the ledger names the error that the client gets, not a success and not the client. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { part, type Script, type ScriptedVendor, startScripted, stream, usagePart } from '../dispatch/scene.ts';
import { type Answer, eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
const vendors: ScriptedVendor[] = [];
let made = 0;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await Promise.all(vendors.map((vendor) => vendor.close()));
});

async function modelFor(script: Script, more: object = {}): Promise<string> {
  const name = `unwritable-${++made}`;
  const vendor = await startScripted(script);
  vendors.push(vendor);
  const provider = { kind: 'openai-compatible', options: { base_url: vendor.url } };
  expect((await gateway.as('admin', 'POST', '/api/providers', { name, spec: provider })).status).toBe(201);
  const spec = { deployments: [{ provider: name, model: 'up' }], retry: { same: 0 }, ...more };
  expect((await gateway.as('admin', 'POST', '/api/models', { name, spec })).status).toBe(201);
  return name;
}

const sound = { id: 'a1', data: 'UklGRg==', expires_at: 9 };
const streamed = stream([part({ audio: sound }), part({}, 'stop'), usagePart(5, 7), 'data: [DONE]\n\n'], 'end', 1);
const whole: Script = ({ wire }) =>
  wire.whole(
    200,
    JSON.stringify({
      id: 'v',
      object: 'chat.completion',
      created: 1,
      model: 'v',
      choices: [{ index: 0, message: { role: 'assistant', content: null, audio: sound }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    }),
  );

const bodies = {
  messages: (model: string) => ({ model, max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] }),
  responses: (model: string) => ({ model, input: 'Hi', store: false }),
};

interface RecordedRun {
  readonly outcome: string;
  readonly error: string | null;
  readonly usage: { readonly output_tokens: number } | null;
  readonly attempts: readonly { readonly outcome: string; readonly error: string | null }[];
}

async function runOf(answer: Answer): Promise<RecordedRun> {
  const path = `/api/runs/${answer.headers.get('x-pailou-trace-id')}`;
  const found = await eventually(
    () => gateway.as('admin', 'GET', path),
    ({ status }) => status === 200,
  );
  return found.json as RecordedRun;
}

describe.each(['messages', 'responses'] as const)('on /v1/%s', (face) => {
  describe.each([
    ['streamed', true],
    ['whole', false],
  ])('%s', (_how, isStreamed) => {
    it.each([
      ['a model', {}],
      ['a model with a cache', { cache: {} }],
    ])('%s ends the run with the error of the client', async (_what, more) => {
      const model = await modelFor(isStreamed ? streamed : whole, more);
      const answer = await gateway.as('developer', 'POST', `/v1/${face}`, { ...bodies[face](model), stream: isStreamed });
      expect(answer.text).toMatch(/no transcript/);
      const run = await runOf(answer);
      expect(run).toMatchObject({ outcome: 'error', error: 'unsupported_parameter', usage: { output_tokens: 7 } });
      // The vendor did what it was asked for.
      expect(run.attempts).toMatchObject([{ outcome: 'complete', error: null }]);
      // An answer that could not be written is not stored.
      const again = await gateway.as('developer', 'POST', `/v1/${face}`, { ...bodies[face](model), stream: isStreamed });
      expect(again.headers.get('x-pailou-deployment')).not.toBe('cache');
      expect(await runOf(again)).toMatchObject({ outcome: 'error' });
    });
  });
});
