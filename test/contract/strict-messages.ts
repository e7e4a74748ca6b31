/** Checks the output contract of Anthropic's Messages: order of events, indexes, forms. Each function returns the violations. */

// oxlint-disable-next-line no-explicit-any -- checks look into bodies of every shape
type Loose = any;

const stopReasons: readonly unknown[] = [
  'end_turn',
  'max_tokens',
  'stop_sequence',
  'tool_use',
  'pause_turn',
  'refusal',
  'model_context_window_exceeded',
];
const deltaOf: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  tool_use: ['input_json_delta'],
  redacted_thinking: [],
  mcp_tool_use: ['input_json_delta'],
  mcp_tool_result: [],
};

/** The events of a stream, each with its name and data. */
export function messageEvents(text: string): { readonly name: string; readonly data: Loose }[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const [, name, data] = /^event: (\w+)\ndata: ([^\n]+)$/.exec(block) ?? [];
      if (name === undefined || data === undefined) throw new Error(`not one event: ${block}`);
      return { name, data: JSON.parse(data) };
    });
}

function checkUsage(usage: Loose): string[] {
  return Number.isInteger(usage?.input_tokens) && Number.isInteger(usage?.output_tokens) ? [] : ['usage lacks counts'];
}

function checkHead(message: Loose): string[] {
  const good =
    typeof message?.id === 'string' && message.type === 'message' && message.role === 'assistant' && typeof message.model === 'string';
  return good ? checkUsage(message.usage) : ['head is wrong'];
}

/** Checks a complete stream. */
export function checkMessageStream(text: string): string[] {
  const events = messageEvents(text);
  const wrong: string[] = [];
  const [first] = events;
  if (first?.name !== 'message_start' || first.data.message.content.length > 0 || first.data.message.stop_reason !== null)
    wrong.push('no empty message_start at the beginning');
  wrong.push(...checkHead(first?.data.message));
  if (events.at(-1)?.name !== 'message_stop' || events.at(-2)?.name !== 'message_delta')
    wrong.push('message_delta and message_stop are not the end');
  let open: Loose = null;
  let next = 0;
  let input = '';
  let tools = 0;
  events.forEach(({ name, data }, position) => {
    const where = `event ${position}`;
    if (data.type !== name) wrong.push(`${where}: name and type differ`);
    if (name === 'content_block_start') {
      if (open !== null) wrong.push(`${where}: a block opens in another`);
      if (data.index !== next) wrong.push(`${where}: index ${data.index} is not the next`);
      next++;
      open = data.content_block;
      input = '';
      if (open.type === 'tool_use') {
        tools++;
        if (!open.id || !open.name || JSON.stringify(open.input) !== '{}') wrong.push(`${where}: tool without id, name or empty input`);
      }
    } else if (name === 'content_block_delta') {
      if (open === null || data.index !== next - 1) wrong.push(`${where}: a delta of no open block`);
      else if (deltaOf[open.type]?.includes(data.delta.type) === false) wrong.push(`${where}: ${data.delta.type} in ${open.type}`);
      if (data.delta.type === 'input_json_delta') input += data.delta.partial_json;
    } else if (name === 'content_block_stop') {
      if (open === null || data.index !== next - 1) wrong.push(`${where}: nothing to stop`);
      open = null;
      if (input !== '') JSON.parse(input);
    } else if (name === 'message_delta') {
      if (open !== null) wrong.push(`${where}: the end within a block`);
      if (!stopReasons.includes(data.delta.stop_reason)) wrong.push(`${where}: stop reason ${data.delta.stop_reason}`);
      if (tools > 0 && data.delta.stop_reason === 'end_turn') wrong.push(`${where}: tools, yet end_turn`);
      wrong.push(...checkUsage(data.usage));
    } else if (name === 'error') wrong.push(`${where}: an error`);
  });
  return wrong;
}

/** Checks a whole message as parsed JSON. */
export function checkMessage(message: Loose): string[] {
  const wrong = checkHead(message);
  if (!stopReasons.includes(message.stop_reason)) wrong.push('stop reason');
  if (!Array.isArray(message.content)) return [...wrong, 'no content'];
  message.content.forEach((block: Loose, index: number) => {
    if (block.type === 'text' && typeof block.text !== 'string') wrong.push(`block ${index}: text`);
    if (block.type === 'tool_use' && (!block.id || !block.name || typeof block.input !== 'object')) wrong.push(`block ${index}: tool`);
    if (block.type === 'thinking' && (typeof block.thinking !== 'string' || typeof block.signature !== 'string'))
      wrong.push(`block ${index}: thinking`);
  });
  return wrong;
}
