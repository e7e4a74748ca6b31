/** Rewrites zod's standard messages, such as `Invalid input: expected string, received number`, so that they follow the name of a field. */

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'an object {…}',
  record: 'an object {…}',
  boolean: 'true or false',
  undefined: 'nothing',
};
const kindIn = (name: string): string => kinds[name] ?? name;

const bounds: Readonly<Record<string, string>> = { '>=': 'at least', '<=': 'at most', '>': 'more than', '<': 'less than' };

function typeWords(expected: string, received: string): string {
  const must = `must be ${kindIn(expected)}`;
  // A fraction is still a number.
  return expected === 'int' && received === 'number' ? must : `${must}, not ${kindIn(received)}`;
}

function sizeWords(sign: string, limit: string, unit: string | undefined): string {
  if (unit === undefined) return `must be ${bounds[sign]} ${limit}`;
  if (sign === '>=' && limit === '1') return 'must not be empty';
  return `must have ${bounds[sign]} ${limit} ${limit === '1' ? unit.replace(/s$/, '') : unit}`;
}

const choices = (list: string): string => `must be one of ${list.replaceAll('"|"', '", "')}`;

/** Returns a schema's custom message unchanged. */
export function plainZodMessage(message: string): string {
  const type = /^Invalid input: expected (\w+), received (\w+)$/.exec(message);
  if (type !== null) return typeWords(type[1] ?? '', type[2] ?? '');
  const size = /^Too (?:small|big): expected \w+ to (?:be|have) ([<>]=?)(\S+)(?: (\w+))?$/.exec(message);
  if (size !== null) return sizeWords(size[1] ?? '', size[2] ?? '', size[3]);
  const only = /^Invalid input: expected ("[^]*")$/.exec(message);
  if (only !== null) return `must be ${only[1]}`;
  if (message === 'Invalid ISO datetime') return 'must be a time with its zone, such as 2027-01-31T18:00:00Z';
  if (message === 'Invalid ISO date') return 'must be a day such as 2027-01-31';
  const option = /^Invalid option: expected one of ([^]*)$/.exec(message);
  return option === null ? message : choices(option[1] ?? '');
}
