/** The peculiarities of vendors that follow OpenAI's format. */
import { cityText, data, json, sse, type VendorShape, weather } from './vendor-shape.ts';

const head = { id: 'v', object: 'chat.completion.chunk', created: 1, model: 'theirs' };
const chunk = (delta: object, more: object = {}, root: object = {}): object => ({
  ...head,
  choices: [{ index: 0, delta, ...more }],
  ...root,
});
const completion = (message: object, usage: object, finish = 'stop'): Pick<VendorShape, 'type' | 'body'> =>
  json({ id: 'v', object: 'chat.completion', created: 1, model: 'theirs', choices: [{ index: 0, message, finish_reason: finish }], usage });
const called = (part: object): object => ({ tool_calls: [part] });

export const openaiShapes: readonly VendorShape[] = [
  {
    about: 'no choices[].logprobs, and a null fingerprint and service tier',
    kind: 'openai',
    ...json({
      id: 'v',
      object: 'chat.completion',
      created: 1,
      model: 'theirs',
      choices: [{ index: 0, message: { role: 'assistant', content: '牌楼', refusal: null, annotations: [] }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12, prompt_tokens_details: null },
      system_fingerprint: null,
      service_tier: null,
    }),
    heard: { text: '牌楼', usage: [9, 3] },
  },
  {
    about: 'filter results before the first choice and beside each',
    kind: 'azure',
    ...sse(
      data(
        { ...head, id: '', model: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] },
        chunk({ role: 'assistant', content: '' }, { finish_reason: null, content_filter_results: {} }),
        chunk({ content: '👋 hi' }, { finish_reason: null, content_filter_results: { hate: { filtered: false } } }),
        chunk({}, { finish_reason: 'stop' }),
        { ...head, choices: [], usage: { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 } },
      ) + 'data: [DONE]\n\n',
    ),
    heard: { text: '👋 hi', usage: [4, 2] },
  },
  {
    about: 'the role in every part, no finish_reason until the end, and counts beside it',
    kind: 'zhipu',
    ...sse(
      data(
        chunk({ role: 'assistant', reasoning_content: '二加' }),
        chunk({ role: 'assistant', reasoning_content: '二。' }),
        chunk({ role: 'assistant', content: '四' }),
        chunk(
          { role: 'assistant', content: '' },
          { finish_reason: 'stop' },
          { usage: { prompt_tokens: 8, completion_tokens: 5, total_tokens: 13 } },
        ),
      ) + 'data: [DONE]\n\n',
    ),
    heard: { thought: '二加二。', text: '四', usage: [8, 5] },
  },
  {
    about: 'later parts of a call with an empty id and name',
    kind: 'qwen',
    ...sse(
      data(
        chunk({ content: null, role: 'assistant' }, { finish_reason: null }),
        chunk(called({ index: 0, id: 'c-1', type: 'function', function: { name: 'weather', arguments: '' } }), { finish_reason: null }),
        chunk(called({ index: 0, id: '', type: 'function', function: { name: '', arguments: cityText.slice(0, 7) } })),
        chunk(called({ index: 0, id: '', type: 'function', function: { arguments: cityText.slice(7) } }), { finish_reason: null }),
        chunk({ content: null }, { finish_reason: 'tool_calls' }),
        { ...head, choices: [], usage: { prompt_tokens: 30, completion_tokens: 9, total_tokens: 39 } },
      ) + 'data: [DONE]\n\n',
    ),
    heard: { calls: weather, end: 'tool_calls', usage: [30, 9] },
  },
  {
    about: 'a call without index and type, with the end in the same part',
    kind: 'mistral',
    ...sse(
      data(
        chunk({ role: 'assistant', content: '' }, { finish_reason: null }),
        chunk(
          called({ id: 'abc123456', function: { name: 'weather', arguments: cityText } }),
          { finish_reason: 'tool_calls' },
          {
            usage: { prompt_tokens: 11, total_tokens: 20, completion_tokens: 9 },
          },
        ),
      ) + 'data: [DONE]\n\n',
    ),
    heard: { calls: weather, end: 'tool_calls', usage: [11, 9] },
  },
  {
    about: 'thoughts as a part of the content',
    kind: 'mistral',
    ...completion(
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
          { type: 'text', text: 'Four' },
        ],
      },
      { prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 },
    ),
    heard: { thought: 'Hm.', text: 'Four', usage: [3, 6] },
  },
  {
    about: 'counts twice, in a member of its own as well',
    kind: 'groq',
    ...sse(
      data(
        chunk({ role: 'assistant', content: null }, { finish_reason: null }, { x_groq: { id: 'req' } }),
        chunk({ reasoning: 'Let me see.' }, { finish_reason: null }),
        chunk(called({ index: 0, id: 'tk', type: 'function', function: { name: 'weather', arguments: cityText } }), {
          finish_reason: null,
        }),
        chunk(
          {},
          { finish_reason: 'tool_calls' },
          {
            x_groq: { id: 'req', usage: { prompt_tokens: 21, completion_tokens: 5, total_tokens: 26 } },
            usage: { prompt_tokens: 21, completion_tokens: 5, total_tokens: 26 },
          },
        ),
      ) + 'data: [DONE]\n\n',
    ),
    heard: { thought: 'Let me see.', calls: weather, end: 'tool_calls', usage: [21, 5] },
  },
  {
    about: 'cache hits and misses apart, and the end by length',
    kind: 'deepseek',
    ...sse(
      data(
        chunk({ role: 'assistant', content: null, reasoning_content: '' }, { finish_reason: null }),
        chunk({ content: null, reasoning_content: 'Hm.' }, { finish_reason: null }),
        chunk({ content: 'Once' }, { finish_reason: null }),
        chunk(
          { content: '' },
          { finish_reason: 'length' },
          {
            usage: { prompt_tokens: 70, completion_tokens: 4, total_tokens: 74, prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 6 },
          },
        ),
      ) + 'data: [DONE]\n\n',
    ),
    heard: { thought: 'Hm.', text: 'Once', end: 'length', usage: [70, 4] },
  },
  {
    about: 'choices without finish_reason, and reasoning tokens that only the total contains',
    kind: 'xai',
    ...sse(
      data(chunk({ role: 'assistant', reasoning_content: 'Hm.' }), chunk({ content: 'Hello' }), chunk({}, { finish_reason: 'stop' }), {
        ...head,
        choices: [],
        usage: { prompt_tokens: 12, completion_tokens: 1, total_tokens: 303, completion_tokens_details: { reasoning_tokens: 290 } },
      }) + 'data: [DONE]\n\n',
    ),
    heard: { thought: 'Hm.', text: 'Hello', usage: [12, 291] },
  },
  {
    about: 'thoughts in two forms at once, and comment lines between the parts',
    kind: 'openrouter',
    ...sse(
      ': OPENROUTER PROCESSING\n\n' +
        data(
          chunk(
            { role: 'assistant', content: '', reasoning: 'Hm.', reasoning_details: [{ type: 'reasoning.text', text: 'Hm.' }] },
            { finish_reason: null },
          ),
        ) +
        ': OPENROUTER PROCESSING\n\n' +
        data(chunk({ content: 'Hi' }, { finish_reason: 'stop', native_finish_reason: 'end_turn' }), {
          ...head,
          choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
          usage: { prompt_tokens: 6, completion_tokens: 4, total_tokens: 10, cost: 0 },
        }) +
        'data: [DONE]\n\n',
    ),
    heard: { thought: 'Hm.', text: 'Hi', usage: [6, 4] },
  },
  {
    about: 'a call that begins without arguments, between empty texts',
    kind: 'openai-compatible',
    ...sse(
      data(
        chunk({ role: 'assistant', content: '' }, { finish_reason: null }, { usage: null }),
        chunk(called({ index: 0, id: 'toolu_1', type: 'function', function: { name: 'weather' } }), { finish_reason: null }),
        chunk({ content: '' }, { finish_reason: null }),
        chunk(called({ index: 0, function: { arguments: cityText } }), { finish_reason: null }),
        chunk({ content: '' }, { finish_reason: 'tool_calls' }, { usage: null }),
        { ...head, choices: [], usage: { prompt_tokens: 12, completion_tokens: 8, total_tokens: 20 } },
      ) + 'data: [DONE]\n\n',
    ),
    heard: { calls: weather, end: 'tool_calls', usage: [12, 8] },
  },
  {
    about: 'a thought that only its end shows, in the text',
    kind: 'vllm',
    ...completion(
      { role: 'assistant', content: 'Hm.\n</think>\n\nFour', reasoning_content: null, tool_calls: [] },
      { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    ),
    heard: { thought: 'Hm.\n', text: 'Four', usage: [5, 7] },
  },
];
