/** Calls whose bodies are forwarded unread (pictures, speech, transcriptions): streamed both ways, never buffered whole. */
import type { OutboundClient } from '../outbound/client.ts';
import type { Usage } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type JsonObject } from '../types/json.ts';
import type { UpstreamCall } from '../types/provider.ts';
import type { Deployment } from '../types/snapshot.ts';
import type { Operation } from '../types/wire-format.ts';
import { readUsage } from './vendor-formats/openai/usage.ts';
import { contentType, sendUpstream } from './send-upstream.ts';

export type PassthroughOperation = Extract<Operation, 'images' | 'transcriptions' | 'speech'>;

export interface PassthroughRequest {
  readonly operation: PassthroughOperation;
  /** The caller's fields, to recognise them in an error. */
  readonly fields: JsonObject;
  /** Encoded for each attempt, with the vendor's name of the model. */
  encode(model: string): {
    readonly contentType: string;
    readonly body: Buffer | string | AsyncIterable<Buffer>;
    /** The length of a streamed body in bytes. */
    readonly length?: number;
  };
}

export interface PassthroughAnswer {
  readonly status: number;
  readonly contentType: string;
  /** The length in bytes, if the vendor sends it. */
  readonly length: number | null;
  readonly body: AsyncIterable<Buffer>;
}

/** A form field is a text. */
export function requestsStream(fields: JsonObject): boolean {
  return fields['stream'] === true || fields['stream'] === 'true';
}

/** Resolves with the head of a valid answer. The body is the vendor's own. */
export async function sendPassthrough(
  client: OutboundClient,
  deployment: Deployment,
  request: PassthroughRequest,
  { signal, traceparent }: { readonly signal: AbortSignal; readonly traceparent?: string | undefined },
): Promise<PassthroughAnswer> {
  const provider = deployment.provider.instance;
  if (provider.formats[request.operation] !== 'openai') {
    throw new GatewayError('unsupported_parameter', `The vendor behind this model cannot do ${request.operation}; choose another model.`, {
      param: 'model',
      details: { provider: deployment.provider.name },
    });
  }
  const call: UpstreamCall = { operation: request.operation, model: deployment.model, stream: false, warn: () => {} };
  const encoded = request.encode(deployment.model);
  const headers = {
    'content-type': encoded.contentType,
    ...(requestsStream(request.fields) ? { accept: 'text/event-stream, application/json' } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(encoded.length === undefined ? {} : { 'content-length': String(encoded.length) }),
  };
  const response = await sendUpstream(client, { provider, call, headers, body: encoded.body, request: request.fields, signal });
  const type = contentType(response.headers);
  if (type === 'text/html') {
    response.release();
    throw new GatewayError('upstream_invalid_response', 'The vendor answered with a web page; its address may be wrong.', {
      details: { status: response.status },
    });
  }
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  const encodedBody = response.headers['content-encoding'] !== undefined;
  return {
    status: response.status,
    contentType: String(response.headers['content-type'] ?? 'application/octet-stream'),
    length: Number.isSafeInteger(length) && !encodedBody ? length : null,
    body: response.body,
  };
}

const tailBytes = 16_384;
/** The start of a picture, or of its address. */
const pictureMark = /"(?:b64_json|url)"\s{0,4}:\s{0,4}"/g;
const maxMarkLength = 20;

/** Finds the counts in forwarded bytes: at the end of a JSON answer, or in the last event of a stream. */
export class UsageWatch {
  #tail = '';
  #head = '';
  #pictures = 0;
  readonly #operation: PassthroughRequest['operation'];
  readonly #whole: boolean;

  /** `whole`: a JSON answer, in which each picture occurs once. */
  constructor(operation: PassthroughRequest['operation'], whole: boolean) {
    this.#operation = operation;
    this.#whole = whole;
  }

  add(bytes: Buffer): void {
    const text = bytes.toString('latin1');
    if (this.#head.length < tailBytes) this.#head += text.slice(0, tailBytes - this.#head.length);
    if (this.#operation === 'images' && this.#whole) {
      const before = this.#tail.slice(-maxMarkLength);
      for (const mark of (before + text).matchAll(pictureMark)) if (mark.index + mark[0].length > before.length) this.#pictures++;
    }
    this.#tail = (this.#tail + text).slice(-tailBytes);
  }

  /** The vendor's counts, and what can be counted in its answer. */
  get counted(): Partial<Usage> {
    const vendorCounts = this.#vendorCounts;
    const seconds =
      this.#operation === 'transcriptions' && this.#whole ? /"duration"\s*:\s*(\d{1,7}(?:\.\d{1,9})?)/.exec(this.#head)?.[1] : undefined;
    return {
      ...(this.#pictures === 0 ? {} : { pictures: this.#pictures }),
      ...(seconds === undefined ? {} : { milliseconds: Math.round(Number(seconds) * 1_000) }),
      ...vendorCounts,
    };
  }

  get #vendorCounts(): Usage | null {
    const start = this.#tail.lastIndexOf('"usage"');
    const open = start < 0 ? -1 : this.#tail.indexOf('{', start);
    if (open < 0) return null;
    for (let depth = 0, index = open; index < this.#tail.length; index++) {
      if (this.#tail[index] === '{') depth++;
      else if (this.#tail[index] === '}' && --depth === 0) {
        try {
          const usage: unknown = JSON.parse(this.#tail.slice(open, index + 1));
          return isJsonObject(usage) ? readUsage({ usage }) : null;
        } catch {
          return null;
        }
      }
    }
    return null;
  }
}
