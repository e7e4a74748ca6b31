/** Keys that are exchanged for short-lived tokens: calls contain no long-lived credential. */
import { SignJWT } from 'jose';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ PAILOU_API_KEYS: 'exchange' });
});
afterEach(() => void vi.useRealTimers());
afterAll(async () => gateway[Symbol.asyncDispose]());

const hello = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };
const make = async (body: object = {}): Promise<{ id: string; key: string }> => {
  await gateway.as('user', 'GET', '/api/me');
  return (await gateway.as('user', 'POST', '/api/keys', body)).json;
};
const exchange = (key: string) => gateway.as(null, 'POST', '/auth/exchange', undefined, { authorization: `Bearer ${key}` });
const call = (token: string, path = '/v1/chat/completions') =>
  path === '/v1/chat/completions'
    ? gateway.as(null, 'POST', path, hello, { authorization: `Bearer ${token}` })
    : gateway.as(null, 'GET', path, undefined, { authorization: `Bearer ${token}` });

describe('a key in the mode exchange', () => {
  it('opens nothing itself, and is exchanged for a token with the rights of the key', async () => {
    const { key } = await make({ capabilities: ['model/demo/echo'] });
    const refused = await call(key);
    expect(refused).toMatchObject({ status: 401, json: { error: { code: 'token_invalid' } } });
    expect(refused.json.error.message).toContain('/auth/exchange');
    const given = await exchange(key);
    expect(given.json).toMatchObject({ token_type: 'Bearer', expires_in: 300 });
    expect(given.headers.get('cache-control')).toBe('no-store');
    const { access_token: token } = given.json as { access_token: string };
    for (let time = 0; time < 2; time++) expect((await call(token)).status).toBe(200);
    // The rights of the key: neither /api, nor capabilities beyond the key, nor another token.
    expect((await call(token, '/api/me')).status).toBe(403);
    expect((await call(token, '/api/keys')).status).toBe(403);
    const other = await gateway.as(
      null,
      'POST',
      '/v1/chat/completions',
      { ...hello, model: 'demo/tools' },
      { authorization: `Bearer ${token}` },
    );
    expect(other.status).toBe(403);
    expect((await exchange(token)).status).toBe(401);
  });

  it('its token ends after five minutes, and with the key at once', async () => {
    const { id, key } = await make();
    const { access_token: token } = (await exchange(key)).json as { access_token: string };
    const now = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now });
    vi.setSystemTime(now + 299_000);
    expect((await call(token)).status).toBe(200);
    vi.setSystemTime(now + 301_000);
    expect(await call(token)).toMatchObject({ status: 401, json: { error: { code: 'token_expired' } } });
    vi.setSystemTime(now);
    expect((await call(token)).status).toBe(200);
    await gateway.as('user', 'DELETE', `/api/keys/${id}`);
    expect(await call(token)).toMatchObject({ status: 401, json: { error: { code: 'token_invalid' } } });
    expect((await exchange(key)).status).toBe(401);
  });

  it('only this gateway can issue such a token', async () => {
    const { id, key } = await make();
    const { access_token: token } = (await exchange(key)).json as { access_token: string };
    const [head, body, signature = ''] = token.split('.');
    const sign = (secret: Uint8Array, typ = 'pailou-key+jwt') =>
      new SignJWT()
        .setProtectedHeader({ alg: 'HS256', typ })
        .setIssuer('urn:pailou:keys')
        .setSubject(id)
        .setExpirationTime('5m')
        .sign(secret);
    const bad = [
      `${head}.${body}.${signature.slice(0, -3)}AAA`,
      `${head}.${Buffer.from(JSON.stringify({ iss: 'urn:pailou:keys', sub: id, exp: 9_999_999_999 })).toString('base64url')}.${signature}`,
      `${head}.${body}.`,
      await sign(randomBytes(32)),
      await sign(Buffer.alloc(32)),
      await sign(randomBytes(32), 'JWT'),
    ];
    for (const forged of bad) expect((await call(forged)).status, forged).toBe(401);
    expect((await exchange('')).status).toBe(401);
  });

  it('tokens of people are still accepted', async () => {
    expect((await gateway.as('user', 'POST', '/v1/chat/completions', hello)).status).toBe(200);
  });
});

it('where keys are accepted directly, the exchange is disabled', async () => {
  await using other = await startGateway();
  await other.as('user', 'GET', '/api/me');
  const { key } = (await other.as('user', 'POST', '/api/keys', {})).json as { key: string };
  expect((await other.as(null, 'POST', '/auth/exchange', undefined, { authorization: `Bearer ${key}` })).status).toBe(404);
});
