/** MCP clients that the company's service does not know: registration, consent, tokens for /mcp alone, with the SDK's own OAuth client. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificate, privateKey } from '../outbound/test-certificate.ts';
import { TestBrowser } from './browser.ts';
import { startGateway, type TestGateway } from './gateway.ts';

const redirect = 'http://127.0.0.1:7777/callback';
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ PAILOU_MCP_SIGN_IN: 'on', PAILOU_FETCH_ALLOW: '127.0.0.1/32,::1/128' });
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Kept {
  client?: unknown;
  tokens?: { readonly access_token: string };
  verifier?: string;
  asked?: URL;
}

/** What an MCP client keeps of its sign-in. */
function keeper(kept: Kept, more: object = {}): never {
  return {
    redirectUrl: redirect,
    clientMetadata: {
      client_name: 'Test <b>client</b>',
      redirect_uris: [redirect],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client: unknown) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens: never) => void (kept.tokens = tokens),
    redirectToAuthorization: (url: URL) => void (kept.asked = url),
    saveCodeVerifier: (verifier: string) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier,
    ...more,
  } as never;
}

const connect = async (kept: Kept, more: object = {}): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> => {
  const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { authProvider: keeper(kept, more) });
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
  await client.connect(transport);
  return { client, transport };
};

/** Opens the page of consent as `person`, signing in on the way. */
async function consentOf(
  browser: TestBrowser,
  person: string,
  asked: string,
): Promise<{ url: string; html: string; headers: Headers; status: number }> {
  let { url, response } = await browser.follow(asked, (each) => each.includes('/interaction/'));
  if (response === null) {
    const chosen = await browser.go(url, { method: 'POST', body: new URLSearchParams({ person }) });
    ({ url, response } = await browser.follow(new URL(chosen.headers.get('location') ?? '', url).href, () => false));
  }
  return { url, html: (await response?.text()) ?? '', headers: response?.headers ?? new Headers(), status: response?.status ?? 0 };
}

async function signIn(kept: Kept, person = 'developer', more: object = {}): Promise<string> {
  await expect(connect(kept, more)).rejects.toThrow(/Unauthorized/i);
  const browser = new TestBrowser();
  const page = await consentOf(browser, person, String(kept.asked));
  expect(page.html).toContain('<form');
  const back = new URL((await browser.submit(page, { decision: 'allow' })).headers.get('location') ?? '');
  expect(back.href.startsWith(`${redirect}?`)).toBe(true);
  expect(back.searchParams.get('iss')).toBe(gateway.url);
  const code = back.searchParams.get('code') ?? '';
  const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { authProvider: keeper(kept, more) });
  await transport.finishAuth(code, back.searchParams.get('iss') as never);
  return code;
}

const form = (path: string, body: Record<string, string>): Promise<Response> =>
  fetch(`${gateway.url}${path}`, { method: 'POST', body: new URLSearchParams(body) });

describe('a client that registers itself', () => {
  test('is let in by the person, uses /mcp with their rights, and nothing else', async () => {
    const kept: Kept = {};
    await signIn(kept);
    const { client } = await connect(kept);
    const { tools } = await client.listTools();
    expect(tools.length).toBeGreaterThan(0);
    await client.close();

    const authorization = `Bearer ${kept.tokens?.access_token}`;
    for (const [method, path] of [
      ['GET', '/v1/models'],
      ['GET', '/api/me'],
      ['GET', '/v1/skills'],
      ['POST', '/auth/exchange'],
    ] as const) {
      const { status } = await fetch(`${gateway.url}${path}`, { method, headers: { authorization } });
      expect([path, status]).toEqual([path, path === '/auth/exchange' ? 404 : 403]);
    }
    const { json } = await gateway.as('developer', 'GET', '/api/keys');
    const key = json.data.find(({ title }: { title: string }) => title.startsWith('MCP client: Test'));
    expect(key).toMatchObject({ title: 'MCP client: Test <b>client</b>', enabled: true, surface: 'mcp' });

    // The person ends it.
    expect((await gateway.as('developer', 'DELETE', `/api/keys/${key.id}`)).status).toBe(204);
    expect((await fetch(`${gateway.url}/mcp`, { method: 'POST', headers: { authorization } })).status).toBe(401);
  });

  test('can end its token itself', async () => {
    const kept: Kept = {};
    await signIn(kept, 'user');
    const token = kept.tokens?.access_token ?? '';
    const ask = async () => (await fetch(`${gateway.url}/mcp`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })).status;
    expect(await ask()).not.toBe(401);
    expect((await form('/oauth/revoke', { token })).status).toBe(200);
    expect(await ask()).toBe(401);
    expect((await form('/oauth/revoke', { token: 'nothing' })).status).toBe(200);
  });

  test('gets no token for a code that was used, is of another client, or comes without the verifier', async () => {
    const kept: Kept = {};
    const code = await signIn(kept);
    const id = (kept.client as { client_id: string }).client_id;
    const good = { grant_type: 'authorization_code', code, client_id: id, redirect_uri: redirect, code_verifier: kept.verifier ?? '' };
    const used = await form('/oauth/token', good);
    expect([used.status, ((await used.json()) as { error: string }).error]).toEqual([400, 'invalid_grant']);
    // Base64 and the parts of a sealed text have several spellings.
    for (const spelling of [`${code}=`, `${code}.more`])
      expect([spelling.slice(code.length), (await form('/oauth/token', { ...good, code: spelling })).status]).toEqual([
        spelling.slice(code.length),
        400,
      ]);
    const other = await (
      await fetch(`${gateway.url}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ redirect_uris: [redirect] }),
      })
    ).json();
    for (const wrong of [
      { code_verifier: 'x'.repeat(43) },
      { client_id: (other as { client_id: string }).client_id },
      { redirect_uri: `${redirect}/` },
      { code: 'v1.nothing' },
    ]) {
      const again: Kept = { client: kept.client };
      await expect(connect(again)).rejects.toThrow();
      const browser = new TestBrowser();
      const page = await consentOf(browser, 'developer', String(again.asked));
      const back = new URL((await browser.submit(page, { decision: 'allow' })).headers.get('location') ?? '');
      const fresh = { ...good, code: back.searchParams.get('code') ?? '', code_verifier: again.verifier ?? '', ...wrong };
      expect((await form('/oauth/token', fresh)).status).toBe(400);
    }
  });

  test('shows a page that escapes, runs nothing and cannot be framed, and takes no for an answer', async () => {
    const kept: Kept = {};
    await expect(connect(kept)).rejects.toThrow();
    const browser = new TestBrowser();
    const page = await consentOf(browser, 'developer', String(kept.asked));
    expect(page.html).toContain('Test &lt;b&gt;client&lt;/b&gt;');
    expect(page.html).toContain(redirect);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const denied = new URL((await browser.submit(page, { decision: 'deny' })).headers.get('location') ?? '');
    expect([denied.searchParams.get('error'), denied.searchParams.get('code')]).toEqual(['access_denied', null]);
    // Another session cannot use the page.
    const thief = new TestBrowser();
    await consentOf(thief, 'user', String(kept.asked));
    const stolen = await thief.submit(page, { decision: 'allow' });
    expect([stolen.status, stolen.headers.get('location')]).toEqual([400, null]);
  });

  test.each([
    ['redirect_uri', `${redirect}/more`],
    ['redirect_uri', 'http://127.0.0.1:7778/callback'],
    ['redirect_uri', 'https://evil.example/callback'],
    ['client_id', 'reg_v1.nothing'],
    ['client_id', 'https://localhost:1/client.json'],
  ])('with another %s (%s) sees a page and is never sent on', async (name, value) => {
    const kept: Kept = {};
    await expect(connect(kept)).rejects.toThrow();
    const asked = new URL(String(kept.asked));
    asked.searchParams.set(name, value);
    const page = await consentOf(new TestBrowser(), 'developer', asked.href);
    expect([page.status, page.html.includes('cannot be connected')]).toEqual([400, true]);
  });

  test.each([
    ['code_challenge_method', 'plain', 'invalid_request'],
    ['response_type', 'token', 'unsupported_response_type'],
    ['resource', 'https://elsewhere.example/mcp', 'invalid_target'],
  ])('with %s=%s is told the error at its own address', async (name, value, error) => {
    const kept: Kept = {};
    await expect(connect(kept)).rejects.toThrow();
    const asked = new URL(String(kept.asked));
    asked.searchParams.set(name, value);
    const browser = new TestBrowser();
    await consentOf(browser, 'developer', String(kept.asked));
    const back = new URL((await browser.go(asked.href)).headers.get('location') ?? '');
    expect([back.origin + back.pathname, back.searchParams.get('error')]).toEqual([redirect, error]);
  });

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'http://evil.example/cb',
    'https://a.example/cb#x',
    'https://u:p@a.example/cb',
    'not an address',
  ])('cannot register the redirect address %s', async (uri) => {
    const answer = await fetch(`${gateway.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [uri] }),
    });
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([400, 'invalid_redirect_uri']);
  });

  test('gets the field and what is wrong with it in plain words', async () => {
    const registration = await fetch(`${gateway.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await registration.json()).toEqual({ error: 'invalid_redirect_uri', error_description: 'redirect_uris: is missing.' });
    const token = await form('/oauth/token', { grant_type: 'authorization_code', code: 'x' });
    expect(await token.json()).toEqual({ error: 'invalid_request', error_description: 'client_id: is missing.' });
  });
});

test('a client that is described by its own address needs no registration', async () => {
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, certificate]);
  let document: object = {};
  const site = createServer({ cert: certificate, key: privateKey }, (_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  try {
    const id = `https://localhost:${(site.address() as AddressInfo).port}/client.json`;
    document = { client_id: id, client_name: 'Described', redirect_uris: [redirect] };
    const kept: Kept = {};
    await signIn(kept, 'developer', { clientMetadataUrl: id });
    expect(kept.asked?.searchParams.get('client_id')).toBe(id);
    const { client } = await connect(kept, { clientMetadataUrl: id });
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    await client.close();
    // A document that names another client is not taken.
    const other = `${id}?x`;
    for (const wrong of [other, id.replace('client.json', 'other.json')]) {
      const asked = new URL(String(kept.asked));
      asked.searchParams.set('client_id', wrong);
      expect((await consentOf(new TestBrowser(), 'developer', asked.href)).status).toBe(400);
    }
  } finally {
    setDefaultCACertificates(trusted);
    site.closeAllConnections();
    site.close();
  }
});

describe('a loopback address that was registered without a port', () => {
  const registered = ['http://localhost/callback', 'http://127.0.0.1/callback', 'http://[::1]'];
  const pageOf = async (uri: string): Promise<number> => {
    const kept: Kept = {};
    await expect(connect(kept)).rejects.toThrow();
    const made = await fetch(`${gateway.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Claude Code', redirect_uris: registered }),
    });
    const asked = new URL(String(kept.asked));
    asked.searchParams.set('client_id', ((await made.json()) as { client_id: string }).client_id);
    asked.searchParams.set('redirect_uri', uri);
    return (await consentOf(new TestBrowser(), 'developer', asked.href)).status;
  };

  test.each(['http://localhost:49567/callback', 'http://127.0.0.1:1/callback', 'http://[::1]:3118', 'http://localhost/callback'])(
    'stands for %s',
    async (uri) => expect(await pageOf(uri)).toBe(200),
  );

  test.each([
    'http://localhost:49567/callback/more',
    'http://localhost:49567/',
    'http://localhost:0/callback',
    'http://localhost:65536/callback',
    'http://localhost:1@evil.example/callback',
    'http://localhost:1.evil.example/callback',
    'https://localhost:49567/callback',
    'http://127.0.0.2:1/callback',
    'http://[::1]:3118/callback',
  ])('does not stand for %s', async (uri) => expect(await pageOf(uri)).toBe(400));

  test('serves a whole sign-in at such a port', async () => {
    const kept: Kept = {};
    const made = await fetch(`${gateway.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Claude Code', redirect_uris: ['http://127.0.0.1/callback'] }),
    });
    kept.client = await made.json();
    await signIn(kept);
    const { client } = await connect(kept);
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    await client.close();
  });
});

test('is off by default, and needs keys', async () => {
  await using other = await startGateway();
  for (const path of ['/.well-known/oauth-authorization-server', '/oauth/authorize'])
    expect((await fetch(`${other.url}${path}`)).status).toBe(404);
  const about = (await (await fetch(`${other.url}/.well-known/oauth-protected-resource/mcp`)).json()) as {
    authorization_servers: string[];
  };
  expect(about.authorization_servers).not.toContain(other.url);
  await expect(startGateway({ PAILOU_MCP_SIGN_IN: 'on', PAILOU_API_KEYS: 'off' })).rejects.toThrow(/PAILOU_MCP_SIGN_IN/);
});
