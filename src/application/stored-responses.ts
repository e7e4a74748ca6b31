/** Resolves what a call of /v1/responses continues: an earlier response, and earlier items that the input refers to. */
import { responseOfItem } from '../models/client-formats/responses/ids.ts';
import { type Earlier, itemReferences, withItems } from '../models/client-formats/responses/request.ts';
import type { ResponseStore, StoredResponse } from '../storage/response-store.ts';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { Caller } from './caller.ts';

function switchedOff(param: string): GatewayError {
  return new GatewayError(
    'unsupported_parameter',
    `${param}: this gateway does not store responses (PAILOU_RESPONSES_STORE=off). Send the whole conversation as input, with store: false.`,
    { param },
  );
}

/** OpenAI's message. The same for an unknown id and for another caller's id. */
export function responseNotFound(id: string): GatewayError {
  return new GatewayError('not_found', `Response with id '${id.slice(0, 200)}' not found.`, { param: 'response_id' });
}

async function previous(store: ResponseStore | null, caller: Caller, id: string): Promise<StoredResponse> {
  if (store === null) throw switchedOff('previous_response_id');
  const found = await store.get(caller.principal, id);
  if (found !== null) return found;
  throw new GatewayError('not_found', `Previous response with id '${id}' not found.`, { param: 'previous_response_id' });
}

function itemIn(stored: StoredResponse | null, id: string): JsonObject | undefined {
  const output = stored?.response['output'];
  if (!Array.isArray(output)) return undefined;
  return (output as readonly Json[]).filter(isJsonObject).find((item) => item['id'] === id);
}

async function resolveItems(store: ResponseStore | null, caller: Caller, body: JsonObject): Promise<JsonObject> {
  const references = itemReferences(body);
  if (references.length === 0) return body;
  const stored = new Map<string, Promise<StoredResponse | null>>();
  const items = new Map<number, JsonObject>();
  for (const { index, id } of references) {
    const param = `input[${index}].id`;
    if (store === null) throw switchedOff(param);
    const response = responseOfItem(id);
    if (response !== undefined && !stored.has(response)) stored.set(response, store.get(caller.principal, response));
    const item = response === undefined ? undefined : itemIn((await stored.get(response)) ?? null, id);
    if (item === undefined) {
      throw new GatewayError(
        'not_found',
        `Item with id '${id.slice(0, 200)}' not found. Items are not persisted when \`store\` is set to false; send the item itself.`,
        { param },
      );
    }
    items.set(index, item);
  }
  return withItems(body, items);
}

/** The body with referenced items and the earlier conversation inserted. */
export async function resolveEarlier(
  store: ResponseStore | null,
  caller: Caller,
  body: JsonObject,
): Promise<Earlier & { readonly body: JsonObject }> {
  const id = body['previous_response_id'];
  const found = typeof id === 'string' && id !== '' ? await previous(store, caller, id) : null;
  const output = found?.response['output'];
  const items = Array.isArray(output) ? (output as readonly Json[]).filter(isJsonObject) : [];
  return { body: await resolveItems(store, caller, body), messages: found?.messages ?? [], items };
}
