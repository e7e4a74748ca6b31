/** The faults that the mock vendor can simulate, selected by the model's name. `N` in a name stands for a number. */
import { setTimeout as wait } from 'node:timers/promises';
import { completion, doneChunk, errorBody, finishChunk, roleChunk, usageChunk, wordChunks } from './answers.ts';
import type { Wire } from './wire.ts';

export interface FaultCall {
  readonly wire: Wire;
  readonly stream: boolean;
  /** The number in the model's name, or 1. */
  readonly number: number;
  /** Number of earlier calls for this model on this server. */
  readonly before: number;
}

export interface Behaviour {
  readonly meaning: string;
  run(call: FaultCall): void | Promise<void>;
}

function healthy({ wire, stream }: Pick<FaultCall, 'wire' | 'stream'>): void {
  if (!stream) {
    wire.whole(200, completion);
    return;
  }
  wire.startStream();
  for (const part of [roleChunk, ...wordChunks, finishChunk('stop'), usageChunk, doneChunk]) wire.chunk(part);
  wire.endStream();
}

/** Sends the head and the first `count` words of a stream, or half of the body of a call without one. The next write arrives in a separate read. */
async function begin({ wire, stream }: FaultCall, count: number): Promise<void> {
  if (stream) {
    wire.startStream();
    wire.chunk(roleChunk);
    for (const part of wordChunks.slice(0, count)) wire.chunk(part);
    if (count > 0) await wait(30);
    return;
  }
  wire.head(200, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(completion)) });
  wire.raw(completion.slice(0, 100));
}

/** A complete stream that ends with `end`. A call without streaming gets a healthy answer. */
function endingWith(...end: readonly string[]): Behaviour['run'] {
  return async (call) => {
    if (!call.stream) {
      healthy(call);
      return;
    }
    await begin(call, wordChunks.length);
    for (const part of end) call.wire.chunk(part);
    call.wire.endStream();
  };
}

const silence = (): void => {};

export const behaviours: Readonly<Record<string, Behaviour>> = {
  ok: { meaning: 'a healthy answer', run: healthy },
  reset: { meaning: 'resets the connection before any answer', run: ({ wire }) => wire.reset() },
  close: { meaning: 'closes the connection before any answer', run: ({ wire }) => wire.close() },
  silent: { meaning: 'takes the request and says nothing', run: silence },
  'silent-head': { meaning: 'sends the head of an answer and then nothing', run: (call) => begin({ ...call, stream: true }, 0) },
  'stall-N': { meaning: 'falls silent after N words', run: (call) => begin(call, call.number) },
  'cut-N': {
    meaning: 'closes the connection after N words, in the middle of a chunked body',
    async run(call) {
      await begin(call, call.number);
      call.wire.close();
    },
  },
  'reset-N': {
    meaning: 'resets the connection after N words',
    async run(call) {
      await begin(call, call.number);
      call.wire.reset();
    },
  },
  'end-N': {
    meaning: 'ends the stream properly after N words, without a finish reason',
    async run(call) {
      await begin({ ...call, stream: true }, call.number);
      call.wire.endStream();
    },
  },
  'trickle-N': {
    meaning: 'sends a healthy stream N bytes at a time',
    async run({ wire, number }) {
      wire.startStream();
      const all = Buffer.from([roleChunk, ...wordChunks, finishChunk('stop'), usageChunk, doneChunk].join(''));
      for (let at = 0; at < all.length && !wire.gone; at += number) {
        const part = all.subarray(at, at + number);
        wire.raw(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]));
        if (at % 97 === 0) await wait(1);
      }
      wire.endStream();
    },
  },
  'spoken-N': {
    meaning: 'a healthy answer, its stream with N milliseconds between the words',
    async run(call) {
      if (!call.stream) return healthy(call);
      call.wire.startStream();
      for (const each of [roleChunk, ...wordChunks, finishChunk('stop'), usageChunk, doneChunk]) {
        call.wire.chunk(each);
        await wait(call.number);
      }
      call.wire.endStream();
    },
  },
  'slow-N': {
    meaning: 'waits N milliseconds before a healthy answer',
    async run(call) {
      await wait(call.number);
      healthy(call);
    },
  },
  'no-done': { meaning: 'leaves out [DONE]', run: endingWith(finishChunk('stop'), usageChunk) },
  'no-usage': {
    meaning: 'leaves out usage and [DONE], and keeps the connection open',
    async run(call) {
      if (!call.stream) {
        healthy(call);
        return;
      }
      await begin(call, wordChunks.length);
      call.wire.chunk(finishChunk('stop'));
    },
  },
  'no-finish': { meaning: 'says [DONE] without a finish reason', run: endingWith(usageChunk, doneChunk) },
  'odd-finish': { meaning: 'ends with an unknown finish reason', run: endingWith(finishChunk('tired'), usageChunk, doneChunk) },
  'early-finish-N': {
    meaning: 'names a finish reason after N words and then goes on, as Gemini behind some gateways does',
    async run(call) {
      if (!call.stream) return healthy(call);
      await begin(call, call.number);
      for (const part of [finishChunk('stop'), ...wordChunks.slice(call.number), finishChunk('stop'), usageChunk, doneChunk]) {
        call.wire.chunk(part);
        await wait(2);
      }
      call.wire.endStream();
    },
  },
  filtered: { meaning: 'ends with content_filter', run: endingWith(finishChunk('content_filter'), usageChunk, doneChunk) },
  'malformed-N': {
    meaning: 'sends a broken piece after N words, then goes on',
    async run(call) {
      await begin({ ...call, stream: true }, call.number);
      call.wire.chunk('data: {"choices":[{"index":0,"delta":{"content":\n\n');
      for (const part of [...wordChunks.slice(call.number), finishChunk('stop'), usageChunk, doneChunk]) call.wire.chunk(part);
      call.wire.endStream();
    },
  },
  'error-N': {
    meaning: 'sends an error inside a stream with status 200 after N words; 0: before any',
    async run(call) {
      if (!call.stream) {
        call.wire.whole(200, errorBody('the engine is overloaded', 'overloaded_error'));
        return;
      }
      if (call.number > 0) await begin(call, call.number);
      else call.wire.startStream();
      call.wire.chunk(`data: ${errorBody('the engine is overloaded', 'overloaded_error')}\n\n`);
      call.wire.endStream();
    },
  },
  'status-N': {
    meaning: 'answers with HTTP status N',
    run: ({ wire, number }) => wire.whole(number, errorBody(`status ${number}`, 'fault')),
  },
  'limit-N': {
    meaning: 'answers 429 with retry-after: N seconds the first time, then healthy',
    run(call) {
      if (call.before > 0) healthy(call);
      else call.wire.whole(429, errorBody('slow down', 'rate_limit_exceeded'), { 'retry-after': String(call.number) });
    },
  },
  'too-long': {
    meaning: 'refuses the request because its context is too long',
    run: ({ wire }) => wire.whole(400, errorBody("This model's maximum context length is 8 tokens.", 'context_length_exceeded')),
  },
  html: {
    meaning: "answers with a proxy's web page and status 200",
    run: ({ wire }) => wire.whole(200, '<html><body>Welcome</body></html>', { 'content-type': 'text/html' }),
  },
  'wrong-length': {
    meaning: 'promises more bytes than it sends',
    run({ wire }) {
      wire.head(200, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(completion) + 100) });
      wire.raw(completion);
      wire.close();
    },
  },
  garbage: { meaning: 'answers with bytes that are not HTTP', run: ({ wire }) => wire.raw('\x00\x01 SSH-2.0-nonsense\r\n\r\n') },
  'bad-chunk': {
    meaning: 'breaks the framing of a chunked body',
    run({ wire }) {
      wire.startStream();
      wire.chunk(roleChunk);
      wire.raw('zz\r\nnot a chunk\r\n');
    },
  },
  'blank-N': {
    meaning: 'sends N megabytes of empty lines and never an answer',
    async run({ wire, number }) {
      wire.startStream();
      const blank = '\n'.repeat(65_536);
      for (let sent = 0; sent < number * 16 && !wire.gone; sent++) {
        wire.chunk(blank);
        await wait(0);
      }
    },
  },
  'line-N': {
    meaning: 'sends one line of N megabytes',
    async run({ wire, number }) {
      wire.startStream();
      wire.chunk('data: {"choices":[{"index":0,"delta":{"content":"');
      const part = 'x'.repeat(65_536);
      for (let sent = 0; sent < number * 16 && !wire.gone; sent++) {
        wire.chunk(part);
        await wait(0);
      }
      wire.close();
    },
  },
  flood: {
    meaning: 'never stops talking, as fast as it is listened to',
    async run({ wire }) {
      wire.startStream();
      wire.chunk(roleChunk);
      const part = wordChunks.join('').repeat(20);
      while (!wire.gone) {
        wire.chunk(part);
        await wire.drained();
        await wait(0);
      }
    },
  },
  'dice-N': {
    meaning: 'fails N times in a hundred, each time in another way, before or after some words',
    async run(call) {
      if (Math.random() * 100 >= call.number) {
        await wait(Math.random() * 20);
        // Word by word, as models stream, or all at once, as some proxies forward it.
        await (Math.random() < 0.5 ? healthy(call) : findBehaviour('spoken-2')?.behaviour.run({ ...call, number: 2 }));
        return;
      }
      const ways = [
        'reset',
        'close',
        'status-500',
        'status-503',
        'error-0',
        'cut-2',
        'reset-4',
        'end-3',
        'error-5',
        'odd-finish',
        'wrong-length',
      ];
      const found = findBehaviour(ways[Math.floor(Math.random() * ways.length)] as string);
      await found?.behaviour.run({ ...call, number: found.number });
    },
  },
  'flap-N': {
    meaning: 'is healthy every Nth time and fails in another way each time between',
    run(call) {
      if ((call.before + 1) % call.number === 0) healthy(call);
      else if (call.before % 3 === 0) call.wire.reset();
      else if (call.before % 3 === 1) call.wire.whole(503, errorBody('overloaded', 'server_overloaded'));
      else call.wire.whole(500, errorBody('failed', 'server_error'));
    },
  },
};

/** Finds the behaviour that a model's name selects, with its number. Returns undefined if it selects none. */
export function findBehaviour(model: string): { readonly behaviour: Behaviour; readonly number: number } | undefined {
  const plain = behaviours[model];
  if (plain !== undefined) return { behaviour: plain, number: 1 };
  const parts = /^(.+)-(\d+)$/.exec(model);
  const counted = parts === null ? undefined : behaviours[`${parts[1]}-N`];
  return counted === undefined ? undefined : { behaviour: counted, number: Number(parts?.[2]) };
}
