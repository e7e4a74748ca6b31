import { describe, expect, test } from 'vitest';
import { fitTranslated, withNativeHeaders } from '../../src/models/translated-request.ts';
import type { ChatRequest, Translation } from '../../src/types/chat.ts';
import type { JsonObject } from '../../src/types/json.ts';
import { targetOf } from './target.ts';

const nothing: Translation = { leftOut: [], demands: [] };
const request = (messages: readonly JsonObject[], translated: Translation = nothing): ChatRequest => ({
  body: { model: 'm', messages },
  native: { format: 'anthropic', body: {}, headers: { 'anthropic-beta': 'b' } },
  translated,
});

function fit(given: ChatRequest, format = 'openai', provider = {}) {
  const target = targetOf();
  return { fitted: fitTranslated(given, { format, provider, target }), warnings: target.warnings };
}

const mark = { cache_control: { type: 'ephemeral' } };
const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } };

describe('a translated request', () => {
  test('is unchanged for a vendor of its own format, and so is a request of OpenAI', () => {
    const given = request([{ role: 'user', content: 'x', ...mark }], {
      leftOut: ['speed'],
      demands: [{ param: 'container', need: 'containers' }],
    });
    expect(fit(given, 'anthropic')).toEqual({ fitted: given, warnings: [] });
    const plain: ChatRequest = { body: { model: 'm', messages: [{ role: 'user', content: 'x', ...mark }] } };
    expect(fit(plain).fitted).toBe(plain);
  });

  test('is refused by a vendor without a required feature, so that another deployment may serve it', () => {
    const given = request([], { leftOut: [], demands: [{ param: 'tools[0]', need: 'tool of type web_search_20250305' }] });
    expect(() => fit(given)).toThrow(
      expect.objectContaining({
        code: 'unsupported_parameter',
        param: 'tools[0]',
        retryable: true,
        message: 'tools[0]: vendor has no tool of type web_search_20250305. Leave it out or use another model.',
      }),
    );
  });

  test('reports omitted optional fields', () => {
    const given = request([{ role: 'user', content: [{ type: 'text', text: 'x', ...mark }] }], { leftOut: ['speed'], demands: [] });
    const { fitted, warnings } = fit(given);
    expect(warnings).toEqual(['speed left out: vendor has none', 'cache_control left out: vendor has none']);
    expect(fitted.body.messages).toEqual([{ role: 'user', content: 'x' }]);
  });

  test('keeps cache_control for a vendor that supports it, and reasoning only for its format', () => {
    const messages = [
      { role: 'user', content: [{ type: 'text', text: 'x', ...mark }] },
      { role: 'assistant', content: 'y', reasoning_content: 'hm' },
    ];
    expect(fit(request(messages), 'openai', { cacheControl: true }).fitted.body.messages).toEqual(messages);
  });

  test('marks an error result in its text, and sends images of results as from the user', () => {
    const results = [
      { role: 'tool', tool_call_id: 'a', content: 'no', is_error: true },
      { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'seen' }, picture] },
      { role: 'tool', tool_call_id: 'c', content: [picture], is_error: true },
    ];
    const moved = [
      { type: 'text', text: 'From the result of the tool call b:' },
      picture,
      { type: 'text', text: 'From the result of the tool call c:' },
      picture,
    ];
    const tools = [
      { role: 'tool', tool_call_id: 'a', content: 'The tool reports an error: no' },
      { role: 'tool', tool_call_id: 'b', content: 'seen' },
      { role: 'tool', tool_call_id: 'c', content: 'The tool reports an error: The result follows in the next message of the user.' },
    ];
    expect(fit(request(results)).fitted.body.messages).toEqual([...tools, { role: 'user', content: moved }]);
    expect(fit(request([...results, { role: 'user', content: 'Go on.' }])).fitted.body.messages).toEqual([
      ...tools,
      { role: 'user', content: [...moved, { type: 'text', text: 'Go on.' }] },
    ]);
    expect(fit(request(results), 'gemini').fitted.body.messages).toEqual(results);
  });

  test('shows the headers of its format to a vendor of that format only', () => {
    const given = request([]);
    expect(withNativeHeaders({ accept: 'x' }, given, 'openai')).toEqual({ accept: 'x' });
    expect(withNativeHeaders({ accept: 'x' }, given, 'anthropic')).toEqual({ accept: 'x', 'anthropic-beta': 'b' });
    expect(withNativeHeaders({ 'anthropic-beta': 'a, b' }, given, 'anthropic')).toEqual({ 'anthropic-beta': 'a,b' });
  });
});
