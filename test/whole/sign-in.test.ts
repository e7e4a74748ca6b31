/** Browser sign-in at a real OAuth2 service: the cookie, protection from other sites, and its end. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { databaseKinds, postgresUrl } from '../storage/databases.ts';
import { TestBrowser } from './browser.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterEach(() => void vi.useRealTimers());
afterAll(async () => gateway[Symbol.asyncDispose]());

/** A browser that signs in at the gateway. */
class Browser extends TestBrowser {
  readonly #at: TestGateway;

  constructor(at: TestGateway = gateway) {
    super();
    this.#at = at;
  }

  /** Signs in up to the callback URL, without following it. */
  async upToCallback(person: string, query = ''): Promise<string> {
    const page = await this.follow(`${this.#at.url}/auth/login${query}`, (url) => url.includes('/interaction/'));
    const chosen = await this.go(page.url, { method: 'POST', body: new URLSearchParams({ person }) });
    const back = await this.follow(new URL(chosen.headers.get('location') ?? '', page.url).href, (url) => url.includes('/auth/callback'));
    return back.url;
  }

  async signIn(person: string, query = ''): Promise<Response> {
    return this.go(await this.upToCallback(person, query));
  }

  session(): string {
    return this.cookies.get(new URL(this.#at.url).host)?.get('pailou') ?? '';
  }

  async csrf(): Promise<string> {
    return ((await (await this.go(`${this.#at.url}/auth/session`)).json()) as { csrf: string }).csrf;
  }
}

const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { error: { code: string } }).error.code;
const rows = (): { version: number; tokens: string }[] => {
  const database = new DatabaseSync(join(gateway.dataDir, 'pailou.db'), { readOnly: true });
  try {
    return database.prepare('select * from llm_session').all() as unknown as { version: number; tokens: string }[];
  } finally {
    database.close();
  }
};

describe('a person in a browser', () => {
  it('signs in, has their identity, writes only with the csrf token, and signs out at both ends', async () => {
    const browser = new Browser();
    const back = await browser.signIn('admin', '?return_to=/console?tab=models');
    expect(back.status).toBe(303);
    expect(back.headers.get('location')).toBe('/console?tab=models');
    const set = back.headers.getSetCookie().find((line) => line.startsWith('pailou='));
    expect(set).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    const cookie = browser.session();

    const me = await browser.go(`${gateway.url}/api/me`);
    expect(await me.json()).toMatchObject({ subject: 'admin', roles: ['admin'], credential: 'session' });

    const grant = { spec: { subject_type: 'user', subject: 'user', capability: 'model/demo/echo', action: 'use' } };
    const change = (headers: Record<string, string>) =>
      browser.go(`${gateway.url}/api/grants`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(grant),
      });
    for (const wrong of [undefined, '', 'x', cookie]) {
      const refused = await change(wrong === undefined ? {} : { 'x-pailou-csrf': wrong });
      expect(refused.status).toBe(403);
      expect(await codeOf(refused)).toBe('permission_denied');
    }
    const csrf = await browser.csrf();
    expect((await change({ 'x-pailou-csrf': csrf })).status).toBe(201);
    const chat = await browser.go(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-pailou-csrf': csrf },
      body: JSON.stringify({ model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] }),
    });
    expect(chat.status).toBe(200);

    // Neither the cookie nor a token is in the database as plain text.
    const files = await Promise.all(
      ['pailou.db', 'pailou.db-wal'].map((name) => readFile(join(gateway.dataDir, name), 'latin1').catch(() => '')),
    );
    expect(files.join('')).not.toContain(cookie);
    expect(rows()).toHaveLength(1);
    expect(rows()[0]?.tokens).toMatch(/^v1\./);

    const left = await browser.go(`${gateway.url}/auth/logout`, { method: 'POST', headers: { 'x-pailou-csrf': csrf } });
    expect(left.status).toBe(200);
    const { end_session_url: end } = (await left.json()) as { end_session_url: string };
    expect(end).toContain(`${gateway.gateway.issuer}/session/end`);
    expect(browser.session()).toBe('');
    expect(rows()).toHaveLength(0);
    // A copied cookie is useless after sign-out.
    const again = await fetch(`${gateway.url}/api/me`, { headers: { cookie: `pailou=${cookie}` } });
    expect(again.status).toBe(401);
    expect(await codeOf(again)).toBe('token_expired');
    // The service asks for confirmation, then ends its own session.
    const page = await (await browser.go(end)).text();
    expect(page).toContain('Sign out');

    const acts = await eventually(
      async () => (await gateway.as('admin', 'GET', '/api/audit?limit=200')).json.data as { act: string; actor: string; target: string }[],
      (entries) => entries.some(({ act }) => act === 'signed-out'),
    );
    expect(acts.find(({ act }) => act === 'signed-in')).toMatchObject({ target: 'person/admin', actor: 'admin' });
  });

  it('cannot complete the sign-in of another browser', async () => {
    const attacker = new Browser();
    const callback = await attacker.upToCallback('viewer');
    const victim = new Browser();
    const refused = await victim.go(callback);
    expect(refused.status).toBe(400);
    expect(await codeOf(refused)).toBe('sign_in_failed');
    // Even with a ticket of their own, because its state differs.
    await victim.go(`${gateway.url}/auth/login`);
    expect(await codeOf(await victim.go(callback))).toBe('sign_in_failed');
    expect(victim.session()).toBe('');
  });

  it('accepts a code once and no changed ticket, and shows a refusal of the service', async () => {
    const browser = new Browser();
    const callback = await browser.upToCallback('user');
    const { host } = new URL(gateway.url);
    const ticket = browser.cookies.get(host)?.get('pailou-sign-in') ?? '';
    const forged = new URL(callback);
    forged.searchParams.set('state', 'x'.repeat(43));
    expect(await codeOf(await browser.go(forged.href))).toBe('sign_in_failed');
    browser.cookies.get(host)?.set('pailou-sign-in', ticket);
    expect((await browser.go(callback)).status).toBe(303);
    browser.cookies.get(host)?.set('pailou-sign-in', ticket);
    expect(await codeOf(await browser.go(callback))).toBe('sign_in_failed');
    browser.cookies.get(host)?.set('pailou-sign-in', `${ticket.slice(0, -2)}xx`);
    expect(await codeOf(await browser.go(callback))).toBe('sign_in_failed');

    const other = new Browser();
    await other.go(`${gateway.url}/auth/login`);
    const said = await other.go(`${gateway.url}/auth/callback?error=access_denied&state=x`);
    expect(said.status).toBe(400);
  });

  it('gets a new cookie, whatever cookie was there before', async () => {
    const browser = new Browser();
    browser.cookies.set(new URL(gateway.url).host, new Map([['pailou', 'planted']]));
    await browser.signIn('user');
    expect(browser.session()).not.toBe('planted');
    expect(browser.session()).toHaveLength(43);
  });

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '/a\nb'])(
    'is never sent on to %j',
    async (place) => {
      const browser = new Browser();
      const back = await browser.signIn('user', `?return_to=${encodeURIComponent(place)}`);
      expect(back.headers.get('location')).toBe('/');
    },
  );

  it('two cookies of one name are refused, and a token counts before a cookie', async () => {
    const browser = new Browser();
    await browser.signIn('viewer');
    const cookie = `pailou=${browser.session()}`;
    expect((await fetch(`${gateway.url}/api/me`, { headers: { cookie: `${cookie}; pailou=x` } })).status).toBe(401);
    const both = await gateway.as('admin', 'GET', '/api/me', undefined, { cookie });
    expect(both.json).toMatchObject({ subject: 'admin', credential: 'token' });
    expect((await gateway.as(null, 'GET', '/api/me', undefined, { cookie, authorization: 'Bearer x' })).status).toBe(401);
  });

  it('a session is renewed once before its token expires, despite concurrent requests, and ends after its maximum', async () => {
    const browser = new Browser();
    await browser.signIn('developer');
    const before = rows().at(-1)?.tokens;
    const now = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now });
    vi.setSystemTime(now + 8 * 3_600_000 - 15_000);
    const answers = await Promise.all(Array.from({ length: 20 }, () => browser.go(`${gateway.url}/api/me`)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const after = rows().find(({ version }) => version > 1);
    expect(after?.version).toBe(2);
    expect(after?.tokens).not.toBe(before);
    vi.setSystemTime(now + 8 * 3_600_000 + 60_000);
    expect((await browser.go(`${gateway.url}/api/me`)).status).toBe(200);
    vi.setSystemTime(now + 12 * 3_600_000 + 1_000);
    const over = await browser.go(`${gateway.url}/api/me`);
    expect(over.status).toBe(401);
    expect(await codeOf(over)).toBe('token_expired');
  });
});

describe('two nodes', () => {
  it.skipIf(postgresUrl === undefined)('share sessions, and only one renews, because refresh tokens are single-use', async () => {
    await using database = await databaseKinds.find(({ name }) => name === 'PostgreSQL')?.create();
    const shared = { PAILOU_DATABASE_URL: database?.url ?? '', PAILOU_MASTER_KEY: randomBytes(32).toString('base64') };
    await using first = await startGateway(shared);
    await using second = await startGateway({
      ...shared,
      PAILOU_OAUTH_ISSUER: first.gateway.issuer,
      PAILOU_OAUTH_PRESET: 'generic',
      PAILOU_OAUTH_AUDIENCE: first.url,
      PAILOU_OAUTH_CLIENT_ID: 'pailou-browser',
      PAILOU_OAUTH_CLIENT_SECRET: 'pailou-browser',
      PAILOU_PUBLIC_URL: first.url,
    });
    const browser = new Browser(first);
    await browser.signIn('user');
    const cookie = `pailou=${browser.session()}`;
    const ask = (url: string) => fetch(`${url}/api/me`, { headers: { cookie } });
    expect((await ask(second.url)).status).toBe(200);
    const now = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now });
    vi.setSystemTime(now + 8 * 3_600_000 - 15_000);
    const answers = await Promise.all([first, second, first, second, first, second].map(({ url }) => ask(url)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    vi.setSystemTime(now + 8 * 3_600_000 + 60_000);
    expect((await ask(second.url)).status).toBe(200);
  });
});

describe('behind https', () => {
  it('cookies are bound to the host, and the service gets the public address', async () => {
    await using other = await startGateway({ PAILOU_PUBLIC_URL: 'https://gate.example/' });
    const begun = await fetch(`${other.url}/auth/login`, { redirect: 'manual', headers: { 'x-forwarded-host': 'evil.example' } });
    expect(begun.headers.getSetCookie()[0]).toMatch(/^__Host-pailou-sign-in=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/);
    const to = new URL(begun.headers.get('location') ?? '');
    expect(to.searchParams.get('redirect_uri')).toBe('https://gate.example/auth/callback');
    expect(to.searchParams.get('code_challenge_method')).toBe('S256');
    expect(to.searchParams.get('state')).toMatch(/.{30}/);
    // The development identity service knows this address: it leads on to its page with the people.
    const led = await fetch(to, { redirect: 'manual' });
    expect([led.status, led.headers.get('location')?.includes('error=')]).toEqual([303, false]);
  });
});

describe('without a service to sign in at', () => {
  it('reports the missing setting', async () => {
    await using other = await startGateway({ PAILOU_OAUTH_ISSUER: gateway.gateway.issuer, PAILOU_OAUTH_AUDIENCE: gateway.url });
    const refused = await other.as(null, 'GET', '/auth/login');
    expect(refused.status).toBe(404);
    expect(refused.json.error.message).toContain('PAILOU_OAUTH_CLIENT_ID');
  });
});
