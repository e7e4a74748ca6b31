/** The same faults in the other two client formats, seen by their own clients: a whole answer, or an error of the format. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../../faults/answers.ts';
import { type FaultServer, startFaultServer } from '../../faults/server.ts';
import { startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let vendor: FaultServer;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startFaultServer();
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'faults',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  const token = await gateway.token('developer');
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: token, maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: gateway.url, authToken: token, apiKey: null, maxRetries: 0 });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor.close();
});

/** Short for vendors that are silent. For all others no limit of time ends a call, however busy the machine is. */
const limitsFor = (upstream: readonly string[]) =>
  upstream.some((model) => /^(?:silent|stall)/.test(model))
    ? { first_token_ms: 1_500, idle_ms: 1_500, total_ms: 20_000 }
    : { first_token_ms: 30_000, idle_ms: 30_000, total_ms: 40_000 };

async function makeModel(name: string, upstream: readonly string[], limits: object = {}): Promise<string> {
  const deployments = upstream.map((model, tier) => ({ provider: 'faults', model, tier }));
  const spec = { deployments, limits: { ...limitsFor(upstream), ...limits }, circuit: { failures: 1_000 } };
  const made = await gateway.as('admin', 'POST', '/api/models', { name, spec });
  expect(made.status, made.text).toBe(201);
  return name;
}

/** The result of one call for a client of one format. */
interface Outcome {
  readonly said: string;
  /** True when the answer has the regular end of its format. */
  readonly complete: boolean;
  /** The error that the client threw, or that the answer contains. */
  readonly error: string | null;
  readonly status: number | null;
}

interface ClientFormat {
  readonly name: string;
  ask(model: string, stream: boolean): Promise<Outcome>;
}

const reasonOf = (error: unknown): Pick<Outcome, 'error' | 'status'> => {
  const clientError = error as { status?: number; message: string };
  return { error: clientError.message, status: clientError.status ?? null };
};

const formats: readonly ClientFormat[] = [
  {
    name: '/v1/responses',
    async ask(model, stream) {
      let said = '';
      try {
        if (!stream) {
          const answer = await openai.responses.create({ model, input: 'Hello' });
          return { said: answer.output_text, complete: answer.status === 'completed', error: answer.error?.message ?? null, status: 200 };
        }
        let complete = false;
        let error: string | null = null;
        for await (const event of await openai.responses.create({ model, input: 'Hello', stream: true })) {
          if (event.type === 'response.output_text.delta') said += event.delta;
          else if (event.type === 'response.completed') complete = true;
          else if (event.type === 'response.failed') error = event.response.error?.message ?? '';
          else if (event.type === 'error') error = event.message;
        }
        return { said, complete, error, status: 200 };
      } catch (error) {
        return { said, complete: false, ...reasonOf(error) };
      }
    },
  },
  {
    name: '/v1/messages',
    async ask(model, stream) {
      let said = '';
      const question = { model, max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hello' }] };
      try {
        if (!stream) {
          const answer = await anthropic.messages.create(question);
          const [block] = answer.content;
          return { said: block?.type === 'text' ? block.text : '', complete: answer.stop_reason === 'end_turn', error: null, status: 200 };
        }
        let complete = false;
        for await (const event of await anthropic.messages.create({ ...question, stream: true })) {
          if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') said += event.delta.text;
          else if (event.type === 'message_stop') complete = true;
        }
        return { said, complete, error: null, status: 200 };
      } catch (error) {
        return { said, complete: false, ...reasonOf(error) };
      }
    },
  },
];

const early: readonly (readonly [behaviour: string, status: number])[] = [
  ['reset', 503],
  ['close', 503],
  ['status-500', 502],
  ['status-503', 503],
  ['status-401', 502],
  ['status-429', 429],
  ['silent', 504],
  ['error-0', 503],
  ['html', 502],
  ['garbage', 502],
];
const lost = ['cut-3', 'reset-3', 'stall-3', 'end-3', 'error-3', 'odd-finish', 'malformed-3'];

describe.each(formats)('$name', (format) => {
  const own = format.name.split('/').at(-1);

  describe.each([true, false])('streamed: %s', (stream) => {
    const form = `${own}-${stream ? 's' : 'w'}`;

    it.each(early)('%s: an explicit error alone, unnoticed with a second deployment', async (behaviour, status) => {
      const limits = behaviour === 'silent' && !stream ? { total_ms: 2_000 } : {};
      const alone = await makeModel(`${behaviour}-${form}`, [behaviour], limits);
      expect(await format.ask(alone, stream)).toMatchObject({ said: '', complete: false, status, error: expect.stringMatching(/./) });
      // A whole answer that never arrives uses the whole time of the call.
      if (behaviour === 'silent' && !stream) return;
      const pair = await makeModel(`${behaviour}-${form}-pair`, [behaviour, 'ok']);
      expect(await format.ask(pair, stream)).toEqual({ said: text, complete: true, error: null, status: 200 });
    });

    it.each(['no-done', 'no-usage', 'no-finish', 'early-finish-2', 'trickle-3'])('%s is a whole answer', async (behaviour) => {
      const model = await makeModel(`${behaviour}-${form}`, [stream ? behaviour : behaviour.replace('trickle-3', 'ok')], {
        total_ms: 30_000,
        idle_ms: 5_000,
      });
      expect(await format.ask(model, stream)).toEqual({ said: text, complete: true, error: null, status: 200 });
    });

    it('a context that is too long is an immediate error', async () => {
      const model = await makeModel(`long-${form}`, ['too-long', 'ok']);
      expect(await format.ask(model, stream)).toMatchObject({ complete: false, status: 400 });
    });

    it('a short rate limit is waited out; a long one leads to the next deployment', async () => {
      // Each behaviour name is limited only once.
      const zeros = `${own === 'messages' ? '00' : ''}${stream ? '' : '0'}`;
      const [soon, late] = [`limit-${zeros}1`, `limit-${zeros}60`] as const;
      for (const first of [soon, late]) {
        const model = await makeModel(`limited-${first}-${form}`, [first, 'ok']);
        expect(await format.ask(model, stream)).toMatchObject({ said: text, complete: true });
        expect(vendor.calls.get(first)).toBe(first === soon ? 2 : 1);
      }
    });
  });

  it.each(lost)('%s after visible text: an error, never a clean end, no repeated text', async (behaviour) => {
    const model = await makeModel(`lost-${behaviour}-${own}`, [behaviour, 'ok']);
    const outcome = await format.ask(model, true);
    expect(outcome).toMatchObject({ complete: false, error: expect.stringMatching(/./) });
    expect(outcome.said).not.toBe('');
    expect(text.startsWith(outcome.said)).toBe(true);
  });

  it('a whole answer that is cut goes to the next deployment', async () => {
    const model = await makeModel(`cut-${own}`, ['cut-3', 'ok']);
    expect(await format.ask(model, false)).toMatchObject({ said: text, complete: true });
  });
});
