/** The process in which the syntax of the files of one answer is looked at. */
import { answerOnce } from '../../sandbox/child-process.ts';
import { type CodeFile, syntaxOf } from '../syntax.ts';

answerOnce(
  (files: readonly CodeFile[]) => files.map(syntaxOf),
  (thrown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
);
