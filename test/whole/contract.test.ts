/** Every kind of answer, checked by the published schemas and order rules, when the checker is available. */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startGateway } from './gateway.ts';

const folder = process.env['PAILOU_TEST_CONTRACTS'];

interface Checker {
  checkObject(kind: string, value: unknown, options?: { closed?: boolean }): string[];
  checkStream(payloads: string[], options?: { usage?: boolean; closed?: boolean }): string[];
  parseSSE(text: string): string[];
}

it.skipIf(folder === undefined)('answers, streams, embeddings, lists and errors match the contract', async () => {
  const checker = (await import(/* @vite-ignore */ pathToFileURL(join(folder ?? '', 'check.mjs')).href)) as Checker;
  await using gateway = await startGateway();
  const ask = (model: string, more: object = {}) =>
    gateway.as('user', 'POST', '/v1/chat/completions', {
      model,
      messages: [{ role: 'user', content: 'What is 6 * 7, 你好 👋?' }],
      ...more,
    });
  const server = { tools: [{ type: 'mcp', server_label: 'demo' }] };
  const own = { tools: [{ type: 'function', function: { name: 'calculator', parameters: { type: 'object' } } }] };
  const cases = [{ model: 'demo/echo' }, { model: 'demo/flaky' }, { model: 'demo/tools', ...own }, { model: 'demo/echo', max_tokens: 2 }];
  for (const { model, ...more } of cases) {
    expect(checker.checkObject('chat.completion', (await ask(model, more)).json, { closed: true }), model).toEqual([]);
    for (const usage of [true, false]) {
      const { text } = await ask(model, { ...more, stream: true, ...(usage ? { stream_options: { include_usage: true } } : {}) });
      expect(checker.checkStream(checker.parseSSE(text), { usage, closed: true }), `${model} streamed`).toEqual([]);
    }
  }
  expect(checker.checkObject('chat.completion', (await ask('demo/tools', server)).json)).toEqual([]);
  const steps = await ask('demo/tools', { ...server, stream: true, stream_options: { include_usage: true } });
  expect(checker.checkStream(checker.parseSSE(steps.text), { usage: true })).toEqual([]);
  const closed = await ask('demo/tools', { ...server, stream: true, gateway: { reasoning: false } });
  expect(checker.checkStream(checker.parseSSE(closed.text), { closed: true })).toEqual([]);
  const vectors = await gateway.as('user', 'POST', '/v1/embeddings', { model: 'demo/embedding', input: ['a', 'b'] });
  expect(checker.checkObject('embedding', vectors.json)).toEqual([]);
  expect(checker.checkObject('models', (await gateway.as('user', 'GET', '/v1/models')).json)).toEqual([]);
  for (const failed of [await ask('none'), await gateway.as(null, 'GET', '/v1/models'), await gateway.as('user', 'GET', '/nowhere')]) {
    expect(checker.checkObject('error', failed.json)).toEqual([]);
  }
});
