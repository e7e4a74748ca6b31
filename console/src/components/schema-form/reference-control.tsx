/** A value that names something of the gateway: the control offers what there is, and accepts any text. */
import { AutoComplete, Select } from 'antd';
import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { callAll } from '../../api/client.ts';
import { useKinds } from '../../api/kinds.ts';
import type { Row } from '../../api/rows.ts';
import { useLanguage } from '../../i18n/language.tsx';

/** The lists that hold what a reference may name, with what stands before each name. */
const collectionsOf: Readonly<Record<string, readonly (readonly [collection: string, prefix: string])[]>> = {
  provider: [['providers', '']],
  model: [['models', '']],
  skill: [['skills', '']],
  mcp: [['mcp-servers', '']],
  limit: [['limits', '']],
  team: [['teams', '']],
  capability: [
    ['models', 'model/'],
    ['skills', 'skill/'],
    ['mcp-servers', 'mcp/'],
  ],
};

async function namesOf(reference: string, signal: AbortSignal): Promise<readonly string[]> {
  const lists = (collectionsOf[reference] ?? []).map(async ([collection, prefix]) => {
    const rows = await callAll<Row>(`/api/${collection}`, signal);
    return rows.map(({ name }) => prefix + name);
  });
  return (await Promise.all(lists)).flat();
}

interface Offer {
  readonly value: string;
  /** What a search looks through. */
  readonly text: string;
  readonly label: ReactNode;
}

function useOffers(reference: string): readonly Offer[] {
  const { language } = useLanguage();
  const kinds = useKinds();
  const rows = useQuery({
    queryKey: ['names', reference],
    queryFn: ({ signal }) => namesOf(reference, signal),
    enabled: collectionsOf[reference] !== undefined,
    staleTime: 10_000,
  });
  if (reference.startsWith('kind/')) {
    const type = reference.slice('kind/'.length);
    return (kinds.data?.kinds ?? [])
      .filter((each) => each.type === type)
      .map((each) => {
        const title = (language === 'zh' ? each['x-zh'].title : undefined) ?? each.title;
        const label = (
          <>
            {title} <code translate="no">{each.kind}</code>
          </>
        );
        return { value: each.kind, text: `${title} ${each.kind}`, label };
      });
  }
  return (rows.data ?? []).map((name) => ({ value: name, text: name, label: <span translate="no">{name}</span> }));
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
  // The kinds are known to the last; rows may be named before they exist.
  if (reference.startsWith('kind/')) {
    return (
      <Select
        {...labelled}
        className="form-choice"
        value={value === '' ? null : value}
        options={[...offers]}
        showSearch={{
          filterOption: (typed, option) =>
            String(option?.text ?? '')
              .toLowerCase()
              .includes(typed.toLowerCase()),
        }}
        onChange={(next: string) => onChange(next)}
      />
    );
  }
  return (
    <div translate="no">
      <AutoComplete
        {...labelled}
        value={value}
        options={[...offers]}
        showSearch={{ filterOption: (typed, option) => String(option?.value ?? '').includes(typed) }}
        onChange={(next: string) => onChange(next ?? '')}
      />
    </div>
  );
}
