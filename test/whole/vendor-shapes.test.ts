/** Each peculiar form of a vendor's answer says the same through every client format, whole and in pieces of any size. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { type Face, facePaths, heardAnswer } from './heard-answers.ts';
import { startVendor, type Vendor } from './vendor.ts';
import type { VendorShape } from './vendor-shape.ts';
import { vendorShapes } from './vendor-shapes.ts';

let gateway: TestGateway;
let vendor: Vendor;

const keyless = new Set(['ollama', 'vllm']);

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  for (const kind of new Set(vendorShapes.map((shape) => shape.kind))) {
    const base_url = vendor.url.replace('/v1', kind === 'openai' || kind === 'openai-compatible' || kind === 'vllm' ? '/v1' : '');
    const options = { base_url, ...(keyless.has(kind) ? {} : { api_key: 'key' }), ...(kind === 'bedrock' ? { region: 'us-east-1' } : {}) };
    const provider = await gateway.as('admin', 'POST', '/api/providers', { name: kind, spec: { kind, options } });
    expect(provider.status, provider.text).toBe(201);
    const model = { name: kind, spec: { deployments: [{ provider: kind, model: 'theirs' }] } };
    expect((await gateway.as('admin', 'POST', '/api/models', model)).status).toBe(201);
  }
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

/** The vendor writes the body in pieces of `size` bytes, each in a turn of the event loop. */
function answerInPieces({ type, body }: VendorShape, size: number): void {
  vendor.behave(async (_request, response) => {
    response.writeHead(200, { 'content-type': type });
    for (let at = 0; at < body.length; at += size) {
      response.write(body.subarray(at, at + size));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
}

const parameters = { type: 'object', properties: { city: { type: 'string' } } };
const questions: Readonly<Record<Face, (stream: boolean) => object>> = {
  chat: (stream) => ({
    messages: [{ role: 'user', content: 'Hi' }],
    tools: [{ type: 'function', function: { name: 'weather', parameters } }],
    ...(stream ? { stream_options: { include_usage: true } } : {}),
  }),
  messages: () => ({
    messages: [{ role: 'user', content: 'Hi' }],
    max_tokens: 100,
    tools: [{ name: 'weather', input_schema: parameters }],
  }),
  responses: () => ({ input: 'Hi', store: false, tools: [{ type: 'function', name: 'weather', parameters, strict: false }] }),
};

describe.each(vendorShapes)('$kind: $about', (shape) => {
  const stream = shape.type !== 'application/json';
  const expected = { text: '', thought: '', calls: [], end: 'stop', ...shape.heard };

  it.each(Object.keys(facePaths) as Face[])('by %s', async (face) => {
    for (const size of [shape.body.length, 1, 7, 61]) {
      answerInPieces(shape, size);
      const answer = await gateway.as('admin', 'POST', facePaths[face], { model: shape.kind, stream, ...questions[face](stream) });
      expect(answer.status, answer.text).toBe(200);
      expect(heardAnswer(face, stream, answer.text), `pieces of ${size}`).toEqual(expected);
    }
  });
});
