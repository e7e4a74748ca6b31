/** Sends one request to a vendor and reads the response head. An error response is classified and thrown. */
import { abortable } from '../outbound/abortable.ts';
import type { OutboundClient, UpstreamResponse } from '../outbound/client.ts';
import type { UpstreamHeaders } from '../outbound/receiver.ts';
import { GatewayError } from '../types/errors.ts';
import type { JsonObject } from '../types/json.ts';
import type { Provider, UpstreamCall } from '../types/provider.ts';
import { failureBytes, readStart } from './bounded-body.ts';
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
  throw refusalOf(sending, headers, response, text);
}

/** The classified error of a response without a success status. `sent`: the headers with the credential, which must not be shown. */
export function refusalOf(
  { provider, headers, request }: Pick<UpstreamSending, 'provider' | 'headers' | 'request'>,
  sent: Readonly<Record<string, string>>,
  { status, headers: answered }: Pick<UpstreamResponse, 'status' | 'headers'>,
  text: string,
): GatewayError {
  const failure = { status, headers: answered, body: withoutCredential(text, sent, headers) };
  return provider.classify?.(failure) ?? classifyFailure(failure, request, provider.reading?.errorCodes);
}

/** The error for a response that is not a model's answer, such as a login page or a proxy's error page; null for any other. */
export function foreignAnswer(status: number, type: string): GatewayError | null {
  if (type !== 'text/html' && type !== 'application/xml' && type !== 'text/xml' && !/^(image|video|audio)\//.test(type)) return null;
  return new GatewayError(
    'upstream_invalid_response',
    'The vendor answered with something that is not an answer of a model; its address may be wrong.',
    { details: { status, contentType: type } },
  );
}

/** Throws for a response that is not a model's answer. */
export function refuseForeign(response: UpstreamResponse): void {
  const foreign = foreignAnswer(response.status, contentType(response.headers));
  if (foreign === null) return;
  response.release();
  throw foreign;
}
