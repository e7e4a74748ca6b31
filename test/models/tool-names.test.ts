/** Names and requests of server-side tools. */
import { describe, expect, it } from 'vitest';
import { marked, publicToolName } from '../../src/models/tool-names.ts';
import { serverToolRequests } from '../../src/extensions/tool-loop/tool-requests.ts';
import type { JsonObject } from '../../src/types/json.ts';

const requests = (...tools: JsonObject[]) => serverToolRequests({ model: 'm', messages: [], tools });

describe('public names', () => {
  it('are plain where possible, otherwise safe, short and unique', () => {
    expect(publicToolName('files', 'read_text-file')).toBe('files__read_text-file');
    const odd = ['a.b', 'a_b', 'a/b', `a${'x'.repeat(80)}`, `a${'x'.repeat(81)}`, '读'].map((tool) => publicToolName('files', tool));
    expect(new Set(odd).size).toBe(odd.length);
    for (const name of [...odd, ...odd.map(marked)]) expect(name).toMatch(/^files__[A-Za-z0-9_-]{1,57}$/);
    expect(new Set([...odd, ...odd.map(marked)]).size).toBe(2 * odd.length);
  });
});

describe('requests', () => {
  it('are read from entries of type mcp and skill alone', () => {
    expect(requests({ type: 'function', function: { name: 'f' } })).toEqual([]);
    expect(
      requests(
        { type: 'function', function: { name: 'f' } },
        { type: 'mcp', server_label: 'files', allowed_tools: ['read'], require_approval: 'never' },
        { type: 'mcp', server_label: 'web' },
        { type: 'mcp', server_label: 'mail', allowed_tools: { tool_names: ['send'] } },
        { type: 'skill', name: 'summary' },
      ),
    ).toMatchObject([
      { type: 'mcp', index: 1, serverLabel: 'files', allowedTools: ['read'] },
      { type: 'mcp', index: 2, serverLabel: 'web', allowedTools: null },
      { type: 'mcp', index: 3, serverLabel: 'mail', allowedTools: ['send'] },
      { type: 'skill', index: 4, name: 'summary' },
    ]);
  });

  it('do not touch vendor tools and null fields', () => {
    expect(requests({ type: 'web_search' }, { type: 'builtin_function' }, { type: 'retrieval' }, { type: 'mcp_toolset' })).toEqual([]);
    expect(requests({ type: 'mcp', server_label: 'a', shape: null, connector_id: 'mine' })).toHaveLength(1);
  });

  it.each([
    [undefined, [false, false]],
    ['never', [false, false]],
    ['always', [true, true]],
    [{ always: { tool_names: ['send'] } }, [true, false]],
    [{ never: { tool_names: ['read'] } }, [true, false]],
    [{ always: { tool_names: ['read'] }, never: { tool_names: ['read', 'send'] } }, [false, true]],
  ])('with require_approval %j ask for send and read: %j', (approval, asked) => {
    const [found] = requests({ type: 'mcp', server_label: 'mail', ...(approval === undefined ? {} : { require_approval: approval }) });
    expect([found?.asks('send'), found?.asks('read')]).toEqual(asked);
  });

  it.each([
    [{ type: 'mcp' }, 'server_label'],
    [{ type: 'mcp', server_label: 7 }, 'server_label'],
    [{ type: 'mcp', server_label: 'a', server_url: 'http://169.254.169.254/' }, 'server_url'],
    [{ type: 'mcp', server_label: 'a', allowed_tools: 'read' }, 'allowed_tools'],
    [{ type: 'mcp', server_label: 'a', allowed_tools: [1] }, 'allowed_tools'],
    [{ type: 'mcp', server_label: 'a', require_approval: 'sometimes' }, 'require_approval'],
    [{ type: 'mcp', server_label: 'a', require_approval: { never: ['x'] } }, 'require_approval'],
    [{ type: 'skill' }, 'name'],
    [{ type: 'skill', name: 'a', require_aproval: 'always' }, 'require_aproval'],
    [{ type: 'mcp', server_label: 'a', approval: 'always' }, 'approval'],
    [{ type: 'mcp', server_label: 'a', allowed_tools: { read_only: true } }, 'allowed_tools.read_only'],
    [{ type: 'mcp', server_label: 'a', require_approval: { alway: { tool_names: [] } } }, 'require_approval.alway'],
    [{ type: 'mcp', server_label: 'a', require_approval: { always: { tools: [], tool_names: [] } } }, 'require_approval.always.tools'],
    [{ type: 'skil', name: 'a' }, 'type'],
    [{ type: 'skills', name: 'a' }, 'type'],
    [{ type: 'mcps', server_label: 'a' }, 'type'],
  ])('%j is refused, naming %s', (tool, field) => {
    expect(() => requests(tool)).toThrow(expect.objectContaining({ code: 'invalid_request', param: `tools[0].${field}` }) as Error);
  });
});
