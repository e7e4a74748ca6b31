/** The tools that a skill's row allows, and their form in a chat. */
import { expect, it } from 'vitest';
import { allows, chatTools } from '../../../src/application/skills/allowed-tools.ts';
import { skillSpec } from '../../../src/types/skill-spec.ts';

const spec = (tools: string[]) => skillSpec.parse({ description: 'd', model: 'small', tools });

it.each([
  ['model/small', [], true],
  ['model/large', [], false],
  ['model/large', ['model/large'], true],
  ['mcp/files/read', ['mcp/files'], true],
  ['mcp/files/read', ['mcp/files/*'], true],
  ['mcp/files/read', ['mcp/files/read'], true],
  ['mcp/files/write', ['mcp/files/read'], false],
  ['mcp/files-too/read', ['mcp/files', 'mcp/files/*'], false],
  ['mcp/files/a/b', ['mcp/files/a'], false],
  ['skill/one', ['skill/one'], true],
  ['skill/one-more', ['skill/one'], false],
])('%s with %j: %s', (target, tools, allowed) => {
  expect(allows(spec(tools), target)).toBe(allowed);
});

it.each(['mcp/*', 'mcp/files/re*', 'skill/*', 'skill/a*', 'model/*', 'files/read', 'mcp/'])('%s is refused when it is saved', (named) => {
  expect(() => spec([named])).toThrow(/stands only for all tools/);
});

it('is listed in a chat once for each server', () => {
  expect(chatTools(['mcp/a/x', 'mcp/b', 'mcp/a/y/z', 'mcp/c/q', 'mcp/c/*', 'skill/s', 'model/m'])).toEqual([
    { type: 'mcp', server_label: 'a', allowed_tools: ['x', 'y/z'] },
    { type: 'mcp', server_label: 'b' },
    { type: 'mcp', server_label: 'c' },
    { type: 'skill', name: 's' },
  ]);
});
