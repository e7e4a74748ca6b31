/** Images, speech, transcriptions and reranking: bodies are passed through, streamed both ways. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { buffer } from 'node:stream/consumers';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

type Answer = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void;

let gateway: TestGateway;
let openai: OpenAI;
let vendor: Server;
let answer: Answer;
const seen: { path: string; type: string; length: string | undefined; body: Buffer }[] = [];

const operations = ['rerank', 'images', 'transcriptions', 'speech', 'embeddings'];

beforeAll(async () => {
  vendor = createServer((request, response) => {
    buffer(request).then(
      (body) => {
        seen.push({
          path: request.url ?? '',
          type: request.headers['content-type'] ?? '',
          length: request.headers['content-length'],
          body,
        });
        answer(request, body, response);
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway();
  const base_url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`;
  for (const name of ['one', 'two'])
    await gateway.as('admin', 'POST', '/api/providers', { name, spec: { kind: 'openai-compatible', options: { base_url } } });
  const spec = {
    operations,
    deployments: [
      { provider: 'one', model: 'theirs', tier: 0 },
      { provider: 'two', model: 'other', tier: 1 },
    ],
  };
  expect((await gateway.as('admin', 'POST', '/api/models', { name: 'media', spec })).status).toBe(201);
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer'), maxRetries: 0 });
});
beforeEach(() => {
  seen.length = 0;
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  vendor.closeAllConnections();
  vendor.close();
});

const json = (response: ServerResponse, body: unknown, status = 200): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

async function lastRun(operation: string) {
  return eventually(
    async () =>
      (
        (await gateway.as('developer', 'GET', '/api/runs?limit=20')).json.data as { operation: string; outcome: string; usage: unknown }[]
      ).find((run) => run.operation === operation),
    (run) => run !== undefined,
  );
}

it('generates images: the request keeps unknown fields, and the counts at the end of the answer are recorded', async () => {
  const picture = 'A'.repeat(300_000);
  answer = (_request, _body, response) =>
    json(response, { created: 1, data: [{ b64_json: picture }], usage: { input_tokens: 12, output_tokens: 272, total_tokens: 284 } });
  const made = await openai.images.generate({ model: 'media', prompt: 'a gate', quality: 'low' });
  expect(made.data?.[0]?.b64_json).toBe(picture);
  expect(JSON.parse(String(seen[0]?.body))).toEqual({ model: 'theirs', prompt: 'a gate', quality: 'low' });
  expect(await lastRun('images')).toMatchObject({ outcome: 'complete', usage: { input_tokens: 12, output_tokens: 272 } });
});

it('generates speech: audio is forwarded byte by byte, and the next vendor is tried when the first fails', async () => {
  const sound = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
  answer = (_request, body, response) => {
    if (String(body).includes('theirs')) json(response, { error: { message: 'no' } }, 500);
    else response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(sound);
  };
  const spoken = await openai.audio.speech.create({ model: 'media', voice: 'alloy', input: 'Welcome.' });
  expect(spoken.headers.get('content-type')).toBe('audio/mpeg');
  expect(spoken.headers.get('x-pailou-deployment')).toBe('media#two/other');
  expect(Buffer.from(await spoken.arrayBuffer()).equals(sound)).toBe(true);
});

it('never ends cleanly when the audio is cut', async () => {
  answer = (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' });
    response.write(Buffer.alloc(50_000), () => response.destroy());
  };
  const spoken = await openai.audio.speech.create({ model: 'media', voice: 'alloy', input: 'Cut.' });
  await expect(spoken.arrayBuffer()).rejects.toThrow();
  expect(
    await eventually(
      () => lastRun('speech'),
      (run) => run?.outcome === 'error',
    ),
  ).toMatchObject({ outcome: 'error' });
});

const uploads = async (): Promise<string[]> => (await readdir(tmpdir())).filter((name) => name.startsWith('pailou-upload-'));

it('transcribes speech: the form may name the model after the file, and is sent again to the next vendor', async () => {
  answer = (_request, body, response) => {
    if (String(body).includes('\r\n\r\ntheirs\r\n')) json(response, { error: { message: 'no' } }, 503);
    else json(response, { text: 'well said', usage: { type: 'tokens', input_tokens: 30, output_tokens: 3, total_tokens: 33 } });
  };
  const sound = Buffer.alloc(3_000_000, 7);
  // Programs that were killed before leave theirs.
  const others = new Set(await uploads());
  const written = await openai.audio.transcriptions.create({
    file: await toFile(sound, 'talk "one".mp3', { type: 'audio/mpeg' }),
    model: 'media',
    language: 'en',
    timestamp_granularities: ['word', 'segment'],
  });
  expect(written.text).toBe('well said');
  const last = seen.at(-1);
  expect(last?.path).toBe('/v1/audio/transcriptions');
  expect(Number(last?.length)).toBe(last?.body.length);
  const form = await new Response(last?.body as Uint8Array<ArrayBuffer>, { headers: { 'content-type': last?.type ?? '' } }).formData();
  expect(form.get('model')).toBe('other');
  expect(form.get('language')).toBe('en');
  expect(form.getAll('timestamp_granularities[]')).toEqual(['word', 'segment']);
  const file = form.get('file') as File;
  expect(file.type).toBe('audio/mpeg');
  expect(Buffer.from(await file.arrayBuffer()).equals(sound)).toBe(true);
  expect(await lastRun('transcriptions')).toMatchObject({ usage: { input_tokens: 30, output_tokens: 3 } });
  await eventually(
    async () => (await uploads()).filter((name) => !others.has(name)),
    (left) => left.length === 0,
  );
});

it.each([
  ['no form', 'application/json', '{"model":"media"}', 415, 'multipart/form-data'],
  [
    'a form without a model',
    'multipart/form-data; boundary=x',
    '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
    400,
    'model:',
  ],
  [
    'a cut form',
    'multipart/form-data; boundary=x',
    '--x\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\nabc',
    400,
    'cut',
  ],
])('refuses %s with a clear message', async (_what, type, body, status, word) => {
  const response = await fetch(`${gateway.url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await gateway.token('developer')}`, 'content-type': type },
    body,
  });
  expect(response.status).toBe(status);
  expect(((await response.json()) as { error: { message: string } }).error.message).toContain(word);
  expect(seen).toEqual([]);
});

it('reranks documents: best first, at most top_n, with the texts that the caller sent', async () => {
  answer = (_request, _body, response) =>
    json(response, {
      results: [
        { index: 0, relevance_score: 0.1 },
        { index: 2, relevance_score: 0.9, document: { text: 'not ours' } },
        { index: 1, relevance_score: 0.5 },
      ],
      meta: { billed_units: { search_units: 1 }, tokens: { input_tokens: 21 } },
    });
  const body = { model: 'media', query: 'gate', documents: ['door', 'wall', '牌楼'], top_n: 2, return_documents: true };
  const ranked = await gateway.as('developer', 'POST', '/v1/rerank', body);
  expect(ranked.json).toMatchObject({
    model: 'media',
    results: [
      { index: 2, relevance_score: 0.9, document: { text: '牌楼' } },
      { index: 1, relevance_score: 0.5, document: { text: 'wall' } },
    ],
    usage: { prompt_tokens: 21, total_tokens: 21 },
  });
  expect(ranked.json.results).toHaveLength(2);
  expect((await gateway.as('developer', 'POST', '/v1/rerank', { ...body, documents: [] })).json.error.param).toBe('documents');
});

it('refuses a model without the operation, and a caller without the right', async () => {
  expect((await gateway.as('developer', 'POST', '/v1/rerank', { model: 'demo/echo', query: 'q', documents: ['d'] })).status).toBe(400);
  expect((await gateway.as('viewer', 'POST', '/v1/images/generations', { model: 'media', prompt: 'p' })).status).toBe(403);
});
