/** Converts input items to messages: the model's output of one turn becomes one assistant message. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { imageDataUrl } from '../../answer-images.ts';
import { decodeReasoning } from '../encoded-reasoning.ts';
import { contextOf } from './compaction.ts';
import { type ClientRunTool, toolOfCall, toolOfOutput } from './client-run-tools.ts';
import { approvedCallId, serverToolCall, serverToolCallId, serverToolResult, textOfParts } from '../server-tool-events.ts';
import { OfferedTools } from './offered-tools.ts';
import { invalid, typeName } from './request-errors.ts';
import { type ContentLosses, readContent, readOutput, textIn } from './parts.ts';

type Message = Record<string, Json | undefined>;

function text(item: JsonObject, field: string, path: string): string {
  const value = item[field];
  if (typeof value !== 'string' || value === '') throw invalid(`${path}.${field}`, 'is missing or not a text.');
  return value;
}

/** The result of a server-side call in an earlier answer, as the model read it. */
function outputOf({ output, error }: JsonObject): string {
  if (typeof output === 'string') return output;
  if (typeof error === 'string') return error;
  const message = isJsonObject(error) ? textOfParts(error['content']) || textOfParts(error['message']) : '';
  return message || 'The call was cut off; nothing is known of its result.';
}

function conversationId(item: JsonObject, path: string): string {
  const { approval_request_id: approval } = item;
  return typeof approval === 'string' && approval !== '' ? approvedCallId(approval) : serverToolCallId(text(item, 'id', path));
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** What the items of an input refer to. */
export interface InputContext extends ContentLosses {
  /** Ids of the approval requests that this input decides. */
  readonly open: ReadonlySet<string>;
  /** Earlier items, which may hold the approval requests. */
  readonly before: readonly JsonObject[];
  /** The tools of the request, by which earlier calls are named. */
  readonly offered: OfferedTools;
}

const emptyContext: InputContext = { open: new Set(), before: [], offered: new OfferedTools(), leaveOut: () => {}, demand: () => {} };

/** The arguments of a call as JSON. */
function argumentsOf({ arguments: args }: JsonObject): string {
  if (typeof args === 'string') return args;
  return isJsonObject(args) ? JSON.stringify(args) : '{}';
}

function namespaceOf({ namespace }: JsonObject): string | undefined {
  return typeof namespace === 'string' && namespace !== '' ? namespace : undefined;
}

class Conversation {
  readonly messages: JsonObject[] = [];
  /** The assistant turn under construction. */
  #turn: Message | null = null;
  /** Results of server-side calls in it. */
  #results: JsonObject[] = [];
  /** True while the caller's own tool calls await results. */
  #isOpen = false;
  readonly #context: InputContext;
  readonly #nameFor = (namespace: string | undefined, name: string): string => this.#context.offered.nameFor(namespace, name);
  readonly #approvalRequests = new Map<unknown, JsonObject>();

  constructor(context: InputContext) {
    this.#context = context;
    for (const item of context.before) if (item['type'] === 'mcp_approval_request') this.#approvalRequests.set(item['id'], item);
  }

  add(item: JsonObject, path: string): void {
    const type = item['type'] ?? (item['role'] === undefined ? undefined : 'message');
    switch (type) {
      case 'message':
        this.#addMessage(item, path);
        return;
      case 'reasoning':
        this.#addReasoning(item);
        return;
      case 'function_call':
        this.#addCall({
          id: text(item, 'call_id', path),
          type: 'function',
          function: { name: this.#nameOf(item, path), arguments: argumentsOf(item) },
        });
        return;
      case 'custom_tool_call':
        this.#addCall({
          id: text(item, 'call_id', path),
          type: 'custom',
          custom: { name: this.#nameOf(item, path), input: typeof item['input'] === 'string' ? item['input'] : '' },
        });
        return;
      case 'function_call_output':
      case 'custom_tool_call_output':
        this.#addResult(text(item, 'call_id', path), readOutput(item['output'], `${path}.output`, this.#context));
        return;
      case 'image_generation_call':
        if (typeof item['result'] === 'string') this.#addImage(item, path);
        return;
      case 'mcp_call':
        this.#serverToolCall(item, conversationId(item, path), outputOf(item), path);
        return;
      case 'mcp_approval_request':
        this.#approvalRequests.set(item['id'], item);
        return;
      case 'mcp_approval_response':
        this.#decision(item, path);
        break;
      // A message of another agent of the client.
      case 'agent_message':
        this.end();
        this.messages.push({ role: 'user', content: readContent(item['content'], `${path}.content`, '', this.#context) });
        break;
      // Each request lists its tools itself. The rest is read with the whole request.
      case 'mcp_list_tools':
      case 'additional_tools':
      case 'configuration_update':
      case 'compaction_trigger':
        break;
      default:
        this.#addOther(item, type, path);
    }
  }

  /** Calls and results of tools that the client runs, compacted conversations, and what only OpenAI's own service can read. */
  #addOther(item: JsonObject, type: Json | undefined, path: string): void {
    if (typeof type !== 'string') throw invalid(path, 'must be an item with a type, or a message with a role.');
    if (item['role'] !== undefined) throw invalid(`${path}.type`, `${typeName(type)} is no type of message.`);
    const called = toolOfCall(type);
    const answered = toolOfOutput(type);
    const context = contextOf(item, type);
    if (context !== undefined) {
      this.end();
      this.messages.push({ role: 'user', content: context });
    } else if (called !== undefined && item['call_id'] !== null) this.#addClientRun(called, item, path);
    else if (answered !== undefined && item['call_id'] !== null) {
      const content = readOutput(answered.readOutput(item, this.#nameFor), `${path}.output`, this.#context);
      // Older clients repeat the id of the call as the id of the item.
      this.#addResult(text(item, typeof item['call_id'] === 'string' ? 'call_id' : 'id', path), content);
    } else this.#context.leaveOut(`the item ${typeName(type)}`);
  }

  #addClientRun(tool: ClientRunTool, item: JsonObject, path: string): void {
    const name = this.#context.offered.nameForRun(tool);
    const given = JSON.stringify(tool.readCall(item));
    this.#addCall({ id: text(item, 'call_id', path), type: 'function', function: { name, arguments: given } });
  }

  #addResult(call: string, content: Json): void {
    this.end();
    this.messages.push({ role: 'tool', tool_call_id: call, content });
  }

  #nameOf(item: JsonObject, path: string): string {
    return this.#nameFor(namespaceOf(item), text(item, 'name', path));
  }

  end(): void {
    // Vendors refuse an assistant message without content. Reasoning alone is left of a turn that was cut off.
    if (this.#turn !== null && (this.#turn['content'] !== null || this.#turn['tool_calls'] !== undefined)) this.messages.push(this.#turn);
    this.messages.push(...this.#results);
    this.#turn = null;
    this.#results = [];
    this.#isOpen = false;
  }

  /** Output after tool results belongs to the next round. */
  #startNextRound(): void {
    if (this.#results.length > 0 && !this.#isOpen) this.end();
  }

  #serverToolCall(item: JsonObject, id: string, result: string, path: string): void {
    const turn = this.#assistant();
    const args = typeof item['arguments'] === 'string' ? item['arguments'] : '';
    const call = serverToolCall(id, text(item, 'server_label', path), text(item, 'name', path), args);
    turn['tool_calls'] = [...list(turn['tool_calls']), call];
    this.#results.push(serverToolResult(id, result));
  }

  /** An approval needs no result here: its call follows as an item. A refusal becomes the result. */
  #decision({ approval_request_id: id, approve }: JsonObject, path: string): void {
    const question = this.#approvalRequests.get(id);
    if (typeof id !== 'string' || question === undefined || approve !== false || this.#context.open.has(id)) return;
    this.#serverToolCall(question, approvedCallId(id), 'The person did not allow this call.', path);
  }

  #assistant(): Message {
    this.#turn ??= { role: 'assistant', content: null };
    return this.#turn;
  }

  #addMessage(item: JsonObject, path: string): void {
    const { role } = item;
    if (role === 'assistant') {
      this.#addText(readContent(item['content'] ?? '', `${path}.content`, '', this.#context));
      return;
    }
    this.end();
    const content = readContent(item['content'], `${path}.content`, '\n\n', this.#context);
    if (role === 'user') this.messages.push({ role: 'user', content });
    // Not every vendor knows the role `developer`.
    else if (role === 'system' || role === 'developer') this.messages.push({ role: 'system', content });
    else throw invalid(`${path}.role`, 'must be user, assistant, system or developer.');
  }

  #addText(content: Json): void {
    this.#startNextRound();
    const args = this.#turn?.['content'];
    // A text after a text is a new message. A text after a call stays in its message, because results must follow the calls.
    if (typeof args === 'string' && this.#turn?.['tool_calls'] === undefined) this.end();
    const turn = this.#assistant();
    const parts: readonly Json[] = typeof content === 'string' ? [{ type: 'text', text: content }] : list(content);
    const refusal = parts.map((part) => (isJsonObject(part) && typeof part['refusal'] === 'string' ? part['refusal'] : '')).join('');
    const textContent = textIn(parts.filter((part) => isJsonObject(part) && part['type'] === 'text'));
    turn['content'] = typeof turn['content'] === 'string' ? `${turn['content']}\n\n${textContent}` : textContent;
    if (refusal !== '') turn['refusal'] = refusal;
  }

  #addCall(call: JsonObject): void {
    this.#startNextRound();
    this.#isOpen = true;
    const turn = this.#assistant();
    turn['tool_calls'] = [...list(turn['tool_calls']), call];
  }

  /** A picture of an earlier answer, as part of the assistant's message. */
  #addImage(item: JsonObject, path: string): void {
    this.#startNextRound();
    const format = typeof item['output_format'] === 'string' ? `image/${item['output_format']}` : undefined;
    const image = { type: 'image_url', image_url: { url: imageDataUrl(text(item, 'result', path), format) } };
    const turn = this.#assistant();
    turn['images'] = [...list(turn['images']), image];
    turn['content'] ??= '';
  }

  #addReasoning(item: JsonObject): void {
    this.#startNextRound();
    if (this.#turn !== null && this.#turn['tool_calls'] === undefined && this.#turn['content'] !== null) this.end();
    const turn = this.#assistant();
    const reasoning = textIn(item['content']) || textIn(item['summary']);
    if (reasoning !== '') {
      const earlier = turn['reasoning_content'];
      turn['reasoning_content'] = typeof earlier === 'string' ? `${earlier}\n\n${reasoning}` : reasoning;
    }
    const encoded = typeof item['encrypted_content'] === 'string' ? decodeReasoning(item['encrypted_content']) : undefined;
    const details = list(encoded?.['details']);
    if (details.length > 0) turn['reasoning_details'] = [...list(turn['reasoning_details']), ...details];
  }
}

/** The messages of `input`. References must be resolved before. Throws a fault naming the item. */
export function readItems(input: Json | undefined, context: Partial<InputContext> = {}): JsonObject[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  const conversation = new Conversation({ ...emptyContext, ...context });
  list(input).forEach((item, index) => {
    if (!isJsonObject(item)) throw invalid(`input[${index}]`, 'must be an object.');
    conversation.add(item, `input[${index}]`);
  });
  conversation.end();
  return conversation.messages;
}
