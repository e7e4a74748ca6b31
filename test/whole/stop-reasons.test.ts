/** A stop reason that Anthropic adds later passes to clients of its own format. Other clients get an error: what it means is not known. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';
import { data } from './vendor-shape.ts';

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const options = { base_url: vendor.url.replace('/v1', ''), api_key: 'key' };
  await gateway.as('admin', 'POST', '/api/providers', { name: 'claude', spec: { kind: 'anthropic', options } });
  await gateway.as('admin', 'POST', '/api/models', { name: 'claude', spec: { deployments: [{ provider: 'claude', model: 'c' }] } });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const usage = { input_tokens: 5, output_tokens: 7 };
const message = { id: 'm', type: 'message', role: 'assistant', model: 'c', stop_sequence: null };
const stop = { stop_reason: 'quiet_hours', stop_sequence: null };
const whole = JSON.stringify({ ...message, ...stop, content: [{ type: 'text', text: 'Hi' }], usage });
const streamed = data(
  { type: 'message_start', message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: stop, usage },
  { type: 'message_stop' },
);

it.each([false, true])('streamed: %s', async (stream) => {
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' });
    response.end(stream ? streamed : whole);
  });
  const messages = [{ role: 'user', content: 'Hi' }];
  const own = await gateway.as('admin', 'POST', '/v1/messages', { model: 'claude', max_tokens: 100, stream, messages });
  expect(own.status, own.text).toBe(200);
  expect(own.text).toContain('"stop_reason":"quiet_hours"');
  expect(own.text).not.toContain('"error"');
  const chat = await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'claude', stream, messages });
  expect(chat.text).toContain('upstream_interrupted');
});
