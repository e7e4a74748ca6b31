/** A vendor that costs almost nothing: answers in OpenAI's shape by the model's name. Run as a process of its own; prints its port. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const created = 1_790_000_000;
const encode = (value: unknown): string => JSON.stringify(value);

/** 600 bytes, as in DESIGN 13. */
function completion(): Buffer {
  const body = (content: string): string =>
    encode({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      created,
      model: 'chat',
      choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 12, completion_tokens: 60, total_tokens: 72 },
    });
  return Buffer.from(body('x'.repeat(600 - body('').length)));
}

const chunk = (delta: object, finish: string | null): Buffer =>
  Buffer.from(
    `data: ${encode({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created, model: 'stream', choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })}\n\n`,
  );
const answer = completion();
const first = chunk({ role: 'assistant', content: '' }, null);
const token = chunk({ content: ' token' }, null);
const last = Buffer.concat([chunk({}, 'stop'), Buffer.from('data: [DONE]\n\n')]);
const nameStart = Buffer.from('"model":"');
const jsonHeaders = { 'content-type': 'application/json', 'content-length': answer.length };
const streamHeaders = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

/** Streams under way and how many tokens each still has to send. One timer writes one token to each: no two tokens share a read. */
const streams = new Map<ServerResponse, number>();
setInterval(() => {
  for (const [response, left] of streams) {
    if (left > 0) {
      response.write(token);
      streams.set(response, left - 1);
    } else {
      streams.delete(response);
      response.end(last);
    }
  }
}, 5);

function modelOf(body: Buffer): string {
  const start = body.indexOf(nameStart) + nameStart.length;
  return body.toString('latin1', start, body.indexOf(34, start));
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const model = modelOf(parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts));
    if (!model.startsWith('bench-stream') && model !== 'bench-hold') {
      response.writeHead(200, jsonHeaders).end(answer);
      return;
    }
    response.writeHead(200, streamHeaders);
    response.write(first);
    response.on('close', () => streams.delete(response));
    if (model === 'bench-hold') response.write(token);
    else streams.set(response, Number(model.slice('bench-stream-'.length)));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
