/** Starts Pailou with everything on (token, permissions, routing, strict emitter, ledger, metrics) and sets it up through its own API. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIssuer } from './issuer.ts';
import { freePort, type StartedPailou, startPailou } from './processes.ts';

export interface BenchedGateway extends StartedPailou {
  readonly token: string;
  /** Of twenty people. */
  readonly tokens: readonly string[];
  /** Tokens that the gateway has not seen. */
  freshTokens(count: number): Promise<readonly string[]>;
  /** Milliseconds from start to ready on the data folder of the first start, plus what `fill` added. */
  readonly againMs: number;
  /** Changes a model through the API. Resolves with the milliseconds until the change was live. */
  change(): Promise<number>;
  /** Calls the control API as an administrator; `path` follows `/api`. */
  admin(method: string, path: string, body: object): Promise<void>;
  /** The longest hold of the event loop since the last look. */
  longestHold(): Promise<string>;
}

async function send(method: string, url: string, token: string, body: object): Promise<void> {
  const answer = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
}

const modelBody = (name: string, provider = 'bench'): object => ({ name, spec: { deployments: [{ provider, model: name }] } });

/** People whose tokens are used in turn. */
const people = 20;

/** The settings of a fresh production start; addresses and ports differ from run to run. */
export const productionSettings = {
  PAILOU_MODE: 'production',
  PAILOU_OAUTH_PRESET: 'generic',
  // The upstream of the benchmark listens on loopback.
  PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
} as const;

/** The largest delay of the event loop since the last look, as the process itself reports it. */
async function longestHold(url: string, token: string): Promise<string> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const seconds = /^pailou_nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await answer.text())?.[1];
  return seconds === undefined ? 'unknown' : `${(Number(seconds) * 1_000).toFixed(0)} ms`;
}

/** Starts Pailou on a new data folder, adds the upstream's models, lets `fill` write to the folder, and restarts. `stop` removes the folder. */
export async function startGateway(
  upstream: string,
  models: Readonly<Record<'bench' | 'claude', readonly string[]>>,
  fill?: (dataDir: string) => Promise<void>,
  more: Readonly<Record<string, string>> = {},
): Promise<BenchedGateway> {
  const dataDir = mkdtempSync(join(tmpdir(), 'pailou-bench-'));
  const issuer = await startIssuer();
  const settings = {
    ...productionSettings,
    PAILOU_PORT: String(await freePort()),
    PAILOU_DATA_DIR: dataDir,
    PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
    PAILOU_OAUTH_ISSUER: issuer.issuer,
    PAILOU_OAUTH_AUDIENCE: issuer.audience,
    ...more,
  };
  let current: StartedPailou | null = null;
  const stop = async (): Promise<void> => {
    await current?.stop();
    issuer.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    current = await startPailou(settings);
    const { readyMs } = current;
    const api = `${current.url}/api`;
    const admin = await issuer.sign('administrator', 'admin');
    await send('POST', `${api}/providers`, admin, {
      name: 'bench',
      spec: { kind: 'openai-compatible', options: { base_url: `${upstream}/v1`, api_key: 'bench' } },
    });
    await send('POST', `${api}/providers`, admin, {
      name: 'claude',
      spec: { kind: 'anthropic', options: { base_url: `${upstream}/v1`, api_key: 'bench' } },
    });
    for (const [provider, names] of Object.entries(models)) {
      for (const name of names) await send('POST', `${api}/models`, admin, modelBody(name, provider));
    }
    await send('POST', `${api}/grants`, admin, {
      spec: { subject_type: 'role', subject: 'user', capability: 'model/bench-*', action: 'use' },
    });
    await send('POST', `${api}/grants`, admin, { spec: { subject_type: 'role', subject: 'user', capability: 'mcp/*', action: 'use' } });
    await current.stop();
    await fill?.(dataDir);
    current = await startPailou(settings);
    const tokens = await Promise.all(Array.from({ length: people }, (_, index) => issuer.sign(`person-${index}`, 'user')));
    const url = current.url;
    return {
      ...current,
      stop,
      token: tokens[0] ?? '',
      tokens,
      freshTokens: (count) => Promise.all(Array.from({ length: count }, (_, index) => issuer.sign(`person-${index % people}`, 'user'))),
      readyMs,
      againMs: current.readyMs,
      change: () => timedChange(api, admin),
      admin: (method, path, body) => send(method, `${url}/api${path}`, admin, body),
      longestHold: () => longestHold(url, admin),
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Milliseconds from sending a model change to its confirmation. The confirmation comes when the change is live on this node. */
async function timedChange(api: string, admin: string): Promise<number> {
  const began = performance.now();
  const { spec } = modelBody('bench-chat') as { spec: object };
  await send('PUT', `${api}/models/bench-chat`, admin, { spec: { ...spec, description: `changed at ${began}` } });
  return performance.now() - began;
}
