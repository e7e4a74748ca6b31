/** One attempt at one deployment: encode, address and credential, send, decode. The only upstream model I/O. */
import type { OutboundClient, UpstreamHeaders, UpstreamResponse } from '../outbound/client.ts';
import type { ChatEvent, ChatEvents, ChatRequest } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import type { JsonObject } from '../types/json.ts';
import type { Provider, UpstreamCall } from '../types/plugin.ts';
import type { Deployment } from '../types/snapshot.ts';
import type {
  ChatDecoder,
  ChatFormat,
  EmbeddingsAnswer,
  EmbeddingsBody,
  EncodeTarget,
  Operation,
  WireFormat,
} from '../types/wire-format.ts';
import { readStart, readWhole } from './bounded-body.ts';
import { classifyFailure } from './classify.ts';

export interface ChatInvocation {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** Throws GatewayError where the answer breaks. Leaving the loop drops the connection to the vendor. */
  readonly events: ChatEvents;
}

export interface ModelInvoker {
  /** Resolves when the vendor has begun a good answer; a refusal is classified and thrown as a GatewayError. */
  chat(deployment: Deployment, request: ChatRequest, options: { stream: boolean; signal: AbortSignal }): Promise<ChatInvocation>;
  embeddings(deployment: Deployment, body: EmbeddingsBody, options: { signal: AbortSignal }): Promise<EmbeddingsAnswer>;
}

/** Of a refusal's body so much is read, for classification and the ledger. */
const failureBytes = 65_536;
/** A whole answer may be so large; one beyond it is no answer of a model. */
const wholeBytes = 64 * 1024 * 1024;

function contentType(headers: UpstreamHeaders): string {
  const value = headers['content-type'];
  return (typeof value === 'string' ? value : (value?.[0] ?? '')).split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Refuses what cannot be an answer of a model: a login page, a proxy's error page. */
function refuseForeign(response: UpstreamResponse): void {
  const type = contentType(response.headers);
  if (type !== 'text/html' && type !== 'application/xml' && type !== 'text/xml' && !/^(image|video|audio)\//.test(type)) return;
  response.release();
  throw new GatewayError(
    'upstream_invalid_response',
    'The vendor answered with something that is not an answer of a model; its address may be wrong.',
    {
      details: { status: response.status, contentType: type },
    },
  );
}

async function* streamed(response: UpstreamResponse, decoder: ChatDecoder): AsyncGenerator<readonly ChatEvent[]> {
  for await (const bytes of response.body) {
    const events = decoder.push(bytes);
    if (events.length === 0) continue;
    const complete = events.at(-1)?.type === 'response-end';
    if (complete) response.release();
    yield events;
    if (complete) return;
  }
  const rest = decoder.end();
  if (rest.length > 0) yield rest;
}

async function* whole(response: UpstreamResponse, format: ChatFormat): AsyncGenerator<readonly ChatEvent[]> {
  yield format.decodeResponse(await readWhole(response.body, wholeBytes));
}

export function createModelInvoker(options: {
  readonly client: OutboundClient;
  format(kind: string): WireFormat | undefined;
}): ModelInvoker {
  const formatFor = <O extends Operation>(deployment: Deployment, operation: O): NonNullable<WireFormat[O]> => {
    const kind = deployment.provider.instance.formats[operation];
    const format = kind === undefined ? undefined : options.format(kind)?.[operation];
    if (format !== undefined) return format;
    throw new GatewayError('unsupported_parameter', `The vendor behind this model cannot do ${operation}; choose another model.`, {
      param: 'model',
      details: { provider: deployment.provider.name, format: kind },
    });
  };

  const target = (provider: Provider, call: UpstreamCall): EncodeTarget => {
    const adjust = provider.adjust?.bind(provider);
    return { model: call.model, stream: call.stream, ...(adjust === undefined ? {} : { adjust: (body) => adjust(body, call) }) };
  };

  const send = async (
    provider: Provider,
    call: UpstreamCall,
    request: JsonObject,
    body: Buffer | string,
    signal: AbortSignal,
  ): Promise<UpstreamResponse> => {
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      accept: call.stream ? 'text/event-stream' : 'application/json',
      'user-agent': 'pailou',
    };
    const authorized = provider.authorize(headers, call);
    if (authorized !== undefined) await authorized;
    const response = await options.client.send({ method: 'POST', url: provider.address(call), headers, body, signal });
    if (response.status >= 200 && response.status < 300) {
      refuseForeign(response);
      return response;
    }
    const text = (await readStart(response.body, failureBytes)).toString('utf8');
    const failure = { status: response.status, headers: response.headers, body: text };
    throw provider.classify?.(failure) ?? classifyFailure(failure, request);
  };

  return {
    async chat(deployment, request, { stream, signal }) {
      const format = formatFor(deployment, 'chat');
      const provider = deployment.provider.instance;
      const call: UpstreamCall = { operation: 'chat', model: deployment.model, stream };
      const response = await send(provider, call, request.body, format.encodeRequest(request, target(provider, call)), signal);
      const type = contentType(response.headers);
      // The vendor decides: some stream whatever was asked, some cannot.
      const asStream = type === 'text/event-stream' || (stream && type !== 'application/json');
      return {
        status: response.status,
        headers: response.headers,
        events: asStream ? streamed(response, format.decoder()) : whole(response, format),
      };
    },

    async embeddings(deployment, body, { signal }) {
      const format = formatFor(deployment, 'embeddings');
      const provider = deployment.provider.instance;
      const call: UpstreamCall = { operation: 'embeddings', model: deployment.model, stream: false };
      const response = await send(provider, call, body, format.encodeRequest(body, target(provider, call)), signal);
      return format.decodeResponse(await readWhole(response.body, wholeBytes));
    },
  };
}
