/** Starts Pailou in front of the upstream: authentication on, a user of the lowest role, and one grant. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { freePort, runPailou, startPailou } from '../bench/processes.ts';

/** The upstream's name in Pailou. */
export const serverName = 'conformance';
/** The suite starts when the catalogue lists this tool. */
const firstTool = 'test_simple_text';
const patienceMs = 15_000;

/** Sorts before all other skills, because the suite examines the first one. It contains a nested folder. */
const skillName = 'a-skill';
const skillMd = `---\nname: ${skillName}\ndescription: Is examined.\nlicense: Apache-2.0\n---\n\nRead references/more.md.\n`;
const skillFiles = Object.entries({ 'SKILL.md': skillMd, 'references/more.md': '# More\n' }).map(([path, text]) => ({
  path,
  base64: Buffer.from(text).toString('base64'),
}));

export interface ExaminedGateway extends AsyncDisposable {
  readonly url: string;
  /** The token of the user. */
  readonly token: string;
  /** Registers the upstream in place of the previous one, and waits until its tools are listed. */
  register(upstream: string, protocol: 'legacy' | 'auto'): Promise<void>;
}

async function send(method: string, url: string, token: string, body?: object): Promise<void> {
  const answer = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
}

async function listTools(url: string, token: string): Promise<readonly string[]> {
  const client = new Client({ name: 'conformance', version: '1.0.0' });
  try {
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
    );
    return (await client.listTools()).tools.map((tool) => tool.name);
  } finally {
    await client.close();
  }
}

/** Starts on a new data folder. Disposal removes the folder. */
export async function startGateway(): Promise<ExaminedGateway> {
  await using owned = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'pailou-conformance-'));
  owned.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const settings = {
    PAILOU_PORT: String(await freePort()),
    PAILOU_IDENTITY_PORT: String(await freePort()),
    PAILOU_DATA_DIR: dataDir,
    PAILOU_LOG_LEVEL: 'warn',
  };
  const pailou = await startPailou(settings);
  owned.defer(() => pailou.stop());
  const admin = await runPailou(settings, 'token', '--role', 'admin');
  const token = await runPailou(settings, 'token', '--role', 'user');
  const grant = { spec: { subject_type: 'role', subject: 'user', capability: `mcp/${serverName}/*`, action: 'use' } };
  await send('POST', `${pailou.url}/api/skills`, admin, {
    name: skillName,
    spec: { kind: 'package', description: 'Is examined.', model: 'demo/echo', options: { files: skillFiles } },
  });
  await send('POST', `${pailou.url}/api/grants`, admin, {
    spec: { subject_type: 'role', subject: 'user', capability: `skill/${skillName}`, action: 'use' },
  });
  let registered = false;
  const all = owned.move();
  return {
    url: pailou.url,
    token,
    async register(upstream, protocol) {
      if (registered) await send('DELETE', `${pailou.url}/api/mcp-servers/${serverName}`, admin);
      const spec = { kind: 'http', options: { url: upstream, protocol, sessions: protocol === 'legacy' ? 'user' : 'shared' } };
      await send('POST', `${pailou.url}/api/mcp-servers`, admin, { name: serverName, spec });
      await send('POST', `${pailou.url}/api/grants`, admin, grant);
      registered = true;
      const url = `${pailou.url}/mcp/${serverName}`;
      for (const began = Date.now(); Date.now() - began < patienceMs; await sleep(100)) {
        const tools = await listTools(url, token).catch((): readonly string[] => []);
        if (tools.includes(firstTool)) return;
      }
      throw new Error(`Pailou did not learn the tools of the upstream (protocol ${protocol}) in ${patienceMs} ms.`);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
