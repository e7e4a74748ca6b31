/** OpenID back-channel logout: it ends the browser sessions of a user and their active requests, and nothing else. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestBrowser } from './browser.ts';
import { startGateway, type TestGateway } from './gateway.ts';

const event = 'http://schemas.openid.net/event/backchannel-logout';
let gateway: TestGateway;
let key: JWK;

beforeAll(async () => {
  gateway = await startGateway({ PAILOU_RECHECK_SECONDS: '3600' });
  key = JSON.parse(await readFile(join(gateway.dataDir, 'development-identity.json'), 'utf8')) as JWK;
});
afterAll(() => gateway[Symbol.asyncDispose]());

const good = (): Record<string, unknown> => ({
  iss: gateway.gateway.issuer,
  sub: 'user',
  aud: 'pailou-browser',
  iat: Math.floor(Date.now() / 1_000),
  exp: Math.floor(Date.now() / 1_000) + 120,
  jti: randomUUID(),
  events: { [event]: {} },
});

/** A logout token; an undefined claim is left out. */
async function logoutToken(
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  signer: JWK = key,
): Promise<string> {
  const claims = Object.fromEntries(Object.entries({ ...good(), ...changes }).filter(([, value]) => value !== undefined));
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: String(key.kid), typ: 'logout+jwt', ...header })
    .sign(await importJWK(signer, 'ES256'));
}

const send = (token: string): Promise<Response> =>
  fetch(`${gateway.url}/auth/backchannel-logout`, { method: 'POST', body: new URLSearchParams({ logout_token: token }) });

/** A browser in which this person is signed in. */
async function signedIn(person: string): Promise<{ me(): Promise<number>; open(): Promise<Response>; readonly browser: TestBrowser }> {
  const browser = new TestBrowser();
  const page = await browser.follow(`${gateway.url}/auth/login`, (url) => url.includes('/interaction/'));
  const chosen = await browser.go(page.url, { method: 'POST', body: new URLSearchParams({ person }) });
  const back = await browser.follow(new URL(chosen.headers.get('location') ?? '', page.url).href, (url) => url.includes('/auth/callback'));
  await browser.go(back.url);
  return {
    browser,
    me: async () => (await browser.go(`${gateway.url}/api/me`)).status,
    async open() {
      const { csrf } = (await (await browser.go(`${gateway.url}/auth/session`)).json()) as { csrf: string };
      return browser.go(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-pailou-csrf': csrf },
        body: JSON.stringify({ model: 'demo/slow', stream: true, messages: [{ role: 'user', content: 'Hi' }] }),
      });
    },
  };
}

describe('a logout token', () => {
  it('ends the browser sessions and open calls of its user, once, and of no other user', async () => {
    const [mine, other] = [await signedIn('user'), await signedIn('developer')];
    expect([await mine.me(), await other.me()]).toEqual([200, 200]);
    const stream = mine.open().then((response) => response.text());
    const token = await logoutToken();
    const answer = await send(token);
    expect([answer.status, answer.headers.get('cache-control'), await answer.text()]).toEqual([200, 'no-store', '']);
    expect([await mine.me(), await other.me()]).toEqual([401, 200]);
    expect(await stream).not.toContain('[DONE]');
    const again = await send(token);
    expect(again.status).toBe(400);
    expect(await again.json()).toMatchObject({ error: 'invalid_request', error_description: 'The logout token was used before.' });
  });

  it('that names a session ends that one', async () => {
    const mine = await signedIn('user');
    expect((await send(await logoutToken({ sid: 'another', sub: undefined }))).status).toBe(200);
    expect(await mine.me()).toBe(200);
    expect((await send(await logoutToken({ sub: 'developer' }))).status).toBe(200);
    expect(await mine.me()).toBe(200);
    expect((await send(await logoutToken())).status).toBe(200);
    expect(await mine.me()).toBe(401);
  });

  it('is refused and ends nothing unless it is fully valid', async () => {
    const mine = await signedIn('user');
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const now = Math.floor(Date.now() / 1_000);
    const access = await gateway.token('user');
    const bad: Record<string, string> = {
      'no JWT': 'x',
      'another key': await logoutToken({}, {}, await exportJWK(privateKey)),
      'another issuer': await logoutToken({ iss: 'https://evil.example' }),
      'another client': await logoutToken({ aud: 'other' }),
      'no audience': await logoutToken({ aud: undefined }),
      'no event': await logoutToken({ events: undefined }),
      'another event': await logoutToken({ events: { 'http://schemas.openid.net/event/other': {} } }),
      'an event that is no object': await logoutToken({ events: { [event]: true } }),
      'a nonce': await logoutToken({ nonce: 'n' }),
      'no jti': await logoutToken({ jti: undefined }),
      'neither sub nor sid': await logoutToken({ sub: undefined }),
      'no iat': await logoutToken({ iat: undefined }),
      'an old one': await logoutToken({ iat: now - 3_600, exp: undefined }),
      'one from the future': await logoutToken({ iat: now + 3_600 }),
      'an expired one': await logoutToken({ exp: now - 60 }),
      'another type': await logoutToken({}, { typ: 'at+jwt' }),
      'an access token': access,
      'alg none': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(good())).toString('base64url')}.`,
    };
    for (const [what, token] of Object.entries(bad)) {
      const answer = await send(token);
      expect(answer.status, what).toBe(400);
      expect(await answer.json(), what).toMatchObject({ error: 'invalid_request' });
    }
    for (const body of [new URLSearchParams(), `logout_token=${await logoutToken()}&logout_token=${await logoutToken()}`]) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      expect((await fetch(`${gateway.url}/auth/backchannel-logout`, { method: 'POST', body: String(body), headers })).status).toBe(400);
    }
    expect(await mine.me()).toBe(200);
    expect(decodeJwt(access).sub).toBe('user');
  });
});
