/** Fits a request to the numbers that its vendor takes. What goes beyond is left out or shortened, with a warning. */
import { createHash } from 'node:crypto';
import type { ChatRequest } from '../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { RequestLimits } from '../types/request-limits.ts';
import type { EncodeTarget } from '../types/wire-format.ts';

type Changes = Record<string, Json>;

const identifiers = ['user', 'safety_identifier', 'prompt_cache_key'];

function functionName(value: Json | undefined): Json | undefined {
  if (!isJsonObject(value)) return undefined;
  const { type } = value;
  const described = typeof type === 'string' ? value[type] : undefined;
  return isJsonObject(described) ? described['name'] : value['name'];
}

/** The first tools, with the one that must be called. */
function fitTools(body: JsonObject, most: number, target: EncodeTarget, changes: Changes): void {
  const { tools } = body;
  if (!Array.isArray(tools) || tools.length <= most) return;
  const forced = functionName(body['tool_choice']);
  const kept = (tools as readonly Json[]).slice(0, most);
  const beyond = (tools as readonly Json[]).slice(most).find((tool) => forced !== undefined && functionName(tool) === forced);
  if (beyond !== undefined) kept[most - 1] = beyond;
  changes['tools'] = kept;
  target.warn(`${tools.length - most} tools left out: ${target.vendor} takes ${most}`);
}

function fitStops({ stop }: JsonObject, most: number, target: EncodeTarget, changes: Changes): void {
  if (!Array.isArray(stop) || stop.length <= most) return;
  changes['stop'] = stop.slice(0, most);
  target.warn(`${stop.length - most} stop sequences left out: ${target.vendor} takes ${most}`);
}

/** A digest still tells users apart. */
function fitIdentifiers(body: JsonObject, longest: number, target: EncodeTarget, changes: Changes): void {
  for (const field of identifiers) {
    const value = body[field];
    if (typeof value !== 'string' || value.length <= longest) continue;
    changes[field] = createHash('sha256').update(value).digest('hex').slice(0, longest);
    target.warn(`${field} sent as a digest: ${target.vendor} takes ${longest} characters`);
  }
}

/** A request for more than the model can write is refused by many vendors. */
function fitOutput(body: JsonObject, most: number, target: EncodeTarget, changes: Changes): void {
  for (const field of ['max_tokens', 'max_completion_tokens', 'max_output_tokens']) {
    const value = body[field];
    if (typeof value !== 'number' || value <= most) continue;
    changes[field] = most;
    target.warn(`${field} is ${most}: ${target.model} writes no more`);
  }
}

function fitMetadata(body: JsonObject, limit: NonNullable<RequestLimits['metadata']>, target: EncodeTarget, changes: Changes): void {
  const metadata = body['metadata'];
  if (!isJsonObject(metadata)) return;
  const pairs = Object.entries(metadata);
  const fitting = pairs.filter(([key, value]) => key.length <= limit.key && typeof value === 'string' && value.length <= limit.value);
  const kept = fitting.slice(0, limit.pairs);
  if (kept.length === pairs.length) return;
  changes['metadata'] = Object.fromEntries(kept);
  target.warn(`${pairs.length - kept.length} entries of metadata left out: ${target.vendor} takes ${limit.pairs} short texts`);
}

interface Numbers {
  readonly limits: RequestLimits | undefined;
  /** The most tokens of one answer, where known. */
  readonly maxOutput: number | undefined;
}

/** Null when everything fits. */
function changesFor(body: JsonObject, { limits = {}, maxOutput }: Numbers, target: EncodeTarget): Changes | null {
  const changes: Changes = {};
  if (maxOutput !== undefined) fitOutput(body, maxOutput, target, changes);
  if (limits.tools !== undefined) fitTools(body, limits.tools, target, changes);
  if (limits.stops !== undefined) fitStops(body, limits.stops, target, changes);
  if (limits.identifier !== undefined) fitIdentifiers(body, limits.identifier, target, changes);
  if (limits.metadata !== undefined) fitMetadata(body, limits.metadata, target, changes);
  return Object.keys(changes).length === 0 ? null : changes;
}

/** The same object when everything fits. */
export function fitLimits(request: ChatRequest, numbers: Numbers, target: EncodeTarget): ChatRequest {
  const changes = changesFor(request.body, numbers, target);
  if (changes === null) return request;
  const { raw: _stale, ...rest } = request;
  return { ...rest, body: { ...rest.body, ...changes } };
}

/** The same for a request in the vendor's own format, which goes as its caller wrote it otherwise. */
export function fitNativeLimits(request: ChatRequest, numbers: Numbers, target: EncodeTarget): ChatRequest {
  const { native } = request;
  const changes = native === undefined ? null : changesFor(native.body, numbers, target);
  return native === undefined || changes === null ? request : { ...request, native: { ...native, body: { ...native.body, ...changes } } };
}
