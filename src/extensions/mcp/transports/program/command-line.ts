/** Builds the command line of an allowed program from a row's parameters. Also finds the allowed program that matches a written command line. Pure functions. */
import { GatewayError } from '../../../../types/errors.ts';
import type { CommandLine, ProgramParameter, StdioProgram } from '../../../../types/stdio-programs.ts';

type Values = Readonly<Record<string, string>>;

const placeholder = /\{([a-z][a-z0-9_]*)\}/;
const harmless = /^[A-Za-z0-9._-]*$/;

const refused = (param: string, sentence: string): GatewayError =>
  new GatewayError('configuration_invalid', `${param}: ${sentence}`, { param });

/** Why a value is not allowed; null for an allowed one. */
function fault(value: string, { values, pattern }: ProgramParameter): string | null {
  // Rejected whatever the operator's pattern allows: each of these could change the meaning of the argument.
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) return 'holds a control character';
  if (value.startsWith('-')) return 'begins with "-", as only options do, which the operator sets';
  if (value.split(/[\\/]/).includes('..')) return 'holds "..", which leads out of a folder';
  if (values !== undefined) return values.includes(value) ? null : `is none of ${values.join(', ')}`;
  if (pattern !== undefined) return new RegExp(`^(?:${pattern})$`, 'v').test(value) ? null : `does not fit the pattern ${pattern}`;
  return harmless.test(value) && value !== '' ? null : 'may hold letters, digits, ".", "_" and "-" only';
}

/** Each value is inserted into its argument and never split. Throws `configuration_invalid` that names the parameter. */
export function commandLineOf(program: StdioProgram, given: Values, at = 'spec.options.parameters'): CommandLine {
  const unknownParameter = Object.keys(given).find((name) => !Object.hasOwn(program.parameters, name));
  if (unknownParameter !== undefined) {
    const declared = Object.keys(program.parameters);
    const known = declared.length === 0 ? 'it has none' : `it has ${declared.join(', ')}`;
    throw refused(`${at}.${unknownParameter}`, `the program "${program.name}" has no such parameter; ${known}.`);
  }
  const valueOf = (name: string): string => {
    const parameter = program.parameters[name] ?? {};
    const value = (Object.hasOwn(given, name) ? given[name] : undefined) ?? parameter.default;
    if (value === undefined) throw refused(`${at}.${name}`, `the program "${program.name}" needs it.`);
    const why = fault(value, parameter);
    if (why !== null) throw refused(`${at}.${name}`, `the value ${why}.`);
    return value;
  };
  const args = program.args.map((argument) => argument.replace(/\{([a-z][a-z0-9_]*)\}/g, (_, name: string) => valueOf(name)));
  return { command: program.command, args, cwd: program.cwd };
}

/** The parameter values with which `template` gives this argument; null if there are none. */
function valuesIn(template: string, argument: string): Values | null {
  const names: string[] = [];
  const parts = template.split(new RegExp(placeholder.source, 'g'));
  // Names are at the odd indexes.
  const pattern = parts
    .map((part, index) => (index % 2 === 1 ? (names.push(part), '(.*?)') : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('');
  const found = new RegExp(`^${pattern}$`, 's').exec(argument);
  if (found === null) return null;
  const values: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const value = found[index + 1] ?? '';
    if (Object.hasOwn(values, name) && values[name] !== value) return null;
    values[name] = value;
  }
  return values;
}

function parametersFor(program: StdioProgram, args: readonly string[]): Values | null {
  if (program.args.length !== args.length) return null;
  const all: Record<string, string> = {};
  for (const [index, template] of program.args.entries()) {
    const values = valuesIn(template, args[index] ?? '');
    if (values === null) return null;
    for (const [name, value] of Object.entries(values)) {
      if (Object.hasOwn(all, name) && all[name] !== value) return null;
      all[name] = value;
    }
  }
  return all;
}

/** The allowed program that matches a command line, with its parameters. Null for a line that is not allowed. */
export function programOf(
  programs: readonly StdioProgram[],
  { command, args, cwd }: CommandLine,
): { readonly program: StdioProgram; readonly parameters: Values } | null {
  for (const program of programs) {
    if (program.command !== command || program.cwd !== cwd) continue;
    const parameters = parametersFor(program, args);
    if (parameters === null) continue;
    try {
      const made = commandLineOf(program, parameters);
      if (made.args.every((argument, index) => argument === args[index])) return { program, parameters };
    } catch {
      // The value is not allowed there, so the line is not this program's.
    }
  }
  return null;
}
