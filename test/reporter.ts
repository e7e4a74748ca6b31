/** Names every skipped test with its reason at the end of a run, and closes it with one line that machines can read. */
import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node';
import { isAskedFor } from './left-out.ts';

/** The name of a missing service in a suite's name, and how to start it. Tests that skip by a condition have no note of their own. */
const services = [
  { pattern: /postgres/i, why: 'needs PostgreSQL: set PAILOU_TEST_POSTGRES_URL' },
  { pattern: /mysql/i, why: 'needs MySQL or MariaDB: set PAILOU_TEST_MYSQL_URL' },
  { pattern: /redis/i, why: 'needs Redis: set PAILOU_TEST_REDIS_URL' },
  { pattern: /prometheus/i, why: 'needs Prometheus on the PATH' },
  { pattern: /contract/i, why: 'needs the contract checker: set PAILOU_TEST_CONTRACTS' },
  { pattern: /history of git/i, why: 'needs the history of git: git fetch --unshallow' },
  { pattern: /coding agents/i, why: 'needs Claude Code and Codex: set PAILOU_TEST_CLAUDE and PAILOU_TEST_CODEX to their programs' },
  { pattern: /browser|chromium/i, why: 'needs a browser' },
] as const;

function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === 'skipped' && result.note) return result.note;
  return (
    services.find(({ pattern }) => pattern.test(`${test.module.moduleId} ${test.fullName}`))?.why ?? 'skipped by a condition in its file'
  );
}

function skippedLines(skipped: readonly TestCase[]): string[] {
  const groups = new Map<string, { count: number; reason: string }>();
  for (const test of skipped) {
    const suite = test.parent.type === 'suite' ? test.parent.fullName : test.name;
    const reason = reasonOf(test);
    const key = `${test.module.relativeModuleId} > ${suite}`;
    const group = groups.get(`${key}\n${reason}`) ?? { count: 0, reason };
    groups.set(`${key}\n${reason}`, { count: group.count + 1, reason });
  }
  return [...groups].map(([key, { count, reason }]) => `  ${key.split('\n')[0]} (${count} ${count === 1 ? 'test' : 'tests'}): ${reason}`);
}

/** The file names and patterns of the command line, which the types of Vitest leave out. */
interface WithPatterns {
  readonly filenamePattern?: readonly string[];
}

/** Prints `Tests: N passed, N failed, N skipped` last. With PAILOU_TEST_NO_SKIP=1 a skipped test fails the run. */
export class SummaryReporter implements Reporter {
  readonly #leftOut: ReadonlyMap<string, string>;
  #vitest: WithPatterns = {};

  /** @param leftOut Test files that are not run, each with the package that is not installed. They count as skipped, whatever they hold. */
  constructor(leftOut: ReadonlyMap<string, string> = new Map()) {
    this.#leftOut = leftOut;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest as Vitest & WithPatterns;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[], reason: TestRunEndReason): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
    const skipped = [...inState('skipped'), ...inState('pending')];
    // A file that fails to load, or a hook that throws, has no failed test of its own but must count as a failure.
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const brokenSuites = modules.flatMap((module) => [...module.children.allSuites()]).filter((suite) => suite.errors().length > 0).length;
    const failed = inState('failed').length + broken + brokenSuites + unhandled.length;
    const passed = inState('passed').length;
    const lines: string[] = [];
    const leftOut = [...this.#leftOut]
      .filter(([path]) => isAskedFor(path, this.#vitest.filenamePattern ?? []))
      .map(([path, name]) => `  ${path} (the whole file): needs ${name}: npm run test:packages`);
    const skippedCount = skipped.length + leftOut.length;
    if (skippedCount > 0) lines.push('Skipped:', ...skippedLines(skipped), ...leftOut);
    if (skippedCount > 0 && process.env['PAILOU_TEST_NO_SKIP'] === '1') {
      lines.push('PAILOU_TEST_NO_SKIP=1: this run allows no skipped test, so it counts as failed.');
      process.exitCode = 1;
    }
    if (reason === 'interrupted') lines.push('The run was interrupted; the numbers are of a part only.');
    lines.push(`Tests: ${passed} passed, ${failed} failed, ${skippedCount} skipped`);
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}
