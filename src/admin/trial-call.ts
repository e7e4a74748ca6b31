/** One short call of each operation through the real call path, for the test of a draft. */
import type { Caller } from '../application/caller.ts';
import { callContext } from '../application/models/call-context.ts';
import { invokeModel, openRun } from '../application/models/invoke-model.ts';
import { endRunWithError } from '../application/models/recorded-run.ts';
import type { CallServices } from '../application/services.ts';
import type { PassthroughOperation, PassthroughRequest } from '../models/passthrough.ts';
import { collectText } from '../streaming/text-events.ts';
import type { Usage } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import type { ModelEntry } from '../types/snapshot.ts';
import type { Operation } from '../types/wire-format.ts';

export interface TrialAnswer {
  readonly answer: string;
  readonly deployment: string;
}

const words = 'Answer with the single word: ready';
/** A larger answer is no answer to these questions. */
const mostBytes = 50_000_000;

/** One second of silence: WAV, 8 kHz, 8 bit, mono. */
function silence(): Buffer {
  const samples = 8_000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(samples, 24);
  head.writeUInt32LE(samples, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples, 40);
  return Buffer.concat([head, Buffer.alloc(samples, 128)]);
}

function form(model: string): { readonly contentType: string; readonly body: Buffer } {
  const boundary = 'pailou-test-of-a-model';
  const text = `--${boundary}\r\ncontent-disposition: form-data; name="model"\r\n\r\n${model}\r\n`;
  const file = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="silence.wav"\r\ncontent-type: audio/wav\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([Buffer.from(text + file), silence(), Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}

const fieldsOf: Readonly<Record<PassthroughOperation, Record<string, string | number>>> = {
  images: { prompt: 'A blue square', n: 1 },
  speech: { input: 'ready', voice: 'alloy' },
  transcriptions: {},
};

function requestOf(operation: PassthroughOperation): PassthroughRequest {
  const fields = fieldsOf[operation];
  if (operation === 'transcriptions') return { operation, fields, encode: form };
  return { operation, fields, encode: (model) => ({ contentType: 'application/json', body: JSON.stringify({ ...fields, model }) }) };
}

/** What the vendor bills when it reports nothing. */
const estimateOf: Readonly<Record<PassthroughOperation, Usage>> = {
  images: { inputTokens: 3, outputTokens: 0, pictures: 1, estimated: true },
  speech: { inputTokens: 1, outputTokens: 0, characters: 5, estimated: true },
  transcriptions: { inputTokens: 0, outputTokens: 0, milliseconds: 1_000, estimated: true },
};

async function bytesOf(body: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > mostBytes) throw new GatewayError('upstream_error', 'The vendor answers without end.');
  }
  return bytes;
}

const isText = /^(text\/.*|application\/([\w.-]+\+)?json)$/;

/** Calls forward sound that a vendor wraps in JSON, but OpenAI's clients would play it as it is. */
function noSound(type: string, status: number): GatewayError {
  const message = `The vendor answered ${type} in place of sound. Check the model and its fields, such as the voice or the format.`;
  return new GatewayError('upstream_invalid_response', message, { details: { status, contentType: type } });
}

async function tryChat(services: CallServices, caller: Caller, model: ModelEntry): Promise<TrialAnswer> {
  const body = { model: model.name, messages: [{ role: 'user' as const, content: words }], max_tokens: 64 };
  const call = await invokeModel(services, caller, model, { body }, { stream: false });
  const { text } = await collectText(call.events);
  return { answer: text.slice(0, 500), deployment: call.deployment };
}

/** Throws or rejects as a call does. */
export async function tryOperation(services: CallServices, caller: Caller, model: ModelEntry, operation: Operation): Promise<TrialAnswer> {
  if (operation === 'chat') return tryChat(services, caller, model);
  const run = openRun(services, caller, null, `model/${model.name}`, operation, false);
  const guess: Usage = { inputTokens: 10, outputTokens: 0, estimated: true };
  const context = callContext(services, caller, run, { stream: false, size: () => ({ inputTokens: 10, outputTokens: null, answers: 1 }) });
  const ended = (usage: Usage, answer: string, { id }: { readonly id: string }): TrialAnswer => {
    run.used(usage);
    run.end('complete');
    return { answer, deployment: id };
  };
  try {
    if (operation === 'embeddings') {
      const { vectors, usage, deployment } = await services.dispatcher.embeddings(model, { model: model.name, input: words }, context);
      const [vector = []] = vectors;
      const length = typeof vector === 'string' ? Buffer.from(vector, 'base64').length / 4 : vector.length;
      return ended(usage ?? guess, `A vector of ${length} numbers.`, deployment);
    }
    if (operation === 'rerank') {
      const documents = ['ready', 'not ready'];
      const found = await services.dispatcher.rerank(model, { model: model.name, query: 'ready', documents }, context);
      return ended(found.usage ?? { ...guess, searches: 1 }, `${found.results.length} documents in order.`, found.deployment);
    }
    const relayed = await services.dispatcher.relay(model, requestOf(operation), context);
    const bytes = await bytesOf(relayed.body);
    const usage = { ...estimateOf[operation], ...relayed.usage() };
    const type = (relayed.contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
    if (operation === 'speech' && isText.test(type)) {
      run.used(usage);
      throw noSound(type, relayed.status);
    }
    return ended(usage, `${type}, ${bytes} bytes.`, relayed.deployment);
  } catch (thrown) {
    endRunWithError(run, thrown);
    throw thrown;
  }
}
