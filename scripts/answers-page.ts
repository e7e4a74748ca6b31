/** Writes `docs/answers.md` from the code. Each member of each vendor's answer is sent through each client format, and the page records where it comes out. */
import { writeFileSync } from 'node:fs';
import { checkStart } from '../src/models/answer-start.ts';
import { createCompletionCollector, createChunkEmitter } from '../src/models/client-formats/chat-completions/emitter.ts';
import { decodeReasoning } from '../src/models/client-formats/encoded-reasoning.ts';
import { renderEmbeddings } from '../src/models/client-formats/embeddings.ts';
import { createMessageCollector, createMessageEmitter } from '../src/models/client-formats/messages/emitter.ts';
import { renderRerank } from '../src/models/client-formats/rerank.ts';
import { createResponseCollector, createResponseEmitter } from '../src/models/client-formats/responses/emitter.ts';
import type { PassthroughOperation } from '../src/models/passthrough.ts';
import { checkRanking, checkVectors } from '../src/models/positional-answers.ts';
import { anthropicChat } from '../src/models/vendor-formats/anthropic/chat.ts';
import { bedrockChat } from '../src/models/vendor-formats/bedrock/chat.ts';
import { bedrockEmbeddings } from '../src/models/vendor-formats/bedrock/embeddings.ts';
import { dashscopeChat } from '../src/models/vendor-formats/dashscope/chat.ts';
import { dashscopeEmbeddings } from '../src/models/vendor-formats/dashscope/embeddings.ts';
import { dashscopeRerank } from '../src/models/vendor-formats/dashscope/rerank.ts';
import { geminiChat } from '../src/models/vendor-formats/gemini/chat.ts';
import { geminiEmbeddings } from '../src/models/vendor-formats/gemini/embeddings.ts';
import { ollamaChat } from '../src/models/vendor-formats/ollama/chat.ts';
import { ollamaEmbeddings } from '../src/models/vendor-formats/ollama/embeddings.ts';
import { openaiChat } from '../src/models/vendor-formats/openai/chat.ts';
import { openaiEmbeddings } from '../src/models/vendor-formats/openai/embeddings.ts';
import { openaiRerank } from '../src/models/vendor-formats/openai/rerank.ts';
import { vertexEmbeddings } from '../src/models/vendor-formats/vertex/embeddings.ts';
import type { ChatEvent } from '../src/types/chat.ts';
import { GatewayError } from '../src/types/errors.ts';
import { isJsonObject, type Json } from '../src/types/json.ts';
import type { ChatFormat, EmbeddingsFormat, RerankFormat } from '../src/types/wire-format.ts';
import {
  type ChatKind,
  chatFormats,
  chatSamples,
  embeddingSamples,
  mediaSamples,
  type Needle,
  rerankSamples,
  type Sample,
} from './answer-samples.ts';

const formats: Readonly<Record<ChatKind, ChatFormat>> = {
  openai: openaiChat,
  anthropic: anthropicChat,
  gemini: geminiChat,
  dashscope: dashscopeChat,
  ollama: ollamaChat,
  bedrock: bedrockChat,
};
const embeddings: Readonly<Record<string, EmbeddingsFormat>> = {
  openai: openaiEmbeddings,
  gemini: geminiEmbeddings,
  vertex: vertexEmbeddings,
  dashscope: dashscopeEmbeddings,
  ollama: ollamaEmbeddings,
  bedrock: bedrockEmbeddings,
};
const rerank: Readonly<Record<string, RerankFormat>> = { openai: openaiRerank, dashscope: dashscopeRerank };

/** The members that a format cannot carry, with the reason. All others must come out. */
const leftOut: Readonly<Record<string, string>> = {
  'log probabilities: messages': 'the format has none, and no request of it can ask for them',
  'code that ran at Anthropic: chat': 'it ran, and is no call of the caller; what came of it is in the text',
  'code that ran at Anthropic: responses': 'it ran, and is no call of the caller; what came of it is in the text',
};

const usage = { inputTokens: 3, outputTokens: 2 };
const response = {
  id: `resp_${'0'.repeat(32)}`,
  created: 1,
  model: 'public',
  echo: {},
  reasoning: true,
  summary: false,
  encrypted: true,
  onComplete: () => {},
};
const message = { id: 'msg_1', model: 'public', reasoning: true, mcpBlocks: false, estimatedInput: () => 3 };
const completion = { id: 'chatcmpl-1', created: 1, model: 'public', reasoning: true };

interface ClientFormat {
  readonly name: string;
  readonly whole: (events: readonly ChatEvent[]) => string;
  readonly streamed: (events: readonly ChatEvent[]) => string;
}

const clientFormats: readonly ClientFormat[] = [
  {
    name: 'chat',
    whole: (events) => wholeText(events, createCompletionCollector(completion)),
    streamed: (events) => createChunkEmitter({ ...completion, includeUsage: true }).write(events),
  },
  {
    name: 'responses',
    whole: (events) => wholeText(events, createResponseCollector(response)),
    streamed: (events) => createResponseEmitter(response).write(events),
  },
  {
    name: 'messages',
    whole: (events) => wholeText(events, createMessageCollector(message)),
    streamed: (events) => createMessageEmitter(message).write(events),
  },
];

function wholeText(events: readonly ChatEvent[], collector: ReturnType<typeof createCompletionCollector>): string {
  collector.add(events);
  return collector.text();
}

/** A needle that contains the word `needle` may occur within a longer text. Every other needle must equal the value. */
function isHere(value: Json | undefined, needle: Needle): boolean {
  if (typeof value !== 'string' || typeof needle !== 'string' || !/needle/i.test(needle)) return value === needle;
  return value.includes(needle);
}

const encodedMark = '(encoded)';

/** The paths at which a needle occurs, without list indexes. Marks a path whose value is encoded for the client to send back. */
function pathsOf(value: Json | undefined, needles: readonly Needle[], path = ''): string[] {
  const encoded = typeof value === 'string' ? decodeReasoning(value) : undefined;
  if (encoded !== undefined) return pathsOf(encoded, needles).length === 0 ? [] : [`${path} ${encodedMark}`];
  if (needles.some((needle) => isHere(value, needle))) return [path];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((each) => pathsOf(each, needles, `${path}[]`));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => pathsOf(member, needles, path === '' ? name : `${path}.${name}`));
}

function refusal(thrown: unknown): string {
  if (!(thrown instanceof GatewayError)) throw thrown;
  return `refused: \`${thrown.code}\``;
}

/** True when a streamed answer contains a needle, in the escaping of JSON. */
function isIn(text: string, needles: readonly Needle[]): boolean {
  return needles.some((needle) => text.includes(typeof needle === 'string' ? JSON.stringify(needle).slice(1, -1) : String(needle)));
}

function cellOf(paths: readonly string[], own: readonly string[]): string {
  const first = paths.find((path) => !path.includes(encodedMark)) ?? paths[0];
  if (first === undefined) return 'lost';
  return own.includes(first) ? 'passes' : `\`${first}\``;
}

/** What one client format does with a member. Throws if the stream differs from the whole answer. */
async function outcome(member: string, format: ChatFormat, sample: Sample, clientFormat: ClientFormat): Promise<string> {
  const decode = (): ChatEvent[] => format.decodeResponse(Buffer.from(JSON.stringify(sample.body)));
  let whole: string;
  try {
    whole = cellOf(pathsOf(JSON.parse(clientFormat.whole(decode())) as Json, sample.needles), pathsOf(sample.body, sample.needles));
  } catch (thrown) {
    whole = refusal(thrown);
  }
  let streamed = '';
  try {
    streamed = isIn(clientFormat.streamed(decode()), sample.needles) ? 'said' : 'lost';
  } catch (thrown) {
    streamed = refusal(thrown);
  }
  // An encoded value cannot be found in the text of a stream.
  const agrees = whole.includes(encodedMark)
    ? true
    : whole.startsWith('refused')
      ? streamed === whole
      : (whole === 'lost') === (streamed === 'lost');
  const reason = leftOut[`${member}: ${clientFormat.name}`];
  if (!agrees && reason === undefined)
    throw new Error(`${member}, ${clientFormat.name}: ${whole} in a whole answer, ${streamed} in a stream`);
  return whole === 'lost' && reason !== undefined ? `left out: ${reason}` : whole;
}

async function chatRows(): Promise<string[]> {
  const rows: string[] = [];
  for (const [member, samples] of Object.entries(chatSamples)) {
    for (const kind of chatFormats) {
      const sample = samples[kind];
      if (sample === undefined) continue;
      const cells = await Promise.all(clientFormats.map((clientFormat) => outcome(member, formats[kind], sample, clientFormat)));
      const own = pathsOf(sample.body, sample.needles)[0] ?? '';
      rows.push(`| chat | \`${kind}\` | ${member} | \`${own}\` | ${cells.join(' | ')} |`);
    }
  }
  return rows;
}

function row(operation: string, kind: string, member: string, sample: Sample, answer: () => string): string {
  const own = pathsOf(sample.body, sample.needles);
  let cell: string;
  try {
    cell = cellOf(pathsOf(JSON.parse(answer()) as Json, sample.needles), own);
  } catch (thrown) {
    cell = refusal(thrown);
  }
  return `| ${operation} | \`${kind}\` | ${member} | \`${own[0] ?? ''}\` | ${cell} |`;
}

function positionalRows(): string[] {
  const bytes = (sample: Sample): Buffer => Buffer.from(JSON.stringify(sample.body));
  const question = { model: 'm', input: 'x' };
  const documents = { model: 'm', query: 'x', documents: ['y'] };
  const vectors = Object.entries(embeddingSamples).flatMap(([member, samples]) =>
    Object.entries(samples).map(([kind, sample]) =>
      row('embeddings', kind, member, sample, () => {
        const answer = (embeddings[kind] as EmbeddingsFormat).decodeResponse(bytes(sample));
        checkVectors(question, answer);
        return renderEmbeddings(answer.vectors, { id: 'a', model: 'm', encoding: 'float', usage });
      }),
    ),
  );
  const ranks = Object.entries(rerankSamples).flatMap(([member, samples]) =>
    Object.entries(samples).map(([kind, sample]) =>
      row('rerank', kind, member, sample, () => {
        const answer = (rerank[kind] as RerankFormat).decodeResponse(bytes(sample));
        checkRanking(documents, answer);
        return renderRerank(answer.results, { id: 'a', model: 'm', documents: ['y'], returnDocuments: false, topN: undefined, usage });
      }),
    ),
  );
  return [...vectors, ...ranks];
}

async function mediaRows(): Promise<string[]> {
  const rows: string[] = [];
  for (const [member, samples] of Object.entries(mediaSamples)) {
    for (const [operation, [contentType, text]] of Object.entries(samples)) {
      async function* body(): AsyncGenerator<Buffer> {
        yield Buffer.from(text);
      }
      let cell = '';
      try {
        const answer = await checkStart(
          { status: 200, contentType, length: null, body: body() },
          operation as PassthroughOperation,
          undefined,
        );
        let said = '';
        for await (const part of answer.body) said += part.toString();
        cell = said === text ? 'passes' : 'lost';
      } catch (thrown) {
        cell = refusal(thrown);
      }
      rows.push(`| ${operation} | \`openai\` | ${member} | ${contentType} | ${cell} |`);
    }
  }
  return rows;
}

const head = `# What becomes of a vendor's answer

<!-- Written by \`npm run docs\`: scripts/answers-page.ts sends a sample of each member through the code; a test fails when the page differs, or when a member is lost. -->

Each row is one member of an answer in one wire format. **passes**: it stands at the same place in the answer to the caller. A \`path\`: it is translated, and stands there. **refused**: the call ends with that error, and
the next deployment is asked where that helps. Whole answers and streams do the same; the page is made only where they agree.

`;

/** The complete expected page. */
export async function answersPage(): Promise<string> {
  const chat = await chatRows();
  const others = [...positionalRows(), ...(await mediaRows())];
  return (
    `${head}## Chat\n\n| operation | wire format | member | where the vendor has it | Chat Completions | Responses | Messages |\n|---|---|---|---|---|---|---|\n${chat.join('\n')}\n\n` +
    `## Other operations\n\n| operation | wire format | member | where the vendor has it | the caller gets it |\n|---|---|---|---|---|\n${others.join('\n')}\n`
  );
}

if (import.meta.main) {
  writeFileSync(new URL('../docs/answers.md', import.meta.url), await answersPage());
  console.log('docs/answers.md written');
}
