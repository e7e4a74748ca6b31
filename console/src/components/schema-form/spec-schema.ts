/** The schema of a row's spec, with the options of the kind that the spec names. */
import type { FormSchema, Kinds } from '../../api/kinds.ts';

/** `row` is the type of the row, such as `provider`; `kinds` names the type of its kinds where that differs. */
export function specSchema(kinds: Kinds, row: string, spec: Readonly<Record<string, unknown>>): FormSchema {
  const known = kinds.rows.find(({ type }) => type === row);
  if (known === undefined) return { type: 'object' };
  const { properties = {} } = known.spec;
  const type = properties['kind']?.['x-reference']?.slice('kind/'.length);
  const options = kinds.kinds.find((each) => each.type === type && each.kind === spec['kind'])?.options;
  if (options === null || options === undefined) return known.spec;
  // The kind's own title says less than that of the field.
  const { title: _title, 'x-zh': _chinese, description: _description, ...fields } = options;
  return { ...known.spec, properties: { ...properties, options: { ...properties['options'], ...fields } } };
}
