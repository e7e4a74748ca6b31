#!/usr/bin/env node
// The entry point of `pailou`: checks the version of Node, then loads the TypeScript of a checkout or the JavaScript of the package.
// It is JavaScript that old versions of Node can read.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const oldest = 24;
if (Number(process.versions.node.split('.')[0]) < oldest) {
  process.stderr.write(
    `Pailou needs Node ${oldest} or newer; ${process.execPath} is ${process.version}. ` +
      'Install a newer Node, or run "npm ci" without --omit=dev, which brings Node 26 along for "npm start" and "npx pailou".\n',
  );
  process.exit(1);
}
// Before the first TypeScript, which would load Node's compiler for it. Old versions of Node lack the function.
nodeModule.enableCompileCache?.();
const source = new URL('../src/cli.ts', import.meta.url);
await import(existsSync(fileURLToPath(source)) ? source.href : new URL('../dist/src/cli.js', import.meta.url).href);
