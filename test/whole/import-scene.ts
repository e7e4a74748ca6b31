/** A folder in which `pailou import` runs, and what is in its documents. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { node } from './gateway.ts';

const cli = join(import.meta.dirname, '../../src/cli.ts');

export async function startFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'pailou-import-'));
  return {
    at: (name: string) => join(folder, name),
    pailou: (args: readonly string[], env: Record<string, string> = {}) =>
      new Promise<{ code: number; out: string; err: string }>((resolve) => {
        execFile(node, [cli, ...args], { env: { PATH: process.env['PATH'] ?? '', ...env }, cwd: folder }, (error, out, err) =>
          resolve({ code: Number(error?.code ?? 0), out, err }),
        );
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

type Documents = { kind: string; metadata: { name: string }; enabled?: boolean; spec: Record<string, unknown> }[];
export const documentsIn = (text: string): Documents => parseAllDocuments(text).map((each) => each.toJS() as Documents[number]);
export const specOf = (documents: Documents, kind: string, name: string): Record<string, unknown> | undefined =>
  documents.find((each) => each.kind === kind && each.metadata.name === name)?.spec;
