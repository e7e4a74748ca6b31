/** The official suite as a program: runs it in a process of its own and reads what it found. */
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
  /** False for what the revision does not require; it is run and told, nothing more. */
  readonly scored: boolean;
  /** What was wrong, one line each. Empty for a pass. */
  readonly faults: readonly string[];
}

const home = fileURLToPath(new URL('../node_modules/@modelcontextprotocol/conformance', import.meta.url));
const preload = new URL('bearer.ts', import.meta.url).href;
/** A run that hangs is a failed one. */
const longestMs = 15 * 60_000;

const requirements = z.object({ server: z.array(z.string()), client: z.array(z.string()) });
const checks = z.array(z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }));

/** The names of the scenarios that the revision requires. */
export function required(revision: Revision, side: 'server' | 'client'): readonly string[] {
  return requirements.parse(parse(readFileSync(join(home, 'requirements', `${revision}.yaml`), 'utf8')))[side];
}

/** What stops a run before its end. */
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
  // Its exit code counts what is not required too; the files tell which failed.
  await once(child, 'exit');
}

type Checks = z.output<typeof checks>;

const failures = (all: Checks): readonly string[] =>
  all.filter((check) => check.status === 'FAILURE').map((check) => `${check.id}: ${check.errorMessage ?? 'failed'}`);

/** Of scenarios that pass over what is not announced, and only warn of what should be. */
const failuresAndGaps = (all: Checks): readonly string[] => {
  const gaps = all.filter((check) => check.status === 'WARNING').map((check) => `${check.id}: ${check.errorMessage ?? 'a warning'}`);
  // Beside those of the scenario there are checks of every message's form.
  return all.some((check) => check.status === 'SUCCESS' && check.id.startsWith('sep-'))
    ? [...failures(all), ...gaps]
    : ['nothing was examined'];
};

/** Runs the suite with these arguments; the faults of each scenario that it came to, by name. */
async function faultsOf(
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  faultsIn = failures,
): Promise<Map<string, readonly string[]>> {
  const folder = mkdtempSync(join(tmpdir(), 'pailou-conformance-'));
  try {
    await run([...args, '--output-dir', folder], settings);
    // <side->name-<time of the run>/checks.json; a name may hold a slash.
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

/** For the suite's own process: with the token, if there is a wall. */
const throughWall = (token: string | null): Record<string, string> =>
  token === null ? {} : { CONFORMANCE_TOKEN: token, NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${preload}` };

/** Every server scenario of `revision`, against `url`, with `token` if there is a wall. */
export async function examineServer(url: string, revision: Revision, token: string | null): Promise<readonly Scenario[]> {
  const found = await faultsOf(['server', '--url', url, '--requirements', revision], throughWall(token));
  const scored = required(revision, 'server');
  return [...new Set([...scored, ...found.keys()])].map((name) => ({
    name,
    scored: scored.includes(name),
    faults: found.get(name) ?? notRun,
  }));
}

/** The scenarios of an extension, which no revision requires; here they are. */
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

/** The given client scenarios of `revision`; the suite starts `command` with the address of a server of its own. */
export async function examineClient(command: string, revision: Revision, scenarios: readonly string[]): Promise<readonly Scenario[]> {
  const results: Scenario[] = [];
  for (const name of scenarios) {
    const found = await faultsOf(['client', '--command', command, '--scenario', name, '--spec-version', revision]);
    results.push({ name, scored: true, faults: found.get(name) ?? notRun });
  }
  return results;
}
