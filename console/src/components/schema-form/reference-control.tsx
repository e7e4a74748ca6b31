/** A value that names something of the gateway: the control offers what there is, and accepts any text. */
import { AutoComplete } from 'antd';
import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { call, type Page } from '../../api/client.ts';
import { useKinds } from '../../api/kinds.ts';
import type { Row } from '../../api/rows.ts';
import { useLanguage } from '../../i18n/language.tsx';

const collectionOf: Readonly<Record<string, string>> = {
  provider: 'providers',
  model: 'models',
  skill: 'skills',
  mcp: 'mcp-servers',
  limit: 'limits',
};

interface Offer {
  readonly value: string;
  readonly label: ReactNode;
}

function useOffers(reference: string): readonly Offer[] {
  const { language } = useLanguage();
  const kinds = useKinds();
  const collection = collectionOf[reference];
  const rows = useQuery({
    queryKey: [`/api/${collection}`, 'names'],
    queryFn: ({ signal }) => call<Page<Row>>('GET', `/api/${collection}?limit=500`, { signal }),
    enabled: collection !== undefined,
    staleTime: 10_000,
  });
  if (reference.startsWith('kind/')) {
    const type = reference.slice('kind/'.length);
    return (kinds.data?.kinds ?? [])
      .filter((each) => each.type === type)
      .map((each) => ({
        value: each.kind,
        label: (
          <>
            {(language === 'zh' ? each['x-zh'].title : undefined) ?? each.title} <code>{each.kind}</code>
          </>
        ),
      }));
  }
  return (rows.data?.data ?? []).map(({ name }) => ({ value: name, label: <span translate="no">{name}</span> }));
}

interface ReferenceControlProps {
  readonly id: string;
  readonly disabled: boolean;
  readonly 'aria-label': string;
  readonly reference: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function ReferenceControl({ reference, value, onChange, ...labelled }: ReferenceControlProps): ReactNode {
  const offers = useOffers(reference);
  return (
    <AutoComplete
      {...labelled}
      value={value}
      options={[...offers]}
      showSearch={{ filterOption: (typed, option) => String(option?.value ?? '').includes(typed) }}
      onChange={(next: string) => onChange(next ?? '')}
    />
  );
}
