#!/usr/bin/env node
/** The entry of `pailou`: compiled code is kept between starts, so everything else is loaded after that is switched on. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
if (process.argv[2] === 'start') {
  const { handOverSecrets } = await import('./config/secret-handover.ts');
  handOverSecrets(process.env, process.argv.slice(1));
}
const { runCommandLine } = await import('./command-line.ts');
await runCommandLine(process.argv.slice(2));
