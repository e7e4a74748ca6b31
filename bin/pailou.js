#!/usr/bin/env node
// The entry point of `pailou`: checks the version of Node, then loads the TypeScript of a checkout or the JavaScript of the package.
// It is JavaScript that old versions of Node can read.
import { existsSync, mkdirSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The first process of a container gets no signal that it does not listen to, so that a stop during the start would be lost.
// `start` replaces these listeners once the gateway is open.
if (process.argv[2] === 'start' || process.pid === 1)
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }))
    process.on(signal, () => process.exit(process.argv[2] === 'start' ? 0 : 128 + number));

const oldest = 24;
if (Number(process.versions.node.split('.')[0]) < oldest) {
  process.stderr.write(
    `Pailou needs Node ${oldest} or newer; ${process.execPath} is ${process.version}. ` +
      'Install a newer Node, or run "npm ci" without --omit=dev, which brings Node 26 along for "npm start" and "npx pailou".\n',
  );
  process.exit(1);
}
// Compiled code is kept from start to start, in the data folder: others may write to the system's temporary folder, and it may be empty
// after a restart. It comes before the first TypeScript, which would load Node's compiler for it.
const data = process.env.PAILOU_DATA_DIR || '.pailou';
const compiled = join(data, 'compile-cache');
try {
  // Not `recursive`, which never returns below /proc.
  if (process.argv[2] === 'start') for (const folder of [data, compiled]) if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  if (existsSync(compiled)) nodeModule.enableCompileCache(compiled);
} catch {
  // Without a cache it is only slower. The start reports a folder that cannot be used.
}
const source = new URL('../src/cli.ts', import.meta.url);
await import(existsSync(fileURLToPath(source)) ? source.href : new URL('../dist/src/cli.js', import.meta.url).href);
