/** The answers of a healthy vendor, as bytes on the wire: one whole, and one as a stream of chunks. */

/** The text of every healthy answer. A test that receives it knows that nothing was lost or duplicated. */
export const words = ['One ', 'gate, ', 'many ', 'roads: ', '牌楼 ', 'stands 🏮 ', 'and ', 'waits.'] as const;
export const text = words.join('');

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'fault-1', object: 'chat.completion.chunk', created: 1, model: 'fault', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

const usage = { prompt_tokens: 7, completion_tokens: words.length, total_tokens: 7 + words.length };

export const roleChunk = chunk({ role: 'assistant', content: '' });
export const wordChunks = words.map((word) => chunk({ content: word }));
export const finishChunk = (reason: string): string => chunk({}, reason);
export const usageChunk = `data: ${JSON.stringify({ id: 'fault-1', object: 'chat.completion.chunk', created: 1, model: 'fault', choices: [], usage })}\n\n`;
export const doneChunk = 'data: [DONE]\n\n';

export const completion = JSON.stringify({
  id: 'fault-1',
  object: 'chat.completion',
  created: 1,
  model: 'fault',
  choices: [{ index: 0, message: { role: 'assistant', content: text, refusal: null }, logprobs: null, finish_reason: 'stop' }],
  usage,
});

/** An error body in OpenAI's format. */
export const errorBody = (message: string, code: string): string => JSON.stringify({ error: { message, type: code, param: null, code } });
