import { describe, expect, it } from 'vitest';
import { answerKey, askedOf, type Asker, isExact, type KeyParts } from '../../src/cache/answer-key.ts';
import { isCacheable } from '../../src/cache/cacheable.ts';
import type { ChatBody, ChatRequest } from '../../src/types/chat.ts';

const asker: Asker = {
  tenant: 'blue',
  issuer: 'https://id',
  subject: 'ann',
  roles: ['user', 'editor'],
  permissions: new Set(['llm:model:use']),
};
const body = (more: object = {}): ChatBody => ({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], temperature: 0, ...more });
const request = (more: object = {}, rest: Partial<ChatRequest> = {}): ChatRequest => ({ body: body(more), ...rest });
const key = (more: Partial<Omit<KeyParts, 'asked'>> & { readonly request?: ChatRequest; readonly who?: Partial<Asker> } = {}): string => {
  const { request: asked = request(), who, ...parts } = more;
  return answerKey({
    sharedBy: 'roles',
    model: 'm',
    fingerprint: 'f',
    operation: 'chat',
    asker: { ...asker, ...who },
    asked: askedOf(asked),
    ...parts,
  });
};

describe('a cache key', () => {
  it('differs by tenant, model, configuration of the model, operation and scope of sharing', () => {
    const keys = [
      key(),
      key({ who: { tenant: 'red' } }),
      key({ model: 'other' }),
      key({ fingerprint: 'edited' }),
      key({ operation: 'embeddings' }),
      key({ sharedBy: 'user' }),
      key({ sharedBy: 'tenant' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('not shared: differs by user and issuer, but not by roles', () => {
    const own = (who: Partial<Asker>) => key({ sharedBy: 'user', who });
    expect(new Set([own({}), own({ subject: 'bob' }), own({ issuer: 'https://other' })]).size).toBe(3);
    expect(own({ roles: ['viewer'] })).toBe(own({}));
  });

  it('shared by roles: equal for callers with the same roles and permissions, in any order', () => {
    expect(key({ who: { subject: 'bob', roles: ['editor', 'user', 'user'] } })).toBe(key());
    expect(key({ who: { roles: ['user'] } })).not.toBe(key());
    expect(key({ who: { permissions: new Set(['llm:model:use', 'llm:skill:use']) } })).not.toBe(key());
    expect(key({ who: { issuer: 'https://other' } }), 'a role of another service is another role').not.toBe(key());
  });

  it('shared by the tenant: the same for all in it', () => {
    const all = (who: Partial<Asker>) => key({ sharedBy: 'tenant', who });
    expect(all({ subject: 'bob', roles: [], permissions: new Set() })).toBe(all({}));
    expect(all({ tenant: 'red' })).not.toBe(all({}));
  });

  it('differs by any field of the body, whatever its name and depth', () => {
    const changes: readonly object[] = [
      { temperature: 0.1 },
      { seed: 1 },
      { unheard_of: null },
      { messages: [{ role: 'user', content: 'hi' }] },
      { messages: [{ role: 'system', content: 'Hi' }] },
      {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'user', content: 'Hi' },
        ],
      },
      { tools: [{ type: 'function', function: { name: 'f', parameters: { a: 1 } } }] },
      { tools: [{ type: 'function', function: { name: 'f', parameters: { a: '1' } } }] },
      { stop: ['a', 'b'] },
      { stop: ['b', 'a'] },
      { stop: 'a,b' },
    ];
    expect(new Set([key(), ...changes.map((more) => key({ request: request(more) }))]).size).toBe(changes.length + 1);
  });

  it('differs by fields that exist only in another client format', () => {
    const native = { format: 'anthropic', body: { model: 'm', max_tokens: 1 } };
    const keys = [
      request(),
      request({}, { native }),
      request({}, { native: { ...native, body: { ...native.body, top_k: 1 } } }),
      request({}, { native: { ...native, headers: { 'anthropic-beta': 'x' } } }),
      request({}, { translated: { leftOut: ['seed'], demands: [] } }),
    ].map((each) => key({ request: each }));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is the same for other orders of members and for streamed calls', () => {
    const turned = { temperature: 0, messages: [{ content: 'Hi', role: 'user' }], model: 'm' } as unknown as ChatBody;
    expect(key({ request: { body: turned } })).toBe(key());
    expect(key({ request: request({ stream: true, stream_options: { include_usage: true } }) })).toBe(key());
    const native = (more: object) => request({}, { native: { format: 'anthropic', body: { model: 'm', ...more } } });
    expect(key({ request: native({ stream: true }) })).toBe(key({ request: native({ stream: false }) }));
  });

  it('differs for texts whose concatenation is equal', () => {
    const content = (text: string) => key({ request: request({ messages: [{ role: 'user', content: text }] }) });
    expect(new Set(['a","b', 'a\\","b', 'a', ' a', 'á', 'a\u0301'].map(content)).size).toBe(6);
  });

  it('does not exist when a number lost precision when the body was read', () => {
    expect(isExact(body({ seed: 2 ** 53 - 1, top_p: 0.123456789, deep: [{ a: 1e-9 }] }))).toBe(true);
    expect(isExact(JSON.parse('{"a":[{"seed":9007199254740993}]}'))).toBe(false);
    expect(isExact(JSON.parse('{"a":1e400}'))).toBe(false);
  });
});

describe('a cacheable call', () => {
  const own = { type: 'function', function: { name: 'f' } };
  const anthropic = (more: object): ChatRequest => request({}, { native: { format: 'anthropic', body: { model: 'm', ...more } } });

  it('has no tools, or those that the caller runs', () => {
    expect(isCacheable(request())).toBe(true);
    expect(isCacheable(request({ tools: null, store: false }))).toBe(true);
    expect(isCacheable(request({ tools: [own, { type: 'custom', custom: { name: 'c' } }] }))).toBe(true);
    expect(
      isCacheable(
        anthropic({
          tools: [
            { name: 'f', input_schema: {} },
            { type: 'custom', name: 'g' },
            { type: 'bash_20250124', name: 'bash' },
          ],
        }),
      ),
    ).toBe(true);
  });

  it('has no tools that Pailou or the vendor runs, and nothing that the vendor must store', () => {
    for (const type of ['mcp', 'web_search', 'code_interpreter', 'builtin_function'])
      expect(isCacheable(request({ tools: [own, { type }] })), type).toBe(false);
    expect(isCacheable(request({ store: true }))).toBe(false);
    expect(isCacheable(request({ mcp_servers: [{ url: 'https://x' }] }))).toBe(false);
    for (const type of ['web_search_20250305', 'code_execution_20250522', 'bash_code_execution'])
      expect(isCacheable(anthropic({ tools: [{ type, name: 'x' }] })), type).toBe(false);
    expect(isCacheable(anthropic({ mcp_servers: [{ url: 'https://x' }] }))).toBe(false);
    expect(isCacheable(anthropic({ container: 'c1' }))).toBe(false);
  });
});
