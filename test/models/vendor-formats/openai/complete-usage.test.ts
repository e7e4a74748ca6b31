/** The counts of a chat, whatever parts of them a vendor leaves out or counts apart. */
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../../src/models/estimate-usage.ts';
import { AnswerReader } from '../../../../src/models/vendor-formats/openai/answer-reader.ts';
import type { ChatEvent } from '../../../../src/types/chat.ts';
import type { JsonObject } from '../../../../src/types/json.ts';

beforeAll(loadTokenizer);

function usageOf(usage: JsonObject, message: JsonObject = { content: 'a b c d e' }): unknown {
  const events: ChatEvent[] = [];
  const reader = new AnswerReader({ estimateInput: () => 40 });
  reader.read({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage }, events);
  reader.endWhole(events);
  const last = events.at(-1);
  return last?.type === 'response-end' ? last.usage : null;
}

describe('the usage of a chat', () => {
  it.each<[string, JsonObject, object]>([
    [
      'reasoning that only the total contains (xAI)',
      { prompt_tokens: 12, completion_tokens: 1, total_tokens: 303, completion_tokens_details: { reasoning_tokens: 290 } },
      { inputTokens: 12, outputTokens: 291, reasoningTokens: 290 },
    ],
    [
      'reasoning that the output contains',
      { prompt_tokens: 12, completion_tokens: 291, total_tokens: 303, completion_tokens_details: { reasoning_tokens: 290 } },
      { inputTokens: 12, outputTokens: 291, reasoningTokens: 290 },
    ],
    [
      'cached tokens that only the total contains',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 115, cache_read_input_tokens: 60, cache_creation_input_tokens: 40 },
      { inputTokens: 110, outputTokens: 5, cachedInputTokens: 60, cacheWriteTokens: 40 },
    ],
    ['no output', { prompt_tokens: 9 }, { inputTokens: 9, outputTokens: 5, estimated: true }],
    [
      'output as a text',
      { prompt_tokens: 9, completion_tokens: '700', total_tokens: 9 },
      { inputTokens: 9, outputTokens: 5, estimated: true },
    ],
    ['no input', { completion_tokens: 9 }, { inputTokens: 40, outputTokens: 9, estimated: true }],
    ['a lone total', { total_tokens: 700 }, { inputTokens: 695, outputTokens: 5, estimated: true }],
    ['a lone total below the estimate', { total_tokens: 3 }, { inputTokens: 0, outputTokens: 3, estimated: true }],
    ['a duration alone', { seconds: 5 }, { inputTokens: 40, outputTokens: 5, milliseconds: 5_000, estimated: true }],
    ['a total and an output', { completion_tokens: 3, total_tokens: 12 }, { inputTokens: 9, outputTokens: 3 }],
    ['a total and an input', { prompt_tokens: 9, total_tokens: 12 }, { inputTokens: 9, outputTokens: 3 }],
    ['a total that is another number', { prompt_tokens: 9, completion_tokens: 3, total_tokens: 999 }, { inputTokens: 9, outputTokens: 3 }],
  ])('with %s', (_name, usage, expected) => {
    const { inputDetails: _input, outputDetails: _output, ...counts } = usageOf(usage) as Record<string, unknown>;
    expect(counts).toEqual(expected);
  });

  it('with a zero keeps it: it is a count', () => {
    expect(usageOf({ prompt_tokens: 9, completion_tokens: 0 })).toEqual({ inputTokens: 9, outputTokens: 0 });
    expect(usageOf({ prompt_tokens: 0, completion_tokens: 2, total_tokens: 2 })).toEqual({ inputTokens: 0, outputTokens: 2 });
  });

  it('includes reasoning and tool calls in an estimate of the output', () => {
    const call = { id: 'c', type: 'function', function: { name: 'weather', arguments: '{"city":"Suzhou"}' } };
    const { outputTokens } = usageOf({ prompt_tokens: 9 }, { content: null, reasoning_content: 'Hm.', tool_calls: [call] }) as {
      outputTokens: number;
    };
    expect(outputTokens).toBeGreaterThan(5);
    expect(usageOf({ prompt_tokens: 9, completion_tokens: 0 }, { content: '' }), 'an answer without words').toMatchObject({
      outputTokens: 0,
    });
  });
});
