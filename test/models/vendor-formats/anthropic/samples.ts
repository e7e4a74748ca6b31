/** Events of Anthropic's streams, as small as they can be. */

export type Data = Record<string, unknown>;

/** The events as server-sent ones, each named as Anthropic names it. */
export function frame(...events: readonly Data[]): string {
  return events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

export function started(usage: Data = { input_tokens: 10, output_tokens: 1 }, id = 'msg_1'): Data {
  const message = { id, type: 'message', role: 'assistant', model: 'claude-x', content: [], stop_reason: null, stop_sequence: null, usage };
  return { type: 'message_start', message };
}

export const open = (index: number, content_block: Data): Data => ({ type: 'content_block_start', index, content_block });
export const delta = (index: number, change: Data): Data => ({ type: 'content_block_delta', index, delta: change });
export const close = (index: number): Data => ({ type: 'content_block_stop', index });
export const ping: Data = { type: 'ping' };
export const stopped: Data = { type: 'message_stop' };

export function ending(stop_reason: string | null, usage: Data = { output_tokens: 5 }, more: Data = {}): Data {
  return { type: 'message_delta', delta: { stop_reason, stop_sequence: null, ...more }, usage };
}

/** A block of text in pieces. */
export function says(index: number, ...pieces: readonly string[]): Data[] {
  return [open(index, { type: 'text', text: '' }), ...pieces.map((text) => delta(index, { type: 'text_delta', text })), close(index)];
}

/** A call of a tool, its arguments in pieces. */
export function calls(index: number, id: string, name: string, ...pieces: readonly string[]): Data[] {
  return [
    open(index, { type: 'tool_use', id, name, input: {} }),
    ...pieces.map((partial_json) => delta(index, { type: 'input_json_delta', partial_json })),
    close(index),
  ];
}

/** A thought in pieces, signed. */
export function thinks(index: number, signature: string, ...pieces: readonly string[]): Data[] {
  return [
    open(index, { type: 'thinking', thinking: '', signature: '' }),
    ...pieces.map((thinking) => delta(index, { type: 'thinking_delta', thinking })),
    delta(index, { type: 'signature_delta', signature }),
    close(index),
  ];
}
