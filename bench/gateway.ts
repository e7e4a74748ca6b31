/** Pailou as a team would run it: token, rights, routing, strict emitter, ledger and metrics all on; set up through its own API. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, runPailou, type StartedPailou, startPailou } from './processes.ts';

export interface BenchedGateway extends StartedPailou {
  readonly token: string;
  /** Start to ready with the data of the first start. */
  readonly againMs: number;
}

async function post(url: string, token: string, path: string, body: object): Promise<void> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
}

/** Starts Pailou on a fresh data folder, starts it once more, and gives it the upstream's models. The folder goes with `stop`. */
export async function startGateway(upstream: string, models: readonly string[]): Promise<BenchedGateway> {
  const dataDir = mkdtempSync(join(tmpdir(), 'pailou-bench-'));
  const settings = {
    PAILOU_PORT: String(await freePort()),
    PAILOU_IDENTITY_PORT: String(await freePort()),
    PAILOU_DATA_DIR: dataDir,
    PAILOU_LOG_LEVEL: 'warn',
  };
  const first = await startPailou(settings);
  await first.stop();
  const second = await startPailou(settings);
  const stop = async (): Promise<void> => {
    await second.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const admin = await runPailou(settings, 'token', '--role', 'admin');
    await post(second.url, admin, '/api/providers', {
      name: 'bench',
      spec: { kind: 'openai-compatible', options: { base_url: `${upstream}/v1`, api_key: 'bench' } },
    });
    for (const name of models)
      await post(second.url, admin, '/api/models', { name, spec: { deployments: [{ provider: 'bench', model: name }] } });
    await post(second.url, admin, '/api/grants', {
      spec: { subject_type: 'role', subject: 'user', capability: 'model/bench-*', action: 'use' },
    });
    const token = await runPailou(settings, 'token', '--role', 'user');
    return { ...second, stop, token, readyMs: first.readyMs, againMs: second.readyMs };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}
