/** Reads a vendor's error from its many shapes, and decides how much of it may be shown. */
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';

export interface VendorError {
  /** The vendor's own code, in lower case; empty without one. */
  readonly code: string;
  readonly type: string;
  readonly message: string;
  readonly param: string | null;
  /** An HTTP status within the body, when the status line says less. */
  readonly status: number | null;
  /** The delay that the body states. */
  readonly retryAfterSeconds?: number;
  /** The model's output that the vendor could not use. */
  readonly failedGeneration?: string;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

const units: Readonly<Record<string, number>> = { ms: 0.001, millisecond: 0.001, s: 1, sec: 1, second: 1, m: 60, min: 60, minute: 60 };

/** The delay in a body: a field, Google's RetryInfo (`"retryDelay": "34.4s"`), or words such as "try again in 1.5s". */
function retryAfterIn(error: JsonObject, message: string): number | undefined {
  const field = error['retry_after'] ?? error['retry_after_seconds'];
  if (typeof field === 'number' && field >= 0) return field;
  const details = Array.isArray(error['details']) ? (error['details'] as readonly Json[]) : [];
  const delay = details.filter(isJsonObject).find((each) => typeof each['retryDelay'] === 'string')?.['retryDelay'];
  const text = typeof delay === 'string' ? delay : /\b(?:try again|retry) (?:in|after) ([\d.]+ ?[a-z]+)/i.exec(message)?.[1];
  const parts = /^([\d.]+) ?([a-z]+)$/i.exec(text ?? '');
  const unit = units[(parts?.[2] ?? '').toLowerCase().replace(/(?<=[a-z]{2})s$/, '')];
  const amount = Number(parts?.[1]);
  return unit === undefined || !Number.isFinite(amount) ? undefined : amount * unit;
}

function fromObject(error: JsonObject): VendorError {
  const numbers = [error['code'], error['status_code'], error['http_code'], error['status']];
  const status = numbers.find((each) => typeof each === 'number' && each >= 400 && each < 600);
  const given = error['message'] ?? error['msg'] ?? error['detail'] ?? error['status_msg'];
  const message = typeof given === 'string' ? given : given === undefined ? '' : JSON.stringify(given);
  const retryAfterSeconds = retryAfterIn(error, message);
  return {
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    code: textOf(error['code'] ?? error['status_code']).toLowerCase(),
    type: textOf(error['type'] ?? error['status']).toLowerCase(),
    message,
    param: typeof error['param'] === 'string' ? error['param'] : null,
    status: typeof status === 'number' ? status : null,
    ...(typeof error['failed_generation'] === 'string' ? { failedGeneration: error['failed_generation'] } : {}),
  };
}

/** The error in a body that has the form of one. An error response always has one; see `readFailure`. */
export function findVendorError(body: JsonObject): VendorError | null {
  const error = body['error'];
  if (isJsonObject(error)) return Object.keys(error).length === 0 ? null : fromObject(error);
  if (typeof error === 'string' && error !== '') return { ...fromObject(body), message: error };
  const base = body['base_resp'];
  if (isJsonObject(base) && base['status_code'] !== undefined && base['status_code'] !== 0) return fromObject(base);
  if (Array.isArray(body['choices']) || Array.isArray(body['data'])) return null;
  const hasCode = (typeof body['code'] === 'string' && body['code'] !== '') || (typeof body['code'] === 'number' && body['code'] !== 0);
  const hasMessage = typeof body['message'] === 'string' || typeof body['msg'] === 'string';
  if (body['object'] === 'error' || body['type'] === 'error' || body['success'] === false || (hasCode && hasMessage))
    return fromObject(body);
  return null;
}

/** The data of the first event, when a vendor sends an error as a stream (DashScope); undefined for another body. */
function eventDataIn(text: string): string | undefined {
  if (!/^(?:\ufeff?\s*)(?:id|event|data|retry|):/.test(text)) return undefined;
  return text.split(/\r?\n/).flatMap((line) => /^data: ?(.*)$/.exec(line)?.slice(1) ?? [])[0];
}

/** The error in the body of a response with an error status. */
export function readFailure(text: string): VendorError {
  const nothing: VendorError = { code: '', type: '', message: text, param: null, status: null };
  try {
    const parsed: unknown = JSON.parse((eventDataIn(text) ?? text).replace(/^\ufeff/, ''));
    const body: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
    if (isJsonObject(body)) return findVendorError(body) ?? fromObject(body);
  } catch {
    // A plain sentence or a proxy's page is the message.
  }
  return nothing;
}

/** `text` without possible credentials, for operators. At most 1000 characters. */
export function withoutSecrets(text: string): string {
  return text
    .slice(0, 1000)
    .replace(/\b(bearer)\s+\S+/gi, '$1 [hidden]')
    .replace(/\b(?:sk|pk|ak|rk|key|gsk|xai|pplx|AIza)[-_]?[A-Za-z0-9*_-]{8,}/g, '[hidden]')
    .replace(/\b(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{28,}\b/gi, '[hidden]')
    .replace(/[A-Za-z0-9+/_=.-]{40,}/g, '[hidden]');
}

/** Headers of a provider that are not secret. */
const plainHeaders = /^(?:accept|content-|host$|user-agent$)|version|date|beta/i;
/** Shorter values occur in ordinary text. */
const shortestSecret = 8;

/** `text` without the credential in the headers `sent`, because some vendors repeat it in their errors. `given`: the headers without the credential. */
export function withoutCredential(text: string, sent: Readonly<Record<string, string>>, given: Readonly<Record<string, string>>): string {
  let left = text;
  for (const [name, value] of Object.entries(sent)) {
    if (given[name] === value || plainHeaders.test(name)) continue;
    const secret = value.slice(value.lastIndexOf(' ') + 1);
    if (secret.length < shortestSecret) continue;
    for (const spelling of new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]))
      left = left.replaceAll(spelling, '[hidden]');
  }
  return left;
}

/**
 * The vendor's message as it may be shown to the caller: without links, keys, accounts, request ids, addresses and markup. Used only for
 * faults of the caller's own request (400, 413, 422 and similar), because a developer cannot fix it otherwise. Any other vendor text
 * stays in `details`.
 */
export function publicMessage(text: string): string {
  if (/<[a-z!/][^>]*>/i.test(text)) return '';
  return withoutSecrets(text)
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, '[link]')
    .replace(/\b(?:org|proj|user|acct|account|req|request|workspace|sess|ws)[-_][A-Za-z0-9_-]{6,}/gi, '[hidden]')
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{20,}\b/gi, '[hidden]')
    .replace(/\b[\w.+-]+@[\w-]+\.[\w.-]+/g, '[hidden]')
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '[hidden]')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 400);
}
