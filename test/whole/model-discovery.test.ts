/** The list of a vendor's models, asked with an unsaved draft, whatever shape the vendor gives it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
const owned = new AsyncDisposableStack();
beforeAll(async () => {
  gateway = owned.use(await startGateway());
  vendor = owned.use(await startVendor());
});
afterAll(() => owned.disposeAsync());

function offer(list: unknown, status = 200): void {
  vendor.requests.length = 0;
  vendor.behave((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(typeof list === 'string' ? list : JSON.stringify(list));
  });
}
const draft = (kind: string) => ({ kind, options: { base_url: vendor.url, ...(kind === 'ollama' ? {} : { api_key: 'sk-draft' }) } });
const discover = (kind = 'openai-compatible', more: object = {}) =>
  gateway.as('admin', 'POST', '/api/providers/discover', { spec: draft(kind), ...more });
const names = (json: { models?: { model: string }[] }): string[] | undefined => json.models?.map(({ model }) => model);

describe('POST /api/providers/discover', () => {
  it.each([
    ['openai-compatible', { object: 'list', data: [{ id: 'b' }, { id: 'a' }, { id: 'a' }] }, ['a', 'b']],
    ['openai-compatible', [{ id: 'bare' }], ['bare']],
    ['openai-compatible', { data: [null, 'text', { id: 7 }, { id: 'a' }] }, ['a']],
    ['ollama', { models: [{ name: 'qwen3:8b', model: 'qwen3:8b' }] }, ['qwen3:8b']],
    ['gemini', { models: [{ name: 'models/gemini-3-pro' }] }, ['gemini-3-pro']],
    ['anthropic', { data: [{ type: 'model', id: 'claude-next' }], has_more: false }, ['claude-next']],
  ])('reads the list of %s', async (kind, list, expected) => {
    offer(list);
    const { status, json, text } = await discover(kind);
    expect([status, json.ok, names(json)], text).toEqual([200, true, expected]);
    // Those who send one entry at a time must be asked for all.
    const [asked] = vendor.requests;
    expect(asked?.path).toMatch(kind === 'gemini' || kind === 'anthropic' ? /=1000$/ : /./);
    expect(JSON.stringify(asked?.headers)).toContain(kind === 'ollama' ? 'application/json' : 'sk-draft');
  });

  it('says what the catalogue knows of a model, and null where it knows nothing', async () => {
    offer({ data: [{ id: 'text-embedding-3-small' }, { id: 'model-of-our-own' }] });
    const { json } = await discover('openai');
    expect(json.models).toEqual([
      { model: 'model-of-our-own', operations: null, context_window: null },
      expect.objectContaining({ model: 'text-embedding-3-small', operations: ['embeddings'] }),
    ]);
  });

  it('tells a wrong key from an address without a list, shows the vendor to administrators alone, and saves nothing', async () => {
    const before = (await gateway.as('admin', 'GET', '/api/providers')).json;
    offer({ error: { message: 'Incorrect API key provided' } }, 401);
    const wrongKey = (await discover()).json;
    expect([wrongKey.ok, wrongKey.error.code]).toEqual([false, 'upstream_authentication']);
    expect(wrongKey.error.detail).toContain('Incorrect API key provided');
    const others = await gateway.as('developer', 'POST', '/api/providers/discover', { spec: draft('openai-compatible') });
    expect(others.text).not.toContain('Incorrect API key provided');
    offer('<html>Welcome</html>');
    expect((await discover()).json.error.code).toBe('upstream_invalid_response');
    offer({}, 404);
    expect((await discover()).json).toMatchObject({ ok: false, error: { code: 'upstream_error' } });
    expect((await gateway.as('admin', 'GET', '/api/providers')).json).toEqual(before);
  });

  it('uses the stored secret of a provider that is named, for those alone who manage it', async () => {
    await gateway.as('admin', 'POST', '/api/providers', { name: 'kept', spec: draft('openai-compatible') });
    offer({ data: [{ id: 'one' }] });
    const spec = { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: '***' } };
    expect(names((await discover('openai-compatible', { spec, name: 'kept' })).json)).toEqual(['one']);
    expect(vendor.requests[0]?.headers.authorization).toBe('Bearer sk-draft');
    expect((await gateway.as('developer', 'POST', '/api/providers/discover', { spec, name: 'kept' })).status).toBe(403);
    expect((await gateway.as('user', 'POST', '/api/providers/discover', { spec })).status).toBe(403);
  });
});
