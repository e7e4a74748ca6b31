/** The subprocess that checks the syntax of generated files. */
import { serveOneRequest } from '../../sandbox/child-process.ts';
import { type CodeFile, syntaxOf } from '../syntax.ts';

serveOneRequest(
  (files: readonly CodeFile[]) => files.map(syntaxOf),
  (thrown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
);
