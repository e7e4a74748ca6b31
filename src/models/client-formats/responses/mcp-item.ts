/** Output items of server-side tools: a call with its output, and a pending approval. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { Json, JsonObject } from '../../../types/json.ts';
import { serverAndTool, serverToolOutput } from '../server-tool-events.ts';
import type { EventSink } from './event-sink.ts';

type Step = Extract<ChatEvent, { type: 'step' }>;

function head({ step, call }: Step): { readonly server_label: string; readonly name: string; readonly arguments: string } {
  const { server, name } = serverAndTool(step.capability);
  return { server_label: server, name, arguments: call === undefined || call.arguments === '' ? '{}' : call.arguments };
}

export class McpCallItem {
  readonly item: Record<string, Json | undefined>;
  readonly #sink: EventSink;
  readonly #place: { readonly item_id: string; readonly output_index: number };

  /** The arguments are complete when the call starts. */
  constructor(sink: EventSink, started: Step, id: string, outputIndex: number) {
    this.#sink = sink;
    this.#place = { item_id: id, output_index: outputIndex };
    const { arguments: given, ...names } = head(started);
    const begun: JsonObject = { id, type: 'mcp_call', status: 'in_progress', ...names, arguments: '' };
    const rest: JsonObject = { approval_request_id: started.call?.approval ?? null, output: null, error: null };
    sink('response.output_item.added', { output_index: outputIndex, item: { ...begun, ...rest } });
    sink('response.mcp_call.in_progress', this.#place);
    sink('response.mcp_call_arguments.delta', { ...this.#place, delta: given });
    sink('response.mcp_call_arguments.done', { ...this.#place, arguments: given });
    this.item = { ...begun, arguments: given, ...rest };
  }

  close({ step, call }: Step): void {
    const output = serverToolOutput(call?.output ?? '');
    const failed = step.status === 'failed';
    this.item['status'] = failed ? 'failed' : 'completed';
    if (failed) this.item['error'] = { type: 'mcp_tool_execution_error', content: [{ type: 'text', text: output }] };
    else this.item['output'] = output;
    this.#sink(`response.mcp_call.${failed ? 'failed' : 'completed'}`, this.#place);
    this.#sink('response.output_item.done', { output_index: this.#place.output_index, item: { ...this.item } });
  }
}

/** Emits the complete item. Its id is the one to decide by. */
export class McpApprovalItem {
  readonly item: JsonObject;

  constructor(sink: EventSink, asked: Step, outputIndex: number) {
    this.item = { id: asked.step.id, type: 'mcp_approval_request', ...head(asked) };
    sink('response.output_item.added', { output_index: outputIndex, item: this.item });
    sink('response.output_item.done', { output_index: outputIndex, item: this.item });
  }
}
