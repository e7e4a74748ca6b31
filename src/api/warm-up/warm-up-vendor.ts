/** The far side of a warm-up: a vendor in OpenAI's format on a free port of this machine, which gives every call the same short answer. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

// An import of this module of Node would load its `fetch`, too.
const { createServer } = process.getBuiltinModule('node:http');

export interface WarmUpVendor extends AsyncDisposable {
  readonly url: string;
}

const words = 'The gateway warms up before the first calls of a day arrive.'.split(/(?= )/);
const id = 'chatcmpl-warm-up';
const usage = { prompt_tokens: 8, completion_tokens: words.length, total_tokens: 8 + words.length };

const whole = JSON.stringify({
  id,
  object: 'chat.completion',
  created: 0,
  model: id,
  choices: [{ index: 0, message: { role: 'assistant', content: words.join(''), refusal: null }, logprobs: null, finish_reason: 'stop' }],
  usage,
});

const chunk = (delta: object, end: string | null, rest: object = {}): string =>
  `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 0, model: id, choices: [{ index: 0, delta, logprobs: null, finish_reason: end }], ...rest })}\n\n`;
const chunks = [chunk({ role: 'assistant', content: '' }, null), ...words.map((content) => chunk({ content }, null))];
const last = `${chunk({}, 'stop', { usage })}data: [DONE]\n\n`;

export async function startWarmUpVendor(): Promise<WarmUpVendor> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (!Buffer.concat(parts).includes('"stream":true')) {
        response.writeHead(200, { 'content-type': 'application/json' }).end(whole);
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const waiting = [...chunks];
      // One chunk per turn, as a vendor sends them.
      const next = (): void => {
        const text = waiting.shift();
        if (text === undefined) response.end(last);
        else response.write(text, () => setImmediate(next));
      };
      next();
    });
  });
  server.unref();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
