import { describe, expect, it } from 'vitest';
import { AnswerCollector } from '../../src/cache/answer-collector.ts';
import type { ChatEvent } from '../../src/types/chat.ts';

const text = (words: string, choice = 0): ChatEvent => ({ type: 'text-delta', choice, text: words });
const finish = (choice = 0, reason: 'stop' | 'length' | 'content_filter' | 'tool_calls' = 'stop'): ChatEvent => ({
  type: 'finish',
  choice,
  reason,
});
const end: ChatEvent = { type: 'response-end', usage: { inputTokens: 1, outputTokens: 1 } };
const call = (index: number): ChatEvent => ({ type: 'tool-call-start', choice: 0, call: index, id: `c${index}`, name: 'f' });
const more = (index: number, words: string): ChatEvent => ({ type: 'tool-call-delta', choice: 0, call: index, arguments: words });

const gather = (events: readonly ChatEvent[], { choices = 1, most = 10_000 } = {}): readonly ChatEvent[] | null => {
  const answer = new AnswerCollector(most);
  for (const event of events) answer.add([event]);
  return answer.complete(choices);
};

describe('a collected answer', () => {
  it('is cached when every choice has a finish reason and the answer its end', () => {
    expect(gather([text('Hi'), finish(), end])).toEqual([text('Hi'), finish(), end]);
    expect(gather([text('Hi'), finish(0, 'length'), end]), 'as long as the caller allowed').not.toBeNull();
    expect(gather([text('a'), text('b', 1), finish(1), finish(), end], { choices: 2 })).not.toBeNull();
  });

  it('is not cached when it was cut', () => {
    expect(gather([text('Hi'), finish()]), 'no end').toBeNull();
    expect(gather([text('Hi'), end]), 'no finish').toBeNull();
    expect(gather([text('a'), text('b', 1), finish(), end], { choices: 2 }), 'one of two').toBeNull();
    expect(gather([text('a'), text('b', 1), finish(), end]), 'a choice that nobody asked for').toBeNull();
    expect(gather([text('a'), finish(), end], { choices: 2 }), 'fewer than asked for').toBeNull();
  });

  it('is not cached when a filter ended any choice of it', () => {
    expect(gather([text('a'), finish(0, 'content_filter'), end])).toBeNull();
    expect(gather([text('a'), text('b', 1), finish(1, 'content_filter'), finish(), end], { choices: 2 })).toBeNull();
  });

  it('is not cached when it is empty, or contains something that cannot be replayed', () => {
    expect(gather([finish(), end])).toBeNull();
    expect(gather([text(''), { type: 'reasoning-delta', choice: 0, text: 'hm' }, finish(), end])).toBeNull();
    expect(gather([text('a'), { type: 'audio-delta', choice: 0, audio: { id: 'a' } }, finish(), end])).toBeNull();
    const step = { id: 's', kind: 'mcp', capability: 'mcp/a/b', status: 'completed' } as const;
    expect(gather([text('a'), { type: 'step', step }, finish(), end])).toBeNull();
  });

  it('is not cached when it is too long, in characters or in events without any', () => {
    expect(gather([text('x'.repeat(200)), finish(), end], { most: 150 })).toBeNull();
    expect(gather([more(0, 'x'.repeat(200)), finish(), end], { most: 150 })).toBeNull();
    const thought: ChatEvent = { type: 'thought', choice: 0, detail: { data: 'x'.repeat(200) } };
    expect(gather([text('a'), thought, finish(), end], { most: 200 })).toBeNull();
    expect(gather([...Array.from({ length: 500 }, (_, index) => text('', index % 2)), text('a'), finish(), finish(1), end])).toBeNull();
  });

  it('is cached in larger chunks, with all text in order', () => {
    const words = Array.from({ length: 300 }, (_, index) => `${index} `);
    const answer = gather(
      [
        { type: 'reasoning-delta', choice: 0, text: 'h' },
        { type: 'reasoning-delta', choice: 0, text: 'm' },
        ...words.map((word) => text(word)),
        text('other', 1),
        text('again'),
        call(0),
        more(0, '{"a":'),
        more(0, '1}'),
        call(1),
        more(1, '{}'),
        finish(0, 'tool_calls'),
        finish(1),
        end,
      ],
      { choices: 2 },
    );
    const said = answer?.filter((event) => event.type === 'text-delta') ?? [];
    expect(
      said
        .filter(({ choice }) => choice === 0)
        .map((event) => event.text)
        .join(''),
    ).toBe(`${words.join('')}again`);
    expect(said.length, 'still a stream').toBeGreaterThan(4);
    expect(said.length).toBeLessThan(20);
    expect(answer?.filter((event) => event.type !== 'text-delta')).toEqual([
      { type: 'reasoning-delta', choice: 0, text: 'hm' },
      call(0),
      more(0, '{"a":1}'),
      call(1),
      more(1, '{}'),
      finish(0, 'tool_calls'),
      finish(1),
      end,
    ]);
  });

  it('keeps log probabilities of each token', () => {
    const withLogprobs: ChatEvent = { type: 'text-delta', choice: 0, text: 'a', logprobs: { content: [] } };
    expect(gather([text('x'), withLogprobs, withLogprobs, finish(), end])).toEqual([text('x'), withLogprobs, withLogprobs, finish(), end]);
  });
});
