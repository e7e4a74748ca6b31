/** The demo vendor's server: OpenAI's format over real HTTP on loopback, so that a demo call takes the whole path. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DemoAnswer, type DemoRequest, demoModels } from './answers.ts';
import { demoVector } from './vectors.ts';

// An import of this module of Node would load its `fetch`, too.
const { createServer } = process.getBuiltinModule('node:http');

export interface DemoVendor {
  readonly url: string;
  close(): Promise<void>;
}

class BadRequest extends Error {}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
  if (typeof body !== 'object' || body === null) throw new BadRequest('the body must be an object');
  return body as Record<string, unknown>;
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function sendError(response: ServerResponse, status: number, message: string, headers: Record<string, string> = {}): void {
  sendJson(
    response,
    status,
    { error: { message, type: status < 500 ? 'invalid_request_error' : 'server_error', param: null, code: null } },
    headers,
  );
}

const countWords = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length;

function usageOf(request: DemoRequest, answer: DemoAnswer) {
  const prompt = countWords(JSON.stringify(request.messages));
  const completion = Math.max(1, countWords(answer.text));
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

function toolCallsOf(answer: DemoAnswer) {
  return answer.calls.map((call, index) => ({
    index,
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
  }));
}

function sendWhole(response: ServerResponse, request: DemoRequest, answer: DemoAnswer): void {
  const calls = toolCallsOf(answer).map(({ index: _index, ...call }) => call);
  const message = { role: 'assistant', content: calls.length > 0 ? null : answer.text, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
  sendJson(response, 200, {
    id: 'demo',
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    choices: [{ index: 0, message, finish_reason: calls.length > 0 ? 'tool_calls' : answer.finish }],
    usage: usageOf(request, answer),
  });
}

async function sendStream(response: ServerResponse, request: DemoRequest, answer: DemoAnswer, signal: AbortSignal): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const head = { id: 'demo', object: 'chat.completion.chunk', created: Math.floor(Date.now() / 1000), model: request.model };
  const send = (choices: unknown[], more: Record<string, unknown> = {}): void =>
    void response.write(`data: ${JSON.stringify({ ...head, choices, ...more })}\n\n`);
  const delta = (content: unknown, finish: string | null = null): void => send([{ index: 0, delta: content, finish_reason: finish }]);
  delta({ role: 'assistant', content: '' });
  if (answer.calls.length > 0) delta({ tool_calls: toolCallsOf(answer) });
  else {
    for (const word of answer.text.split(/(?<=\s)/)) {
      await sleep(answer.wordMs, undefined, { signal });
      delta({ content: word });
    }
  }
  delta({}, answer.calls.length > 0 ? 'tool_calls' : answer.finish);
  if ((request.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true)
    send([], { usage: usageOf(request, answer) });
  response.end('data: [DONE]\n\n');
}

async function answerChat(response: ServerResponse, body: Record<string, unknown>, signal: AbortSignal): Promise<void> {
  const model = typeof body['model'] === 'string' ? demoModels.get(body['model']) : undefined;
  if (model === undefined) return sendError(response, 404, `the demo has the models ${[...demoModels.keys()].join(', ')}`);
  if (!Array.isArray(body['messages'])) return sendError(response, 400, 'messages must be a list');
  if (typeof body['n'] === 'number' && body['n'] > 1) return sendError(response, 400, 'the demo gives one choice only; leave n out');
  const request = body as unknown as DemoRequest;
  const trouble = model.trouble?.();
  if (trouble === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  if (trouble === 500) return sendError(response, 500, 'the demo fails on purpose');
  if (trouble === 503) return sendError(response, 503, 'the demo is overloaded on purpose', { 'retry-after': '1' });
  const answer = model.answer(request);
  await sleep(answer.firstMs, undefined, { signal });
  if (request.stream === true) await sendStream(response, request, answer, signal);
  else sendWhole(response, request, answer);
}

function answerEmbeddings(response: ServerResponse, body: Record<string, unknown>): void {
  const inputs = [body['input']].flat();
  if (!inputs.every((input) => typeof input === 'string')) return sendError(response, 400, 'the demo takes texts only, not token numbers');
  const dimensions = typeof body['dimensions'] === 'number' ? Math.min(4_096, Math.max(1, body['dimensions'])) : 64;
  const data = inputs.map((input, index) => {
    const vector = demoVector(input, dimensions);
    return {
      object: 'embedding',
      index,
      embedding: body['encoding_format'] === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector],
    };
  });
  const tokens = inputs.reduce((sum, input) => sum + countWords(input), 0);
  sendJson(response, 200, { object: 'list', model: body['model'], data, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

/** Listens on a free loopback port. Does not keep the process alive. */
export async function startDemoVendor(): Promise<DemoVendor> {
  const server = createServer((request, response) => {
    const left = new AbortController();
    response.on('close', () => left.abort());
    const handle = async (): Promise<void> => {
      const body = await readBody(request);
      if (request.url === '/v1/embeddings') answerEmbeddings(response, body);
      else await answerChat(response, body, left.signal);
    };
    handle().catch((error: unknown) => {
      if (left.signal.aborted) return;
      if (response.headersSent) response.destroy();
      else sendError(response, 400, error instanceof Error ? error.message : 'bad request');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the demo vendor has no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
