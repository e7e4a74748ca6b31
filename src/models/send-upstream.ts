/** Sends one request to a vendor and reads the response head. An error response is classified and thrown. */
import { abortable } from '../outbound/abortable.ts';
import type { OutboundClient, UpstreamHeaders, UpstreamResponse } from '../outbound/client.ts';
import { GatewayError } from '../types/errors.ts';
import type { JsonObject } from '../types/json.ts';
import type { Provider, UpstreamCall } from '../types/provider.ts';
import { readStart } from './bounded-body.ts';
import { classifyFailure } from './classify-failure.ts';
import { withoutCredential } from './vendor-error.ts';

export interface UpstreamSending {
  readonly provider: Provider;
  readonly call: UpstreamCall;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string | AsyncIterable<Buffer>;
  /** The caller's own body, to recognise its fields in an error. */
  readonly request: JsonObject;
  readonly signal: AbortSignal;
}

/** Bytes read of an error body, for classification and the ledger. */
const failureBytes = 65_536;

/** The media type without parameters, in lower case; empty when the vendor sends none. */
export function contentType(headers: UpstreamHeaders): string {
  const value = headers['content-type'];
  const text = typeof value === 'string' ? value : (value?.[0] ?? '');
  const end = text.indexOf(';');
  return (end === -1 ? text : text.slice(0, end)).trim().toLowerCase();
}

/** Resolves with a response of status 2xx. Throws GatewayError otherwise. */
export async function sendUpstream(client: OutboundClient, sending: UpstreamSending): Promise<UpstreamResponse> {
  const { provider, call, body } = sending;
  const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'pailou', ...sending.headers };
  const url = provider.address(call);
  const authorized = provider.authorize(headers, call, {
    method: 'POST',
    url,
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : null,
  });
  // A credential may have to be fetched, once for all waiting calls. Each call waits within its own limits.
  if (authorized !== undefined) await abortable(authorized, sending.signal);
  const response = await client.send({ method: 'POST', url, headers, body, signal: sending.signal });
  if (response.status >= 200 && response.status < 300) return response;
  const text = (await readStart(response.body, failureBytes)).toString('utf8');
  const failure = { status: response.status, headers: response.headers, body: withoutCredential(text, headers, sending.headers) };
  throw provider.classify?.(failure) ?? classifyFailure(failure, sending.request, provider.reading?.errorCodes);
}

/** Refuses responses that are not a model's answer: a login page, a proxy's error page. */
export function refuseForeign(response: UpstreamResponse): void {
  const type = contentType(response.headers);
  if (type !== 'text/html' && type !== 'application/xml' && type !== 'text/xml' && !/^(image|video|audio)\//.test(type)) return;
  response.release();
  throw new GatewayError(
    'upstream_invalid_response',
    'The vendor answered with something that is not an answer of a model; its address may be wrong.',
    { details: { status: response.status, contentType: type } },
  );
}
