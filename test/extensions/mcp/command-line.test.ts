/** Allowed command lines: which parameters a row may choose, and which written command matches one. */
import { describe, expect, it } from 'vitest';
import { commandLineOf, programOf } from '../../../src/extensions/mcp/transports/program/command-line.ts';
import type { StdioProgram } from '../../../src/types/stdio-programs.ts';

const program: StdioProgram = {
  name: 'files',
  command: 'node',
  args: ['/opt/files.js', '/srv/{folder}', '--mode={mode}', '--tag={tag}'],
  parameters: { folder: { pattern: '[a-z]+(/[a-z]+)*' }, mode: { values: ['ro', 'rw'], default: 'ro' }, tag: { default: 'none' } },
  env: [],
  cwd: null,
  tenants: null,
};
const made = (parameters: Record<string, string>) => commandLineOf(program, parameters).args;

describe('a command line', () => {
  it('has the values in their positions, each within one argument, and defaults for the rest', () => {
    expect(made({ folder: 'docs/api' })).toEqual(['/opt/files.js', '/srv/docs/api', '--mode=ro', '--tag=none']);
    expect(made({ folder: 'docs', mode: 'rw', tag: 'a.b-c' })).toEqual(['/opt/files.js', '/srv/docs', '--mode=rw', '--tag=a.b-c']);
  });

  it.each([
    ['an option', { folder: 'docs', tag: '--inspect' }, 'begins with "-"'],
    ['a way out of the folder', { folder: 'docs/../../etc' }, 'holds ".."'],
    ['an absolute path', { folder: '/etc' }, 'does not fit the pattern'],
    ['a second argument', { folder: 'docs --eval' }, 'does not fit the pattern'],
    ['a line break', { folder: 'docs', tag: 'a\nb' }, 'control character'],
    ['a zero byte', { folder: 'docs', tag: 'a\0b' }, 'control character'],
    ['a slash where nothing allows one', { folder: 'docs', tag: 'a/b' }, 'letters, digits'],
    ['nothing', { folder: 'docs', tag: '' }, 'letters, digits'],
    ['a value beside those that are listed', { folder: 'docs', mode: 'rwx' }, 'is none of ro, rw'],
    ['another placeholder', { folder: 'docs', tag: '{folder}' }, 'letters, digits'],
    ['a parameter that was not declared', { folder: 'docs', eval: 'x' }, 'no such parameter'],
    ['an inherited name', { folder: 'docs', constructor: 'x' }, 'no such parameter'],
    ['none for one that is needed', {}, 'needs it'],
  ])('refuses a value that is %s', (_what, parameters, why) => {
    expect(() => made(parameters as unknown as Record<string, string>)).toThrow(why);
  });

  it('that is written in full is allowed only if every argument is', () => {
    const of = (...args: string[]) => programOf([program], { command: 'node', args, cwd: null });
    expect(of('/opt/files.js', '/srv/docs', '--mode=rw', '--tag=x')?.parameters).toEqual({ folder: 'docs', mode: 'rw', tag: 'x' });
    expect(of('/opt/files.js', '/srv/docs', '--mode=rw')).toBeNull();
    expect(of('/opt/files.js', '/srv/docs', '--mode=rw', '--tag=x', '--inspect')).toBeNull();
    expect(of('/opt/files.js', '/srv/../etc', '--mode=rw', '--tag=x')).toBeNull();
    expect(of('/opt/other.js', '/srv/docs', '--mode=rw', '--tag=x')).toBeNull();
    expect(programOf([program], { command: 'sh', args: [...program.args], cwd: null })).toBeNull();
    expect(programOf([program], { command: 'node', args: ['/opt/files.js', '/srv/docs', '--mode=rw', '--tag=x'], cwd: '/' })).toBeNull();
  });
});
