import { expect, it } from 'vitest';
import { requiredFeatures } from '../../src/dispatch/fallback.ts';
import type { ChatBody } from '../../src/types/chat.ts';

const body = (more: object): ChatBody => ({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...more });
const tool = { type: 'function', function: { name: 'f' } };

it.each([
  [{}, false],
  [{ tools: [] }, false],
  [{ tools: null, functions: [] }, false],
  [{ tools: [tool] }, true],
  // The former format of tools.
  [{ functions: [{ name: 'f' }] }, true],
])('a call with %j needs tools: %s', (more, tools) => {
  expect(requiredFeatures('chat', body(more)).tools).toBe(tools);
});
