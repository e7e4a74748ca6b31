/** Starts Pailou with everything on (token, permissions, routing, strict emitter, ledger, metrics) and sets it up through its own API. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, runPailou, type StartedPailou, startPailou } from './processes.ts';

export interface BenchedGateway extends StartedPailou {
  readonly token: string;
  /** Milliseconds from start to ready on the data folder of the first start, plus what `fill` added. */
  readonly againMs: number;
  /** Changes a model through the API. Resolves with the milliseconds until the change was live. */
  change(): Promise<number>;
  /** Calls the control API as an administrator; `path` follows `/api`. */
  admin(method: string, path: string, body: object): Promise<void>;
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

/** Starts Pailou on a new data folder, adds the upstream's models, lets `fill` write to the folder, and restarts. `stop` removes the folder. */
export async function startGateway(
  upstream: string,
  models: Readonly<Record<'bench' | 'claude', readonly string[]>>,
  fill?: (dataDir: string) => Promise<void>,
): Promise<BenchedGateway> {
  const dataDir = mkdtempSync(join(tmpdir(), 'pailou-bench-'));
  const settings = {
    PAILOU_PORT: String(await freePort()),
    PAILOU_IDENTITY_PORT: String(await freePort()),
    PAILOU_DATA_DIR: dataDir,
    PAILOU_LOG_LEVEL: 'warn',
  };
  let current: StartedPailou | null = null;
  const stop = async (): Promise<void> => {
    await current?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    current = await startPailou(settings);
    const { readyMs } = current;
    const api = `${current.url}/api`;
    const admin = await runPailou(settings, 'token', '--role', 'admin');
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
    const token = await runPailou(settings, 'token', '--role', 'user');
    const changer = await runPailou(settings, 'token', '--role', 'admin');
    return {
      ...current,
      stop,
      token,
      readyMs,
      againMs: current.readyMs,
      change: () => timedChange(api, changer),
      admin: (method, path, body) => send(method, `${current?.url}/api${path}`, changer, body),
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
