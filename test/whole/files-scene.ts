/** A folder of configuration files, and the command line that reads them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node, runEnv, type TestGateway } from './gateway.ts';

export const cli = join(import.meta.dirname, '../../src/cli.ts');

export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A folder for files, and the command line of an administrator of `gateway`. */
export async function startScene(gateway?: TestGateway, extra: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'pailou-files-'));
  const own = gateway === undefined ? {} : { PAILOU_URL: gateway.url, PAILOU_TOKEN: await gateway.token('admin') };
  return {
    folder,
    write: (name: string, text: string) => writeFile(join(folder, name), text),
    pailou: (...args: string[]) =>
      new Promise<Printed>((resolve) => {
        const env = { ...runEnv, ...own, ...extra };
        execFile(node, [cli, ...args], { env, cwd: folder }, (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }));
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export const model = (name: string): string =>
  `---\napiVersion: pailou/v1\nkind: Model\nmetadata: { name: ${name} }\nspec: { deployments: [{ provider: demo, model: echo }] }\n`;
