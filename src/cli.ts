#!/usr/bin/env node
/** The entry point of `pailou`, loaded by `bin/pailou.js`. */
if (process.argv[2] === 'start') {
  const { handOverSecrets } = await import('./config/secret-handover.ts');
  handOverSecrets(process.env, process.argv.slice(1));
}
// The reader of a pipe may stop before the end, such as `pailou export | head`; a terminal that closed gives EIO.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  if (process.argv[2] !== 'start') process.exit();
});
const { runCommandLine } = await import('./command-line.ts');
await runCommandLine(process.argv.slice(2));
