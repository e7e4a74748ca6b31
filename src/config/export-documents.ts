/** The rows of a tenant as documents, in a stable order, with a reference in place of each secret. */
import { mask } from '../storage/secret-box.ts';
import { type ConfigRow, resourceSpecs } from '../types/resources.ts';
import { apiVersion, type ConfigDocument, documentedKinds, documentKinds, type DocumentedKind } from './documents.ts';
import { labelsOfPeople } from './file-owned.ts';
import { escaped, escapedOption } from './references.ts';
import type { ConfigService } from './service.ts';

/** A name for the variable of a secret, e.g. PROVIDER_OPENAI_API_KEY. */
function variableOf(kind: DocumentedKind, name: string, path: readonly string[]): string {
  return [kind, name, ...path]
    .join('_')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_');
}

interface Naming {
  readonly kind: DocumentedKind;
  readonly name: string;
  readonly taken: Set<string>;
}

function withReferences(value: unknown, path: readonly string[], naming: Naming): unknown {
  if (value === mask) {
    const wanted = variableOf(
      naming.kind,
      naming.name,
      path.filter((part) => part !== 'options'),
    );
    let variable = wanted;
    for (let number = 2; naming.taken.has(variable); number++) variable = `${wanted}_${number}`;
    naming.taken.add(variable);
    return `\${env:${variable}}`;
  }
  // People who may write a row may not read the variables and files of the administrator who applies an export.
  if (typeof value === 'string') {
    const isOption = (naming.kind === 'provider' || naming.kind === 'mcp') && path[0] === 'options';
    return isOption ? escapedOption(value) : escaped(value);
  }
  if (Array.isArray(value)) return value.map((inner, index) => withReferences(inner, [...path, String(index)], naming));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withReferences(inner, [...path, key], naming)]));
}

/** The spec with its fields in the order of the schema, whatever wrote them last. */
function inOrder(kind: DocumentedKind, spec: ConfigRow['spec']): ConfigRow['spec'] {
  const fields = Object.keys(resourceSpecs[kind].safeParse(spec).data ?? {});
  return Object.fromEntries(Object.entries(spec).toSorted(([a], [b]) => fields.indexOf(a) - fields.indexOf(b)));
}

function documentOf(kind: DocumentedKind, row: ConfigRow, taken: Set<string>): ConfigDocument {
  // The file of this gateway owns nothing elsewhere.
  const labels = labelsOfPeople(row);
  return {
    apiVersion,
    kind: documentKinds[kind],
    metadata: {
      name: row.name,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(row.owner === null ? {} : { owner: row.owner }),
    },
    ...(row.enabled ? {} : { enabled: false }),
    spec: withReferences(inOrder(kind, row.spec), [], { kind, name: row.name, taken }) as ConfigDocument['spec'],
  };
}

export interface Exported {
  readonly documents: ConfigDocument[];
  /** The environment variables that the documents reference. */
  readonly variables: string[];
}

export function exportDocuments(config: Pick<ConfigService, 'rows' | 'mask'>, tenant: string): Exported {
  const taken = new Set<string>();
  const documents = documentedKinds.flatMap((kind) =>
    config
      .rows(tenant, kind)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((row) => documentOf(kind, config.mask(row), taken)),
  );
  return { documents, variables: [...taken] };
}
