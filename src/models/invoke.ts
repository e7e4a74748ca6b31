/** One attempt at one deployment: encode, address and credential, send, decode. The only I/O to model vendors. */
import type { OutboundClient } from '../outbound/client.ts';
import { sumKnown } from '../telemetry/sum-usage.ts';
import type { ChatRequest, Usage } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import type { JsonObject } from '../types/json.ts';
import type { UpstreamCall } from '../types/provider.ts';
import type { SharedThoughts } from '../types/shared-thoughts.ts';
import type { Deployment } from '../types/snapshot.ts';
import type {
  EmbeddingsAnswer,
  EmbeddingsBody,
  EmbeddingsFormat,
  EncodeTarget,
  Operation,
  Reading,
  RerankAnswer,
  RerankBody,
  WireFormat,
} from '../types/wire-format.ts';
import { type AnswerListener, AnswerReceiver } from './answer-receiver.ts';
import { requestInBatches, splitInputs } from './batched-embeddings.ts';
import { readWhole, wholeBytes } from './bounded-body.ts';
import { withoutByteOrderMark } from './byte-order-mark.ts';
import { requestedChoices } from './choice-count.ts';
import { estimateUsage } from './estimate-usage.ts';
import { readModelsList, requestModelsList } from './models-list.ts';
import type { PictureFetcher } from './image-fetcher.ts';
import { checkRanking, checkVectors } from './positional-answers.ts';
import { withPrefill } from './prefill.ts';
import { type PassthroughAnswer, sendPassthrough, type PassthroughRequest } from './passthrough.ts';
import { fitRequest } from './fit-request.ts';
import { reasoningRecorder, restoreReasoning } from './reasoning-memory.ts';
import { refusedCounts } from './refused-counts.ts';
import { refuseUnknownRoles } from './conversation/message-roles.ts';
import { ChatSender } from './send-chat.ts';
import { refuseForeign, sendUpstream } from './send-upstream.ts';

export interface ChatOptions {
  readonly stream: boolean;
  /** The owner of the conversation. Reasoning is remembered within a scope only. */
  readonly scope: string;
  /** The beginning of the answer, already delivered; the vendor continues it. Only for deployments that support prefill. */
  readonly prefill?: string | undefined;
  /** The header of Trace Context. */
  readonly traceparent?: string | undefined;
}

export interface RequestOptions extends Pick<ChatOptions, 'traceparent'> {
  readonly signal: AbortSignal;
  /** Gets the counts of a call that fails although the vendor answered. */
  readonly counts?: { used(usage: Usage | null): unknown } | undefined;
}

export interface ModelInvoker {
  /** Sends a chat, at once unless a credential or a picture must be fetched first. `listener` hears the answer or its failure. Throws when the request cannot be made for this vendor. */
  chat(deployment: Deployment, request: ChatRequest, options: ChatOptions, listener: AnswerListener): AnswerReceiver;
  embeddings(deployment: Deployment, body: EmbeddingsBody, options: RequestOptions): Promise<Warned<EmbeddingsAnswer>>;
  rerank(deployment: Deployment, body: RerankBody, options: RequestOptions): Promise<Warned<RerankAnswer>>;
  relay(deployment: Deployment, request: PassthroughRequest, options: RequestOptions): Promise<PassthroughAnswer>;
  /** Resolves when the vendor returns its list of models. The list is not read. */
  models(deployment: Deployment, options: { signal: AbortSignal }): Promise<void>;
  /** The vendor's own names of its models, sorted, at most `most`. */
  listModels(deployment: Deployment, options: { readonly most: number; readonly signal: AbortSignal }): Promise<readonly string[]>;
}

export type Warned<T> = T & { readonly warnings: readonly string[] };
type JsonOperation = keyof WireFormat;

/** The format of an operation with one JSON body out and one in. */
interface JsonFormat<B, A> extends Pick<EmbeddingsFormat, 'countsOf'> {
  encodeRequest(body: B, target: EncodeTarget): Buffer | string;
  decodeResponse(body: Buffer, reading?: Reading): A;
}

/** The kind of the wire format of chats with this deployment. */
function chatFormatOf({ chatFormat, provider }: Deployment): string {
  return chatFormat ?? provider.instance.formats.chat ?? '';
}

const noHeaders: Readonly<Record<string, string>> = {};

/** One attempt before it is sent. */
interface Prepared {
  readonly call: UpstreamCall;
  readonly target: EncodeTarget;
  readonly warnings: readonly string[];
}

/** True when the vendor is asked for a stream, which may hold although the caller wants a whole answer. */
export function isStreamed(deployment: Deployment, wantsStream: boolean): boolean {
  return wantsStream || deployment.alwaysStream || deployment.provider.instance.mustStream?.(deployment.model) === true;
}

function prepare(deployment: Deployment, operation: Operation, body: JsonObject, wantsStream: boolean): Prepared {
  const provider = deployment.provider.instance;
  const stream = operation === 'chat' && isStreamed(deployment, wantsStream);
  const warnings: string[] = [];
  const warn = (note: string): void => {
    if (!warnings.includes(note)) warnings.push(note);
  };
  const format = operation === 'chat' ? { format: chatFormatOf(deployment) } : {};
  const { reasoning } = deployment;
  const call: UpstreamCall = {
    operation,
    model: deployment.model,
    stream,
    warn,
    ...format,
    ...(reasoning === undefined ? {} : { reasoning }),
  };
  const adjust = provider.adjusts?.(body, call) === false ? undefined : provider.adjust?.bind(provider);
  return {
    call,
    warnings,
    target: {
      model: deployment.model,
      stream,
      vendor: deployment.provider.name,
      warn,
      replays: deployment.replays ?? provider.replays ?? (provider.replaysReasoning === true ? ['reasoning_content'] : []),
      ...(adjust === undefined ? {} : { adjust: (encoded) => adjust(encoded, call) }),
    },
  };
}

/** How the answer to this request is read. */
function readingOf({ provider, thinkTags }: Deployment, { body, native }: ChatRequest, target: EncodeTarget): Reading {
  const reading: { -readonly [K in keyof Reading]: Reading[K] } = {
    ...provider.instance.reading,
    warn: (note) => target.warn(note),
    estimateInput: () => estimateUsage(body, '').inputTokens,
  };
  const choices = requestedChoices(body);
  if (choices !== undefined) reading.choices = choices;
  if (thinkTags !== undefined) reading.thinkTags = thinkTags;
  if (native !== undefined) reading.clientFormat = native.format;
  return reading;
}

export function createModelInvoker(options: {
  readonly client: OutboundClient;
  /** For restricted providers. */
  readonly developerClient?: OutboundClient;
  format(kind: string): WireFormat | undefined;
  readonly pictures: PictureFetcher;
  /** Absent: reasoning is remembered on this node alone. */
  readonly thoughts?: SharedThoughts | null;
}): ModelInvoker {
  const { pictures } = options;
  const clientOf = ({ provider }: Deployment): OutboundClient => {
    const client = provider.restricted === true ? options.developerClient : options.client;
    if (client === undefined) throw new Error('no outbound client for restricted providers was given');
    return provider.proxy === undefined ? client : client.via(provider.proxy);
  };

  const formatFor = <O extends JsonOperation>(deployment: Deployment, operation: O): NonNullable<WireFormat[O]> => {
    const kind = operation === 'chat' ? chatFormatOf(deployment) : deployment.provider.instance.formats[operation];
    const format = kind === undefined ? undefined : options.format(kind)?.[operation];
    if (format !== undefined) return format;
    throw new GatewayError('unsupported_parameter', `The vendor behind this model cannot do ${operation}; choose another model.`, {
      param: 'model',
      details: { provider: deployment.provider.name, format: kind },
    });
  };

  /** Embeddings and reranking: one JSON body out, one in. */
  const exchange = async <B extends EmbeddingsBody | RerankBody, A extends object>(
    deployment: Deployment,
    operation: 'embeddings' | 'rerank',
    format: JsonFormat<B, A>,
    body: B,
    { signal, traceparent, counts }: RequestOptions,
    check: (body: B, answer: A) => void,
  ): Promise<Warned<A>> => {
    const provider = deployment.provider.instance;
    const { call, target, warnings } = prepare(deployment, operation, body, false);
    const encoded = format.encodeRequest(body, target);
    const headers = traceparent === undefined ? noHeaders : { traceparent };
    const response = await sendUpstream(clientOf(deployment), { provider, call, headers, body: encoded, request: body, signal });
    refuseForeign(response);
    const bytes = withoutByteOrderMark(await readWhole(response.body, wholeBytes));
    try {
      const answer = format.decodeResponse(bytes, provider.reading);
      check(body, answer);
      return { ...answer, warnings };
    } catch (thrown) {
      counts?.used(refusedCounts(bytes, format, provider.reading));
      throw thrown;
    }
  };

  return {
    chat(deployment, given, { stream, scope, prefill, traceparent }, listener) {
      const usual = formatFor(deployment, 'chat');
      const provider = deployment.provider.instance;
      const request = prefill === undefined ? given : withPrefill(given, prefill, provider.prefill?.(deployment.model) ?? {});
      const { call, target, warnings } = prepare(deployment, 'chat', request.body, stream);
      const thoughtful = usual.thoughts === true || (target.replays ?? []).length > 0;
      const kind = chatFormatOf(deployment);
      const restored = thoughtful ? restoreReasoning(scope, request) : request;
      const { request: asked, format } = fitRequest(restored, deployment, { kind, format: usual, target });
      if (kind !== 'openai') refuseUnknownRoles(asked.body, target);
      const sender = new ChatSender({ client: clientOf(deployment), provider, call, format, kind, target, request, pictures, traceparent });
      const receiver = new AnswerReceiver(
        {
          format,
          asksStream: call.stream,
          reading: readingOf(deployment, request, target),
          remember: thoughtful ? reasoningRecorder(scope, options.thoughts ?? null) : null,
          refusal: (status, headers, text) => sender.refusal(status, headers, text),
        },
        listener,
        warnings,
      );
      sender.start(asked, receiver);
      return receiver;
    },

    async embeddings(deployment, body, { signal, traceparent, counts }) {
      const format = formatFor(deployment, 'embeddings');
      const limit = deployment.provider.instance.embeddingsBatch ?? format.batch;
      const parts = splitInputs(body, limit);
      if (parts.length === 1) return exchange(deployment, 'embeddings', format, body, { signal, traceparent, counts }, checkVectors);
      const known: (Usage | null)[] = [];
      const ask = async (part: EmbeddingsBody, own: AbortSignal): Promise<Warned<EmbeddingsAnswer>> => {
        const asked = { signal: own, traceparent, counts: { used: (usage: Usage | null) => known.push(usage) } };
        const answer = await exchange(deployment, 'embeddings', format, part, asked, checkVectors);
        known.push(answer.usage);
        return answer;
      };
      try {
        const answer = await requestInBatches(parts, signal, ask);
        checkVectors(body, answer);
        return answer;
      } catch (thrown) {
        counts?.used(sumKnown(known));
        throw thrown;
      }
    },

    rerank: (deployment, body, request) => exchange(deployment, 'rerank', formatFor(deployment, 'rerank'), body, request, checkRanking),

    relay: (deployment, request, { signal, traceparent }) =>
      sendPassthrough(clientOf(deployment), deployment, request, { signal, traceparent }),

    models: (deployment, { signal }) => requestModelsList(clientOf(deployment), deployment, signal),
    listModels: (deployment, listing) => readModelsList(clientOf(deployment), deployment, listing),
  };
}
