#!/usr/bin/env node
/** The entry point of `pailou`, loaded by `bin/pailou.js`. */
if (process.argv[2] === 'start') {
  const { handOverSecrets } = await import('./config/secret-handover.ts');
  handOverSecrets(process.env, process.argv.slice(1));
}
// The reader of a pipe may stop before the end, such as `pailou export | head`; a terminal that closed gives EIO.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A gateway serves on without its first lines, also on a full disk.
  if (process.argv[2] === 'start') return;
  if (error.code === 'EPIPE' || error.code === 'EIO') process.exit();
  process.stderr.write(`The output cannot be written: ${error.message}\n`);
  process.exit(1);
});
process.stderr.on('error', () => {});
const { runCommandLine } = await import('./command-line.ts');
await runCommandLine(process.argv.slice(2));
