/** Checks the output contract of chat completions: field forms and order rules. Each function returns the violations. */

interface Delta {
  role?: unknown;
  content?: unknown;
  tool_calls?: { index: unknown; id?: unknown; type?: unknown; function?: { name?: unknown; arguments?: unknown } }[];
}
interface Chunk {
  id: unknown;
  object: unknown;
  created: unknown;
  model: unknown;
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number } | null;
  system_fingerprint?: unknown;
  choices: { index: number; delta: Delta; finish_reason: unknown; logprobs: unknown }[];
}

const finishReasons: readonly unknown[] = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'];

/** The data of each event of a stream. */
export function eventData(text: string): string[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      if (!block.startsWith('data: ') || block.includes('\n')) throw new Error(`not one data line: ${block}`);
      return block.slice(6);
    });
}

export function streamChunks(text: string): Chunk[] {
  return eventData(text)
    .filter((data) => data !== '[DONE]')
    .map((data) => JSON.parse(data) as Chunk);
}

function checkUsage(usage: Chunk['usage']): string[] {
  if (usage === undefined || usage === null) return ['usage is not an object'];
  const counts = [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens];
  if (!counts.every(Number.isInteger)) return ['usage counts are not whole numbers'];
  return usage.prompt_tokens + usage.completion_tokens === usage.total_tokens ? [] : ['usage total is not the sum'];
}

class ChoiceCheck {
  role = 0;
  finish: unknown = null;
  readonly calls = new Map<unknown, string>();
}

function checkDelta(delta: Delta, state: ChoiceCheck, where: string): string[] {
  const wrong: string[] = [];
  if (delta.role !== undefined) state.role++;
  if (state.role === 0) wrong.push(`${where}: no role at the start`);
  if (state.role > 1) wrong.push(`${where}: role again`);
  if (state.finish !== null) wrong.push(`${where}: something after the finish reason`);
  if (delta.content !== undefined && delta.content !== null && typeof delta.content !== 'string')
    wrong.push(`${where}: content is not text`);
  for (const call of delta.tool_calls ?? []) {
    const known = state.calls.get(call.index);
    if (known === undefined) {
      if (call.index !== state.calls.size) wrong.push(`${where}: call index ${JSON.stringify(call.index)} is not the next`);
      if (typeof call.id !== 'string' || call.id === '') wrong.push(`${where}: call without id`);
      if (call.type !== 'function' || !call.function?.name) wrong.push(`${where}: call without type or name`);
      if (typeof call.function?.arguments !== 'string') wrong.push(`${where}: arguments are not text`);
    } else if (call.id !== undefined || call.function?.name !== undefined) wrong.push(`${where}: call id or name again`);
    state.calls.set(call.index, (known ?? '') + (typeof call.function?.arguments === 'string' ? call.function.arguments : ''));
  }
  return wrong;
}

function checkEnd(index: number, state: ChoiceCheck): string[] {
  if (state.finish === null) return [`choice ${index}: no finish reason`];
  if (state.finish === 'tool_calls' && state.calls.size === 0) return [`choice ${index}: tool_calls without calls`];
  if (state.finish === 'stop' && state.calls.size > 0) return [`choice ${index}: calls, yet stop`];
  if (state.finish !== 'tool_calls') return [];
  return [...state.calls.values()].filter((text) => !isJson(text)).map((text) => `choice ${index}: arguments are not JSON: ${text}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Checks a complete stream. `usage`: the caller requested it. */
export function checkStream(text: string, { usage = false } = {}): string[] {
  const data = eventData(text);
  const wrong: string[] = [];
  if (data.at(-1) !== '[DONE]' || data.indexOf('[DONE]') !== data.length - 1) wrong.push('[DONE] is not the last and only one');
  const chunks = streamChunks(text);
  if (chunks.length === 0) return [...wrong, 'no chunks'];
  if (new Set(chunks.map((chunk) => JSON.stringify([chunk.id, chunk.created, chunk.model]))).size !== 1)
    wrong.push('id, created or model change');
  const states = new Map<number, ChoiceCheck>();
  chunks.forEach((chunk, position) => {
    const where = `chunk ${position}`;
    if (chunk.object !== 'chat.completion.chunk' || !Number.isInteger(chunk.created) || typeof chunk.id !== 'string')
      wrong.push(`${where}: head is wrong`);
    if (chunk.system_fingerprint !== undefined && typeof chunk.system_fingerprint !== 'string')
      wrong.push(`${where}: system_fingerprint is not text`);
    if (chunk.choices.length === 0) {
      if (!usage || position !== chunks.length - 1) wrong.push(`${where}: a usage chunk out of place`);
      wrong.push(...checkUsage(chunk.usage));
    } else if (usage ? chunk.usage !== null : 'usage' in chunk) wrong.push(`${where}: usage must be ${usage ? 'null' : 'absent'}`);
    for (const choice of chunk.choices) {
      const state = states.get(choice.index) ?? new ChoiceCheck();
      states.set(choice.index, state);
      wrong.push(...checkDelta(choice.delta, state, where));
      if (choice.finish_reason !== null && !finishReasons.includes(choice.finish_reason))
        wrong.push(`${where}: finish reason ${JSON.stringify(choice.finish_reason)}`);
      state.finish ??= choice.finish_reason;
    }
  });
  for (const [index, state] of states) wrong.push(...checkEnd(index, state));
  if (usage && chunks.at(-1)?.choices.length !== 0) wrong.push('no usage chunk at the end');
  return wrong;
}

/** Checks a whole answer as parsed JSON. */
export function checkCompletion(answer: unknown): string[] {
  const wrong: string[] = [];
  const { object, created, id, choices, usage, ...rest } = answer as Record<string, unknown>;
  if (object !== 'chat.completion' || !Number.isInteger(created) || typeof id !== 'string') wrong.push('head is wrong');
  if ('system_fingerprint' in rest && typeof rest['system_fingerprint'] !== 'string') wrong.push('system_fingerprint is not text');
  wrong.push(...checkUsage(usage as Chunk['usage']));
  (choices as Record<string, unknown>[]).forEach((choice, position) => {
    const message = choice['message'] as Record<string, unknown>;
    const calls = message['tool_calls'] as { id: unknown; function?: { arguments: unknown } }[] | undefined;
    if (choice['index'] !== position) wrong.push(`choice ${position}: index`);
    if (!finishReasons.includes(choice['finish_reason'])) wrong.push(`choice ${position}: finish reason`);
    if (choice['logprobs'] === undefined || message['refusal'] === undefined || message['content'] === undefined)
      wrong.push(`choice ${position}: a required key is missing`);
    if (message['role'] !== 'assistant' || (message['content'] !== null && typeof message['content'] !== 'string'))
      wrong.push(`choice ${position}: role or content`);
    if (calls !== undefined && (calls.length === 0 || choice['finish_reason'] === 'stop')) wrong.push(`choice ${position}: calls`);
    if (calls === undefined && choice['finish_reason'] === 'tool_calls') wrong.push(`choice ${position}: tool_calls without calls`);
    if (
      calls?.some(
        (call) =>
          typeof call.id !== 'string' || call.id === '' || (call.function !== undefined && typeof call.function.arguments !== 'string'),
      ) === true
    ) {
      wrong.push(`choice ${position}: a call is malformed`);
    }
    if (new Set(calls?.map((call) => call.id)).size !== (calls?.length ?? 0)) wrong.push(`choice ${position}: call ids are not unique`);
  });
  return wrong;
}
