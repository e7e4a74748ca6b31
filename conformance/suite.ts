/** Runs the official suite in a child process and reads its results. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

export const revisions = ['2025-11-25', '2026-07-28'] as const;
export type Revision = (typeof revisions)[number];

export interface Scenario {
  readonly name: string;
  /** False for a scenario that the revision does not require. It runs and is reported, but is not scored. */
  readonly scored: boolean;
  /** Reasons of the failure, one line each. Empty for a pass. */
  readonly faults: readonly string[];
}

const home = fileURLToPath(new URL('../test/node_modules/@modelcontextprotocol/conformance', import.meta.url));
const preload = new URL('bearer.ts', import.meta.url).href;
/** A run that takes longer than this has failed. */
const longestMs = 15 * 60_000;

const requirements = z.object({ server: z.array(z.string()), client: z.array(z.string()) });
const checks = z.array(z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }));

/** The names of the scenarios that the revision requires. */
export function required(revision: Revision, side: 'server' | 'client'): readonly string[] {
  return requirements.parse(parse(readFileSync(join(home, 'requirements', `${revision}.yaml`), 'utf8')))[side];
}

/** Aborts the run early. */
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`Stopped by ${name}.`)));

async function run(args: readonly string[], settings: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn(process.execPath, [join(home, 'dist/index.js'), ...args], {
    env: { ...process.env, ...settings },
    stdio: 'ignore',
    signal: stop.signal,
    timeout: longestMs,
    killSignal: 'SIGKILL',
  });
  // The exit code also counts scenarios that are not required; the result files say which one failed.
  await once(child, 'exit');
}

type Checks = z.output<typeof checks>;

const failures = (all: Checks): readonly string[] =>
  all.filter((check) => check.status === 'FAILURE').map((check) => `${check.id}: ${check.errorMessage ?? 'failed'}`);

/** Failures and warnings, for scenarios that skip capabilities that are not announced and only warn of missing ones. */
const failuresAndGaps = (all: Checks): readonly string[] => {
  const gaps = all.filter((check) => check.status === 'WARNING').map((check) => `${check.id}: ${check.errorMessage ?? 'a warning'}`);
  // The results also contain checks of each message's format, besides those of the scenario.
  return all.some((check) => check.status === 'SUCCESS' && check.id.startsWith('sep-'))
    ? [...failures(all), ...gaps]
    : ['nothing was examined'];
};

/** Runs the suite with these arguments. Resolves with the faults of each scenario that ran, by name. */
async function faultsOf(
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  faultsIn = failures,
): Promise<Map<string, readonly string[]>> {
  const folder = mkdtempSync(join(tmpdir(), 'pailou-conformance-'));
  try {
    await run([...args, '--output-dir', folder], settings);
    // <side->name-<time of the run>/checks.json; a name may contain a slash.
    return new Map(
      globSync(join(folder, '**/checks.json')).map((file) => {
        const name = relative(folder, dirname(file))
          .replace(/^server-(?=.*-\d{4}-\d\d-\d\dT)/, '')
          .replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '');
        return [name, faultsIn(checks.parse(JSON.parse(readFileSync(file, 'utf8'))))] as const;
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const notRun = ['the suite did not come to its end'];

/** Environment of the suite's process: the token, if the server requires one. */
const throughWall = (token: string | null): Record<string, string> =>
  token === null ? {} : { CONFORMANCE_TOKEN: token, NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${preload}` };

/** Runs every server scenario of `revision` against `url`, with `token` if the server requires one. */
export async function examineServer(url: string, revision: Revision, token: string | null): Promise<readonly Scenario[]> {
  const found = await faultsOf(['server', '--url', url, '--requirements', revision], throughWall(token));
  const scored = required(revision, 'server');
  return [...new Set([...scored, ...found.keys()])].map((name) => ({
    name,
    scored: scored.includes(name),
    faults: found.get(name) ?? notRun,
  }));
}

/** Runs the scenarios of an extension. No revision requires them; Pailou does. */
export async function examineExtension(
  url: string,
  revision: Revision,
  token: string | null,
  scenarios: readonly string[],
): Promise<readonly Scenario[]> {
  const results: Scenario[] = [];
  for (const name of scenarios) {
    const args = ['server', '--url', url, '--scenario', name, '--spec-version', revision, '--force'];
    const found = await faultsOf(args, throughWall(token), failuresAndGaps);
    results.push({ name, scored: true, faults: found.get(name) ?? notRun });
  }
  return results;
}

/** Runs client scenarios of `revision` against `command`. The suite starts it with the URL of a server to connect to. */
export async function examineClient(command: string, revision: Revision, scenarios: readonly string[]): Promise<readonly Scenario[]> {
  const results: Scenario[] = [];
  for (const name of scenarios) {
    const found = await faultsOf(['client', '--command', command, '--scenario', name, '--spec-version', revision]);
    results.push({ name, scored: true, faults: found.get(name) ?? notRun });
  }
  return results;
}
