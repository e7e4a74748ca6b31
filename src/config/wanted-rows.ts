/** Documents as the rows that they describe, and the rows that they no longer describe. */
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import type { WantedRow } from './apply.ts';
import { type ConfigDocument, documentedKinds, kindOf } from './documents.ts';
import type { ConfigService } from './service.ts';

/** The documents as rows. Throws for a document that appears twice, or of another tenant. */
export function wantedRows(documents: readonly ConfigDocument[], tenant: string, labels: Readonly<Record<string, string>>): WantedRow[] {
  const seen = new Map<string, number>();
  return documents.map((document, index) => {
    const { name, owner, labels: own, tenant: namedTenant = tenant } = document.metadata;
    const place = `documents[${index}]`;
    const kind = kindOf(document);
    const key = `${kind} ${name}`;
    const first = seen.get(key);
    if (first !== undefined)
      throw new GatewayError(
        'configuration_invalid',
        `${place}: ${document.kind} "${name}" is there already, as documents[${first}]. Keep one.`,
        {
          param: `${place}.metadata.name`,
        },
      );
    seen.set(key, index);
    if (namedTenant !== tenant)
      throw new GatewayError(
        'configuration_invalid',
        `${place}.metadata.tenant: you may only apply documents of your own tenant, ${tenant}.`,
        {
          param: `${place}.metadata.tenant`,
        },
      );
    return {
      index,
      kind,
      tenant,
      name,
      spec: document.spec,
      // Without labels the row keeps those that it has.
      ...(own === undefined && Object.keys(labels).length === 0 ? {} : { labels: { ...own, ...labels } }),
      ...(owner === undefined ? {} : { owner }),
      ...(document.enabled === undefined ? {} : { enabled: document.enabled }),
    };
  });
}

/** The rows that carry all labels and are not wanted. */
export function prunedRows(
  config: Pick<ConfigService, 'rows'>,
  wanted: readonly WantedRow[],
  tenant: string,
  labels: Readonly<Record<string, string>>,
): ConfigRow[] {
  const kept = new Set(wanted.map(({ kind, name }) => `${kind} ${name}`));
  const carries = (own: Readonly<Record<string, string>> = {}): boolean =>
    Object.entries(labels).every(([key, value]) => own[key] === value);
  return documentedKinds.flatMap((kind) =>
    config.rows(tenant, kind).filter((row) => carries(row.labels) && !kept.has(`${kind} ${row.name}`)),
  );
}
