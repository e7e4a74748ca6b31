/** The caller's request in its original form, for vendors of the same format. */
import type { ChatRequest } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { decodeReasoning, isEncodedReasoning } from '../encoded-reasoning.ts';
import { contextOf } from './compaction.ts';
import { responseOfItem } from './ids.ts';
import { isElsewhere, serverByAddress } from './offered-tools.ts';

/** Fields that Pailou itself answers: nothing is stored at the vendor. */
const own: ReadonlySet<string> = new Set(['model', 'previous_response_id', 'store', 'background', 'stream']);

/** Items and tools of servers that Pailou calls. No vendor knows them. */
const ofPailou: ReadonlySet<unknown> = new Set([
  'mcp',
  'skill',
  'mcp_call',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
]);

/** Headers that change how a vendor reads the body. */
const headerNames = ['openai-beta', 'x-openai-internal-codex-responses-lite'] as const;
const headerValue = /^[\w=.,; -]{1,200}$/;

/** Items whose id the format requires. */
const named: ReadonlySet<unknown> = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'computer_call',
  'local_shell_call',
]);

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** The reasoning of this vendor within an item that Pailou encoded. That of other vendors is left out, and so is reasoning without its encrypted form, which only a stored response has. */
function reasoningOf(item: JsonObject): readonly JsonObject[] {
  const { encrypted_content: data, summary, content } = item;
  if (typeof data !== 'string' || data === '') return [];
  if (!isEncodedReasoning(data)) return [item];
  const texts = [...listOf(summary), ...listOf(content)].flatMap((part) =>
    isJsonObject(part) && typeof part['text'] === 'string' ? [{ type: 'summary_text', text: part['text'] }] : [],
  );
  return listOf(decodeReasoning(data)?.['details']).flatMap((detail, index) => {
    if (!isJsonObject(detail) || detail['format'] !== 'openai-responses' || typeof detail['data'] !== 'string') return [];
    const id = detail['item'];
    return [
      {
        type: 'reasoning',
        ...(typeof id === 'string' ? { id } : {}),
        summary: index === 0 ? texts : [],
        encrypted_content: detail['data'],
      },
    ];
  });
}

function nativeItem(item: Json): readonly Json[] {
  if (!isJsonObject(item)) return [item];
  const { type, id } = item;
  if (type === 'reasoning') return reasoningOf(item);
  const summary = typeof type === 'string' ? contextOf(item, type) : undefined;
  if (summary !== undefined) return [{ role: 'user', content: summary }];
  // An id of Pailou is unknown at the vendor.
  if (typeof id !== 'string' || responseOfItem(id) === undefined || named.has(type)) return [item];
  const { id: _own, ...rest } = item;
  return [rest];
}

function headersOf(given: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of headerNames) {
    const value = given[name];
    if (typeof value === 'string' && headerValue.test(value)) headers[name] = value;
  }
  return headers;
}

/** `earlier`: the messages before the input, in chat-completions form. Undefined when the request has tools or items of Pailou. */
export function nativeRequest(
  body: JsonObject,
  earlier: readonly JsonObject[],
  features: ReadonlySet<string>,
  headers: Readonly<Record<string, unknown>>,
): ChatRequest['native'] {
  const items = listOf(body['input']);
  const given = listOf(body['tools']);
  const tools = given.filter((tool) => !isJsonObject(tool) || tool['type'] !== 'mcp' || !isElsewhere(tool));
  const isOurs = (each: Json): boolean => isJsonObject(each) && ofPailou.has(each['type']);
  if (items.some(isOurs) || tools.some(isOurs)) return undefined;
  const rest: Record<string, Json> = {};
  for (const [field, value] of Object.entries(body)) if (value !== undefined && value !== null && !own.has(field)) rest[field] = value;
  if (Array.isArray(body['input'])) rest['input'] = items.flatMap(nativeItem);
  const hasAddresses = tools.length < given.length;
  if (hasAddresses) rest['tools'] = tools;
  return {
    format: 'openai-responses',
    body: rest,
    earlier,
    features: [...features],
    headers: headersOf(headers),
    ...(hasAddresses ? { leftOut: [`the tool ${serverByAddress}`] } : {}),
  };
}
