/** A mock vendor with minimal cost: answers in OpenAI's format by the model's name. Runs as a separate process and prints its port. */
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
/** The same answer in Anthropic's format, to measure the cost of a conversion. */
const claudeEvent = (type: string, data: object): string => `event: ${type}\ndata: ${encode({ type, ...data })}\n\n`;
const claudeFirst = Buffer.from(
  claudeEvent('message_start', {
    message: {
      id: 'msg-bench',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 12, output_tokens: 1 },
    },
  }) + claudeEvent('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
);
const claudeToken = Buffer.from(claudeEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text: ' token' } }));
const claudeLast = Buffer.from(
  claudeEvent('content_block_stop', { index: 0 }) +
    claudeEvent('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 60 } }) +
    claudeEvent('message_stop', {}),
);

/** One call of a tool, which the second request answers. */
const toolCall = Buffer.from(
  encode({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created,
    model: 'loop',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'tools__tool_1', arguments: '{"text":"hello"}' } }],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
    usage: { prompt_tokens: 12, completion_tokens: 60, total_tokens: 72 },
  }),
);
const toolResult = Buffer.from('"role":"tool"');

/** Milliseconds between tokens of `bench-pace`: 30 a second. */
const paceMs = 1_000 / 30;

interface Stream {
  left: number;
  readonly token: Buffer;
  readonly last: Buffer;
}

const nameStart = Buffer.from('"model":"');
const jsonHeaders = { 'content-type': 'application/json', 'content-length': answer.length };
const streamHeaders = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

/** Open streams with the number of tokens left to send. One timer writes one token to each, so that no two tokens share a read. */
const streams = new Map<ServerResponse, Stream>();
setInterval(() => {
  for (const [response, stream] of streams) {
    if (stream.left > 0) {
      response.write(stream.token);
      stream.left--;
    } else {
      streams.delete(response);
      response.end(stream.last);
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
    const body = parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts);
    const model = modelOf(body);
    if (model === 'bench-loop' && !body.includes(toolResult)) {
      response.writeHead(200, { ...jsonHeaders, 'content-length': toolCall.length }).end(toolCall);
      return;
    }
    const claude = model.startsWith('bench-claude');
    if (!model.startsWith('bench-stream') && !claude && model !== 'bench-hold' && model !== 'bench-pace') {
      response.writeHead(200, jsonHeaders).end(answer);
      return;
    }
    response.writeHead(200, streamHeaders);
    response.write(claude ? claudeFirst : first);
    response.on('close', () => streams.delete(response));
    if (model === 'bench-hold') response.write(token);
    else if (model === 'bench-pace') {
      const timer = setInterval(() => response.write(token), paceMs);
      response.on('close', () => clearInterval(timer));
    } else
      streams.set(response, {
        left: Number(model.slice('bench-stream-'.length)),
        token: claude ? claudeToken : token,
        last: claude ? claudeLast : last,
      });
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
