#!/usr/bin/env node
/** The entry of `pailou`: compiled code is kept between starts, so everything else is loaded after that is switched on. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runCommandLine } = await import('./command-line.ts');
await runCommandLine(process.argv.slice(2));
