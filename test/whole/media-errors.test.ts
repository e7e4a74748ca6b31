/** Images, speech and transcriptions: an error with status 200 is an error, and a requested stream is a stream. */
import OpenAI, { toFile } from 'openai';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let openai: OpenAI;
let vendor: Server;
let answer: (response: ServerResponse, body: string) => void;

beforeAll(async () => {
  vendor = createServer((request, response) => {
    buffer(request).then(
      (body) => {
        answer(response, String(body));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway();
  const base_url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`;
  await gateway.as('admin', 'POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url } } });
  const operations = ['images', 'transcriptions', 'speech'];
  const circuit = { failures: 1_000, minimum: 100_000 };
  const first = { provider: 'vendor', model: 'bad', tier: 0 };
  const models = { two: [first, { provider: 'vendor', model: 'good', tier: 1 }], alone: [first] };
  for (const [name, deployments] of Object.entries(models)) {
    const made = await gateway.as('admin', 'POST', '/api/models', { name: `media/${name}`, spec: { operations, deployments, circuit } });
    expect(made.status, made.text).toBe(201);
  }
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer'), maxRetries: 0 });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  vendor.closeAllConnections();
  vendor.close();
});

const picture = { created: 7, data: [{ b64_json: 'QUJD' }], usage: { input_tokens: 3, output_tokens: 5, total_tokens: 8 } };
const sound = Buffer.from('ID3 sound');
const good: Readonly<Record<string, readonly [type: string, body: string | Buffer]>> = {
  images: ['application/json', JSON.stringify(picture)],
  speech: ['audio/mpeg', sound],
  transcriptions: ['application/json', JSON.stringify({ text: 'well said' })],
};
const asks: Readonly<Record<string, (model: string) => Promise<unknown>>> = {
  images: async (model) => (await openai.images.generate({ model, prompt: 'a gate' })).data?.[0]?.b64_json,
  speech: async (model) =>
    Buffer.from(await (await openai.audio.speech.create({ model, voice: 'alloy', input: 'Hi.' })).arrayBuffer()).toString(),
  transcriptions: async (model) => (await openai.audio.transcriptions.create({ model, file: await toFile(sound, 'a.mp3') })).text,
};
const heard = { images: 'QUJD', speech: sound.toString(), transcriptions: 'well said' } as Readonly<Record<string, string>>;

const say = (response: ServerResponse, type: string, body: string | Buffer): void =>
  void response.writeHead(200, { 'content-type': type }).end(body);

interface Run {
  readonly outcome: string;
  readonly error: string | null;
  readonly usage: { readonly output_tokens: number } | null;
}

async function lastRun(): Promise<Run | undefined> {
  const { json } = await gateway.as('developer', 'GET', '/api/runs?limit=1');
  return json.data[0];
}

const errors: readonly [string, string, string, number, string][] = [
  ['an error object', 'application/json', '{"error":{"message":"boom"}}', 502, 'upstream_error'],
  ['an error object that calls itself sound', 'audio/mpeg', '{"error":{"message":"boom"}}', 502, 'upstream_error'],
  ['a limit', 'application/json', '{"error":{"code":"rate_limit_exceeded","message":"slow down"}}', 429, 'rate_limited'],
  [
    'an account that is used up',
    'application/json',
    '\ufeff{"base_resp":{"status_code":1008,"status_msg":"no"}, "code":"insufficient_quota","message":"x"}',
    502,
    'upstream_error',
  ],
  [
    "a refusal of the caller's own request",
    'application/json',
    '{"error":{"type":"invalid_request_error","message":"voice: unknown"}}',
    400,
    'invalid_request',
  ],
  ['JSON that says nothing', 'application/json', '{"status":"queued"}', 502, 'upstream_invalid_response'],
  ['a web page', 'application/octet-stream', '<!DOCTYPE html><html></html>', 502, 'upstream_invalid_response'],
];

describe.each(Object.keys(asks))('%s', (operation) => {
  it.each(errors)('that is %s is that error, not a success', async (_name, type, body, status, code) => {
    answer = (response) => say(response, type, body);
    await expect(asks[operation]?.('media/alone')).rejects.toMatchObject({ status, code });
    await eventually(lastRun, (run) => run?.outcome === 'error' && run.error === code);
  });

  it('goes to the next deployment', async () => {
    const [type, body] = good[operation] as readonly [string, string | Buffer];
    answer = (response, request) => {
      if (request.includes('bad')) say(response, 'application/json', '{"error":{"message":"boom"}}');
      else say(response, type, body);
    };
    expect(await asks[operation]?.('media/two')).toBe(heard[operation]);
  });

  it('is forwarded where it is an answer, in chunks of one byte', async () => {
    const [type, body] = good[operation] as readonly [string, string | Buffer];
    answer = (response) => {
      response.writeHead(200, { 'content-type': type });
      for (const byte of Buffer.from(body)) response.write(Buffer.of(byte));
      response.end();
    };
    expect(await asks[operation]?.('media/alone')).toBe(heard[operation]);
  });
});

it('an empty body is not audio', async () => {
  answer = (response) => say(response, 'audio/mpeg', '');
  await expect(asks['speech']?.('media/alone')).rejects.toMatchObject({ status: 502, code: 'upstream_invalid_response' });
});

it('text is not audio', async () => {
  answer = (response) => say(response, 'text/plain; charset=utf-8', 'error: voice not found');
  await expect(asks['speech']?.('media/alone')).rejects.toMatchObject({ status: 502, code: 'upstream_invalid_response' });
});

it.each([
  ['an empty list', { data: [] }, 'upstream_invalid_response'],
  ['entries without a picture', { data: [{}, { revised_prompt: 'a gate' }] }, 'upstream_invalid_response'],
  ['entries that are errors', { data: [{ error: { message: 'no', code: 'content_policy_violation' } }] }, 'content_filter'],
  ['a task that failed', { output: { task_status: 'FAILED', code: 'Throttling', message: 'slow down' } }, 'rate_limited'],
])('%s is not an image', async (_name, body, code) => {
  answer = (response) => say(response, 'application/json', JSON.stringify(body));
  await expect(asks['images']?.('media/alone')).rejects.toMatchObject({ code });
});

describe('a stream', () => {
  const events = async (model: string): Promise<string[]> => {
    const types: string[] = [];
    for await (const event of await openai.images.generate({ model, prompt: 'a gate', stream: true })) types.push(event.type);
    return types;
  };

  it('whose first event is an error is that error', async () => {
    answer = (response) => say(response, 'text/event-stream', 'event: error\ndata: {"type":"error","error":{"message":"boom"}}\n\n');
    await expect(events('media/alone')).rejects.toMatchObject({ status: 502, code: 'upstream_error' });
  });

  it('that fails later ends with an error, and is recorded as one', async () => {
    let fail = (): void => {};
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"type":"image_generation.partial_image","b64_json":"QQ=="}\n\n');
      fail = () => void response.end('data: {"error":{"message":"secret words"}}\n\n');
    };
    const reply = await fetch(`${gateway.url}/v1/images/generations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await gateway.token('developer')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'media/alone', prompt: 'x', stream: true }),
    });
    let text = '';
    for await (const bytes of reply.body ?? []) {
      text += Buffer.from(bytes).toString();
      fail();
    }
    expect(text).toContain('partial_image');
    expect(text).toContain('event: error');
    expect(text).not.toContain('secret words');
    await eventually(lastRun, (run) => run?.error === 'upstream_error');
  });

  it('is forwarded from a vendor that streams', async () => {
    answer = (response) =>
      say(
        response,
        'text/event-stream',
        'event: image_generation.completed\ndata: {"type":"image_generation.completed","b64_json":"QUJD"}\n\n',
      );
    expect(await events('media/alone')).toEqual(['image_generation.completed']);
  });

  it('is built from the whole answer of a vendor that does not stream', async () => {
    answer = (response) => say(response, 'application/json', JSON.stringify(picture));
    expect(await events('media/alone')).toEqual(['image_generation.completed']);
    await eventually(lastRun, (run) => run?.usage?.output_tokens === 5);
    answer = (response) => say(response, 'application/json', JSON.stringify({ text: 'well said' }));
    const types: string[] = [];
    const stream = await openai.audio.transcriptions.create({ model: 'media/alone', file: await toFile(sound, 'a.mp3'), stream: true });
    for await (const event of stream) types.push(event.type);
    expect(types).toEqual(['transcript.text.delta', 'transcript.text.done']);
  });
});
