/** `interrupted: error | withhold | resume` in every client format: the exact text or an explicit error, and a ledger entry for each attempt. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/models/estimate-usage.ts';
import type { RunDetail } from '../../src/storage/run-reader.ts';
import { completionOf, end, part, say, type Script, type ScriptedVendor, startScripted, stream, think } from '../dispatch/scene.ts';
import { type FormatClient, formatClients, formatNames, type ReceivedAnswer } from './format-clients.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let clients: readonly FormatClient[];
const vendors: ScriptedVendor[] = [];
let made = 0;

beforeAll(async () => {
  // Loads the tokenizer, so that all estimates are comparable.
  await loadTokenizer();
  gateway = await startGateway();
  clients = formatClients(gateway.url, await gateway.token('developer'));
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await Promise.all(vendors.map((vendor) => vendor.close()));
});

const full = 'Many roads lead to 牌楼 🏮 and on.';
const pieces = (text: string, size = 3): string[] => text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
const saying = (text: string, then?: 'close' | 'reset' | 'stall' | 'end'): Script =>
  stream(
    pieces(text).map((each) => say(each)),
    then,
  );
/** A whole answer; for a request without a stream, a whole body. */
const whole =
  (text: string): Script =>
  (call) => {
    if (call.body.stream === true) return stream([...pieces(text, 5).map((each) => say(each)), ...end(20, 9)], 'end', 2)(call);
    return call.wire.whole(200, completionOf(text));
  };
/** Half of a body, then the connection closes. */
const halfBody: Script = ({ wire }) => {
  const body = completionOf(full);
  wire.head(200, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) });
  wire.raw(body.slice(0, body.length / 2));
  wire.close();
};
const toolPart = (more: object): string => part({ tool_calls: [{ index: 0, ...more }] });
const toolStart = toolPart({ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":' } });

interface Scripted {
  readonly script: Script;
  readonly prefill?: boolean;
  readonly always_stream?: boolean;
  readonly price?: object;
}

interface Case {
  readonly model: string;
  readonly vendors: readonly ScriptedVendor[];
}

/** A model with one deployment for each script, tried in this order. */
/** Limits that end no call before its client leaves it. */
const patient = { idle_ms: 100_000, total_ms: 150_000 };

async function makeCase(interrupted: string, deployments: readonly (Script | Scripted)[], limits: object = {}): Promise<Case> {
  const model = `case-${++made}`;
  const own: ScriptedVendor[] = [];
  const specs: object[] = [];
  for (const [tier, given] of deployments.entries()) {
    const { script, ...more } = typeof given === 'function' ? { script: given } : given;
    const vendor = await startScripted(script);
    own.push(vendor);
    vendors.push(vendor);
    const name = `${model}-${'abc'[tier]}`;
    const spec = { kind: 'openai-compatible', options: { base_url: vendor.url } };
    expect((await gateway.as('admin', 'POST', '/api/providers', { name, spec })).status).toBe(201);
    specs.push({ provider: name, model: 'up', tier, ...more });
  }
  const spec = {
    deployments: specs,
    interrupted,
    limits: { first_token_ms: 2_000, idle_ms: 400, total_ms: 10_000, ...limits },
    retry: { same: 0 },
    circuit: { failures: 1_000 },
  };
  const answer = await gateway.as('admin', 'POST', '/api/models', { name: model, spec });
  expect(answer.status, answer.text).toBe(201);
  return { model, vendors: own };
}

/** The only run of a model, with its attempts. A missing or duplicate run is a failure. */
async function recordedRun({ model }: Case): Promise<RunDetail> {
  const list = async () => (await gateway.as('admin', 'GET', `/api/runs?capability=model/${model}`)).json.data as { id: string }[];
  const [row, ...others] = await eventually(list, (data) => data.length > 0);
  expect(others).toEqual([]);
  const run = (await gateway.as('admin', 'GET', `/api/runs/${row?.id}`)).json as RunDetail;
  const lines = (await gateway.as('admin', 'GET', '/api/usage?by=model')).json.data as Record<string, unknown>[];
  expect(lines.filter((line) => line['model'] === model)).toEqual([
    expect.objectContaining({
      calls: 1,
      runs: 1,
      input_tokens: run.usage?.input_tokens ?? 0,
      output_tokens: run.usage?.output_tokens ?? 0,
    }),
  ]);
  return run;
}

const attemptsOf = ({ attempts }: RunDetail): string[] =>
  attempts.map(({ number, provider, outcome, error }) => `${number} ${provider.at(-1)} ${outcome}${error === null ? '' : ` ${error}`}`);
const countsOf = (each: Case): number[] => each.vendors.map(({ calls }) => calls.length);
const lastTold = (vendor: ScriptedVendor | undefined) => vendor?.calls[0]?.body.messages.at(-1);

/** Every word once, the end of the client format, and one complete run whose usage matches the received text. */
async function expectWhole(each: Case, heard: ReceivedAnswer, attempts: readonly string[], text = full): Promise<RunDetail> {
  expect(heard).toMatchObject({ said: text, complete: true, error: null });
  expect(
    countsOf(each).reduce((sum, count) => sum + count, 0),
    'calls that the vendors count',
  ).toBe(attempts.length);
  const run = await recordedRun(each);
  expect(run).toMatchObject({ outcome: 'complete', error: null });
  expect(attemptsOf(run)).toEqual(attempts);
  expect({ input: run.usage?.input_tokens, output: run.usage?.output_tokens }).toEqual(heard.usage);
  return run;
}

/** A prefix of the text and an explicit error, never a regular end. */
async function expectBroken(each: Case, heard: ReceivedAnswer, attempts: readonly string[], said: string): Promise<RunDetail> {
  expect(heard).toMatchObject({ said, complete: false, error: expect.stringMatching(/./) });
  expect(
    countsOf(each).reduce((sum, count) => sum + count, 0),
    'calls that the vendors count',
  ).toBe(attempts.length);
  const run = await recordedRun(each);
  expect(run).toMatchObject({ outcome: 'error', error: 'upstream_interrupted' });
  expect(attemptsOf(run)).toEqual(attempts);
  return run;
}

const cutThenWhole = ['1 a error upstream_interrupted', '2 b complete'];

describe.each(formatNames)('%s', (name) => {
  const ask: FormatClient['ask'] = (model, asked) => clients[formatNames.indexOf(name)]!.ask(model, asked);

  describe('resume, streamed', () => {
    it.each(['close', 'reset', 'stall', 'end'] as const)('continues from the start of a text that was cut by: %s', async (how) => {
      const each = await makeCase('resume', [saying('Many roa', how), { script: whole(full.slice(8)), prefill: true }]);
      const heard = await ask(each.model, { stream: true });
      const run = await expectWhole(each, heard, cutThenWhole);
      expect(lastTold(each.vendors[1])).toEqual({ role: 'assistant', content: 'Many roa' });
      expect(run.usage?.estimated).toBe(true);
    });

    it.each([8, 20, full.indexOf('🏮') + 1])('holds a second answer from the start to what was sent, cut at %d', async (cut) => {
      const each = await makeCase('resume', [saying(full.slice(0, cut), 'reset'), whole(full)]);
      await expectWhole(each, await ask(each.model, { stream: true }), cutThenWhole);
      expect(lastTold(each.vendors[1])).toMatchObject({ role: 'user' });
    });

    it('ends with an error where the second answer differs, and stops it at its vendor', async () => {
      const each = await makeCase('resume', [saying('Many roa', 'close'), saying('Many paths lead', 'stall')], { idle_ms: 5_000 });
      const heard = await ask(each.model, { stream: true });
      expect(heard.error).toMatch(/did not begin with the same words/);
      await expectBroken(each, heard, ['1 a error upstream_interrupted', '2 b aborted'], 'Many roa');
      await expect.poll(() => each.vendors[1]?.left).toBe(1);
    });

    it('ends with an error when a model does not continue from its prefill', async () => {
      const each = await makeCase('resume', [saying('Many roads ', 'close'), { script: saying('lead on.', 'stall'), prefill: true }]);
      await expectBroken(each, await ask(each.model, { stream: true }), ['1 a error upstream_interrupted', '2 b aborted'], 'Many roads ');
    });

    it('continues cut reasoning, even where a prefill is possible', async () => {
      const second = stream([think('Let me '), think('see. '), ...pieces(full).map((word) => say(word)), ...end(20, 14)]);
      const each = await makeCase('resume', [stream([think('Let m')], 'close'), { script: second, prefill: true }]);
      const heard = await ask(each.model, { stream: true });
      await expectWhole(each, heard, cutThenWhole);
      expect(heard.thought).toBe('Let me see. ');
      expect(lastTold(each.vendors[1])).toMatchObject({ role: 'user' });
    });

    it('ends with an error when the second answer has other reasoning', async () => {
      const second = stream([think('Hm. '), say('Many')], 'stall');
      const each = await makeCase('resume', [stream([think('Let m')], 'close'), second]);
      const heard = await ask(each.model, { stream: true });
      await expectBroken(each, heard, ['1 a error upstream_interrupted', '2 b aborted'], '');
      expect(heard.thought).toBe('Let m');
    });

    it('never joins the arguments of a tool call', async () => {
      const first = stream([say('I look.'), toolStart, toolPart({ function: { arguments: '"Su' } })], 'close');
      const second = stream([say('I look.'), toolStart, toolPart({ function: { arguments: '"Suzhou"}' } }), ...end(20, 9, 'tool_calls')]);
      const each = await makeCase('resume', [first, { script: second, prefill: true }]);
      const heard = await ask(each.model, { stream: true, tools: true });
      await expectBroken(each, heard, ['1 a error upstream_interrupted'], 'I look.');
      expect(heard).toMatchObject({ calls: 1, tools: '{"city":"Su' });
      expect(each.vendors[1]?.calls, 'nobody else is asked').toHaveLength(0);
    });

    it('allows the second answer to call a tool after the delivered text', async () => {
      const second = stream([say('I look.'), toolStart, toolPart({ function: { arguments: '"Suzhou"}' } }), ...end(20, 9, 'tool_calls')]);
      const each = await makeCase('resume', [saying('I lo', 'close'), second]);
      const heard = await ask(each.model, { stream: true, tools: true });
      await expectWhole(each, heard, cutThenWhole, 'I look.');
      expect(heard).toMatchObject({ calls: 1, tools: '{"city":"Suzhou"}' });
    });

    it('survives a second cut', async () => {
      const restarted = await makeCase('resume', [saying('Many roa', 'close'), saying('Many roads le', 'reset'), whole(full)]);
      const rows = ['1 a error upstream_interrupted', '2 b error upstream_interrupted', '3 c complete'];
      await expectWhole(restarted, await ask(restarted.model, { stream: true }), rows);
      const given = await makeCase('resume', [
        saying('Many roa', 'close'),
        { script: saying('ds le', 'stall'), prefill: true },
        { script: whole(full.slice(13)), prefill: true },
      ]);
      await expectWhole(given, await ask(given.model, { stream: true }), rows);
      expect(lastTold(given.vendors[2])).toEqual({ role: 'assistant', content: 'Many roads le' });
    });

    it('ends with an error when the attempts or the deployments are used up', async () => {
      const scripts = [saying('Many roa', 'close'), saying('Many roads', 'close'), whole(full)];
      const few = await makeCase('resume', scripts, { attempts: 2 });
      const rows = ['1 a error upstream_interrupted', '2 b error upstream_interrupted'];
      await expectBroken(few, await ask(few.model, { stream: true }), rows, 'Many roads');
      const none = await makeCase('resume', [scripts[0]!, ({ wire }) => wire.whole(503, '{}')]);
      const heard = await ask(none.model, { stream: true });
      await expectBroken(none, heard, [rows[0]!, '2 b error upstream_unavailable'], 'Many roa');
      expect(heard.error).toMatch(/no other deployment could go on/);
    });

    it('ends the second attempt at its vendor when the client leaves, and records both parts', async () => {
      const each = await makeCase('resume', [saying('Many roa', 'close'), saying('Many roads lead', 'stall')], patient);
      const heard = await ask(each.model, {
        stream: true,
        leave: ({ said }) => said.includes('lead'),
      });
      await expect.poll(() => each.vendors[1]?.left).toBe(1);
      expect(heard).toMatchObject({ said: 'Many roads lead', complete: false });
      const run = await recordedRun(each);
      expect(run).toMatchObject({ outcome: 'aborted', error: 'client_closed_request', usage: { estimated: true } });
      expect(attemptsOf(run)).toEqual(['1 a error upstream_interrupted', '2 b aborted client_closed_request']);
    });

    it('ends the second attempt too when the client leaves while it still repeats the first', async () => {
      const each = await makeCase('resume', [saying('Many roads', 'close'), saying('Many', 'stall')], patient);
      const left = new AbortController();
      let heard = '';
      const leave = ({ said }: { readonly said: string }): boolean => {
        heard = said;
        return false;
      };
      const asked = ask(each.model, { stream: true, signal: left.signal, leave });
      await expect.poll(() => each.vendors[1]?.calls.length).toBe(1);
      await expect.poll(() => heard).toBe('Many roads');
      left.abort();
      await expect.poll(() => each.vendors[1]?.left).toBe(1);
      expect(await asked).toMatchObject({ said: 'Many roads', complete: false });
      expect(await recordedRun(each)).toMatchObject({ outcome: 'aborted' });
    });

    it('counts and prices the tokens of each part once', async () => {
      const price = (input: number, output: number) => ({ currency: 'USD', input, output });
      const alone = await makeCase('error', [saying('Many roads', 'close')]);
      await ask(alone.model, { stream: true });
      const cut = (await recordedRun(alone)).usage;
      const each = await makeCase('resume', [
        { script: saying('Many roads', 'close'), price: price(1_000_000, 3_000_000) },
        { script: whole(full), price: price(0, 2_000_000) },
      ]);
      const { usage, cost } = await expectWhole(each, await ask(each.model, { stream: true }), cutThenWhole);
      const [input, output] = [cut?.input_tokens ?? 0, cut?.output_tokens ?? 0];
      expect(usage).toMatchObject({ input_tokens: input + 20, output_tokens: output + 9 });
      expect(cost).toBe(input + 3 * output + 2 * 9);
    });
  });

  describe.each(['error', 'withhold', 'resume'])('%s, not streamed', (interrupted) => {
    it('answers from the next deployment when a body is cut, or a stream that is gathered', async () => {
      for (const first of [halfBody, { script: saying('Some other wor', 'close'), always_stream: true }]) {
        const each = await makeCase(interrupted, [first, whole(full)]);
        await expectWhole(each, await ask(each.model, { stream: false }), cutThenWhole);
      }
    });

    it('ends with only an error when no deployment is left', async () => {
      const each = await makeCase(interrupted, [halfBody]);
      const heard = await ask(each.model, { stream: false });
      expect(heard).toMatchObject({ said: '', complete: false, error: expect.stringMatching(/./), usage: null });
      expect(heard.status).toBeGreaterThanOrEqual(500);
      expect(await recordedRun(each)).toMatchObject({ outcome: 'error', attempts: [{ outcome: 'error' }] });
    });
  });

  describe('withhold, streamed', () => {
    it('sends nothing of a cut answer, so the next one may differ', async () => {
      let cut = (): void => {};
      const first: Script = ({ wire }) => {
        wire.startStream();
        for (const word of pieces('Some other words')) wire.chunk(say(word));
        cut = () => wire.reset();
      };
      const each = await makeCase('withhold', [first, whole(full)], { idle_ms: 5_000 });
      let parts = 0;
      const asked = ask(each.model, { stream: true, leave: () => parts++ < 0 });
      await expect.poll(() => each.vendors[0]?.calls.length).toBe(1);
      await sleep(150);
      expect(parts, 'nothing is visible before the answer is whole').toBe(0);
      cut();
      const run = await expectWhole(each, await asked, cutThenWhole);
      expect(run.usage, 'the vendor’s own count of the answer that was given').toMatchObject({ input_tokens: 20, output_tokens: 9 });
    });

    it('restarts tool calls elsewhere, because nothing was sent', async () => {
      const first = stream([toolStart, toolPart({ function: { arguments: '"Pek' } })], 'close');
      const second = stream([toolStart, toolPart({ function: { arguments: '"Suzhou"}' } }), ...end(20, 9, 'tool_calls')]);
      const each = await makeCase('withhold', [first, second]);
      const heard = await ask(each.model, { stream: true, tools: true });
      await expectWhole(each, heard, cutThenWhole, '');
      expect(heard).toMatchObject({ calls: 1, tools: '{"city":"Suzhou"}' });
    });

    it('is refused with a status when no deployment is left', async () => {
      const each = await makeCase('withhold', [saying('Many roa', 'close')]);
      const heard = await ask(each.model, { stream: true });
      await expectBroken(each, heard, ['1 a error upstream_interrupted'], '');
      expect(heard.status).toBeGreaterThanOrEqual(500);
    });

    it('ends the attempt at its vendor when the client leaves', async () => {
      const each = await makeCase('withhold', [saying('Many roa', 'stall'), whole(full)], patient);
      const left = new AbortController();
      const asked = ask(each.model, { stream: true, signal: left.signal });
      await expect.poll(() => each.vendors[0]?.calls.length).toBe(1);
      await sleep(50);
      left.abort();
      await expect.poll(() => each.vendors[0]?.left).toBe(1);
      expect(await asked).toMatchObject({ said: '', complete: false });
      expect(await recordedRun(each)).toMatchObject({ outcome: 'aborted' });
      expect(countsOf(each)).toEqual([1, 0]);
    });
  });

  it.each(['close', 'reset', 'stall', 'end'] as const)('error, streamed: what was said and an error after: %s', async (how) => {
    const each = await makeCase('error', [saying('Many roa', how), whole(full)]);
    await expectBroken(each, await ask(each.model, { stream: true }), ['1 a error upstream_interrupted'], 'Many roa');
    expect(countsOf(each)).toEqual([1, 0]);
  });
});
