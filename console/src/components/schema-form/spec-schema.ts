/** What the gateway says of the rows of one collection: the schema of a spec, and the options to start with. */
import type { FormSchema, Kind, Kinds, RowKind } from '../../api/kinds.ts';
import type { Collection, Spec } from '../../api/rows.ts';

function rowKindOf(kinds: Kinds, collection: Collection): RowKind | undefined {
  return kinds.rows.find(({ path }) => path === `/api/${collection}`);
}

/** The kind that the spec names. Models, limits and grants have none. */
function kindOf(kinds: Kinds, row: RowKind | undefined, spec: Spec): Kind | undefined {
  const type = row?.spec.properties?.['kind']?.['x-reference']?.slice('kind/'.length);
  return kinds.kinds.find((each) => each.type === type && each.kind === spec['kind']);
}

/** The schema of a row's spec, with the options of the kind that the spec names. */
export function specSchema(kinds: Kinds, collection: Collection, spec: Spec): FormSchema {
  const row = rowKindOf(kinds, collection);
  if (row === undefined) return { type: 'object' };
  const { properties = {} } = row.spec;
  const options = kindOf(kinds, row, spec)?.options;
  if (options === null || options === undefined) return row.spec;
  // The kind's own title says less than that of the field.
  const { title: _title, 'x-zh': _chinese, description: _description, ...fields } = options;
  return { ...row.spec, properties: { ...properties, options: { ...properties['options'], ...fields } } };
}

/** The options in the example of the kind that the spec names. */
export function exampleOptions(kinds: Kinds, collection: Collection, spec: Spec): Spec | undefined {
  const example = kindOf(kinds, rowKindOf(kinds, collection), spec)?.example?.['spec'] as Spec | undefined;
  return example?.['options'] as Spec | undefined;
}

/** The gateway names the rows of the collection. */
export function hasGivenNames(kinds: Kinds, collection: Collection): boolean {
  return rowKindOf(kinds, collection)?.name === null;
}
