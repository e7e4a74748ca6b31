/** Checks the output contract of OpenAI's Responses: order of events, numbers, forms. Each function returns the violations. */

// oxlint-disable-next-line no-explicit-any -- checks look into bodies of every shape
type Loose = any;

/** The events of a stream, each with its data. */
export function responseEvents(text: string): Loose[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const [, name, data] = /^event: ([\w.]+)\ndata: ([^\n]+)$/.exec(block) ?? [];
      if (name === undefined || data === undefined) throw new Error(`not one event: ${block}`);
      const parsed = JSON.parse(data);
      if (parsed.type !== name) throw new Error(`name and type differ: ${block}`);
      return parsed;
    });
}

/** Checks a whole response as parsed JSON. */
export function checkResponse(response: Loose): string[] {
  const wrong: string[] = [];
  if (!/^resp_[0-9a-f]{32}$/.test(response?.id) || response.object !== 'response' || !Number.isInteger(response.created_at))
    wrong.push('head is wrong');
  for (const key of [
    'error',
    'incomplete_details',
    'instructions',
    'metadata',
    'parallel_tool_calls',
    'temperature',
    'tool_choice',
    'tools',
    'top_p',
  ]) {
    if (response[key] === undefined) wrong.push(`${key} is missing`);
  }
  if (!['completed', 'incomplete'].includes(response.status)) wrong.push(`status ${response.status}`);
  if ((response.status === 'incomplete') !== (response.incomplete_details !== null)) wrong.push('incomplete_details');
  const { usage } = response;
  if (!Number.isInteger(usage?.input_tokens) || usage.input_tokens + usage.output_tokens !== usage.total_tokens) wrong.push('usage');
  if (!Number.isInteger(usage?.input_tokens_details?.cached_tokens) || !Number.isInteger(usage?.output_tokens_details?.reasoning_tokens))
    wrong.push('details of usage');
  const ids = new Set<string>();
  for (const item of response.output) {
    if (ids.has(item.id)) wrong.push(`${item.id} twice`);
    ids.add(item.id);
    wrong.push(...checkItem(item, response.status));
  }
  return wrong;
}

function checkItem(item: Loose, status: string): string[] {
  const where = item.id;
  if (item.type === 'mcp_approval_request')
    return /^apr_[0-9a-f]{36}$/.test(item.id) && item.server_label && item.name && JSON.parse(item.arguments) ? [] : [`${where}: question`];
  if (item.type === 'mcp_call') return checkMcpCall(item);
  if (!/^(msg|rs|fc|ctc)_[0-9a-f]{36}$/.test(item.id)) return [`${where}: id`];
  if (item.status !== 'completed' && status === 'completed') return [`${where}: status ${item.status}`];
  if (item.type === 'message') {
    const good =
      item.role === 'assistant' && item.content.every((part: Loose) => part.type === 'refusal' || Array.isArray(part.annotations));
    return good ? [] : [`${where}: message`];
  }
  if (item.type === 'reasoning') return Array.isArray(item.summary) ? [] : [`${where}: reasoning`];
  if (item.type === 'function_call') {
    if (!item.call_id || !item.name) return [`${where}: call without id or name`];
    if (status === 'completed') JSON.parse(item.arguments);
    return [];
  }
  return item.type === 'custom_tool_call' && typeof item.input === 'string' ? [] : [`${where}: type ${item.type}`];
}

function checkMcpCall(item: Loose): string[] {
  const named = /^mcp_[0-9a-f]{36}$/.test(item.id) && item.server_label && item.name && typeof item.arguments === 'string';
  const ended =
    (item.status === 'completed' && typeof item.output === 'string' && item.error === null) ||
    (item.status === 'failed' && item.output === null && item.error.type === 'mcp_tool_execution_error');
  return named && ended ? [] : [`${item.id}: call of a server`];
}

/** Checks a complete stream. Its events together must equal the response in its last event. */
export function checkResponseStream(text: string): string[] {
  const events = responseEvents(text);
  const wrong: string[] = [];
  events.forEach((event, position) => {
    if (event.sequence_number !== position) wrong.push(`event ${position}: sequence_number ${event.sequence_number}`);
  });
  if (events[0]?.type !== 'response.created' || events[1]?.type !== 'response.in_progress')
    wrong.push('no created and in_progress at the beginning');
  const last = events.at(-1);
  if (last?.type !== `response.${last?.response?.status}`) wrong.push('the last event is not the end');
  wrong.push(...checkResponse(last?.response ?? {}));
  const open = new Map<number, { item: Loose; parts: number; delta: string }>();
  const done: Loose[] = [];
  for (const event of events) {
    const { type, output_index: index } = event;
    const where = `event ${event.sequence_number}`;
    if (type === 'response.output_item.added') {
      if (index !== open.size + done.filter(Boolean).length) wrong.push(`${where}: index ${index} is not the next`);
      open.set(index, { item: event.item, parts: 0, delta: '' });
      continue;
    }
    if (index === undefined) continue;
    const state = open.get(index);
    if (state === undefined) {
      wrong.push(`${where}: ${type} of no open item`);
      continue;
    }
    if (event.item_id !== undefined && event.item_id !== state.item.id) wrong.push(`${where}: item_id`);
    if (type === 'response.content_part.added') state.parts++;
    if (event.content_index !== undefined && event.content_index !== state.parts - 1) wrong.push(`${where}: content_index`);
    if (type.endsWith('part.added')) state.delta = '';
    else if (type.endsWith('.delta')) state.delta += event.delta;
    else if (type === 'response.output_item.done') {
      open.delete(index);
      done[index] = event.item;
    } else if (type.endsWith('.done') && !type.endsWith('part.done')) {
      const whole = event.text ?? event.refusal ?? event.arguments ?? event.input;
      if (whole !== state.delta) wrong.push(`${where}: ${type} differs from its deltas`);
    }
  }
  if (open.size > 0) wrong.push('an item stays open');
  if (JSON.stringify(done) !== JSON.stringify(last?.response?.output)) wrong.push('the items differ from those of the whole response');
  return wrong;
}
