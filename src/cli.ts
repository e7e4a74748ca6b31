#!/usr/bin/env node
/** The entry point of `pailou`. Enables the compile cache before it loads anything else. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
if (process.argv[2] === 'start') {
  const { handOverSecrets } = await import('./config/secret-handover.ts');
  handOverSecrets(process.env, process.argv.slice(1));
}
const { runCommandLine } = await import('./command-line.ts');
await runCommandLine(process.argv.slice(2));
