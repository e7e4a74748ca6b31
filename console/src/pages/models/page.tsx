/** Models: the public names that callers use, what is behind them, and one model in a drawer. */
import { Link } from '@tanstack/react-router';
import { Tag } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { type Row, usePaged } from '../../api/rows.ts';
import { AddButton } from '../../components/add-button.tsx';
import { Can, useCanAct } from '../../components/can.tsx';
import { ResourcePage } from '../../components/resource-page.tsx';
import type { Column } from '../../components/resource-table.tsx';
import { nameColumn } from '../../components/row-columns.tsx';
import { RowState } from '../../components/row-state.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useTexts } from '../../i18n/texts.ts';
import { ModelDrawer } from './model-drawer.tsx';
import { PriceCell, useModelPrices } from './model-prices.tsx';
import { texts } from './texts.ts';

interface ModelSpec {
  readonly description?: string;
  readonly operations?: readonly string[];
  /** Missing in the public part, which those see who may not manage the model. */
  readonly deployments?: readonly { readonly provider: string; readonly model: string; readonly tier?: number }[];
}

type ModelRow = Row<ModelSpec>;

/** Deployments in the order in which they are tried. */
function Chain({ deployments }: { readonly deployments: ModelSpec['deployments'] }): ReactNode {
  const sorted = (deployments ?? []).toSorted((one, other) => (one.tier ?? 0) - (other.tier ?? 0));
  return sorted.map(({ provider, model }, index) => (
    <span key={index} translate="no">
      {index > 0 && ' → '}
      <code>
        {provider}/{model}
      </code>
    </span>
  ));
}

export function ModelsPage(): ReactNode {
  const t = useTexts(texts);
  const [{ open, add, tab }, setSearch] = useSearchState('open', 'add', 'tab');
  const query = usePaged<ModelRow>('/api/models');
  const prices = useModelPrices();
  const canAct = useCanAct();
  const columns = useMemo(
    (): readonly Column<ModelRow>[] => [
      nameColumn(t('title'), 190, (row) => setSearch({ open: row.name, add: undefined, tab: undefined })),
      { key: 'description', title: t('description'), width: 210, render: ({ spec }) => <span translate="no">{spec.description}</span> },
      {
        key: 'operations',
        title: t('operations'),
        width: 110,
        render: ({ spec }) => spec.operations?.map((each) => <Tag key={each}>{<span translate="no">{each}</span>}</Tag>),
      },
      { key: 'chain', title: t('chain'), width: 220, render: ({ spec }) => <Chain deployments={spec.deployments} /> },
      {
        key: 'price',
        title: t('price'),
        width: 130,
        render: ({ name, partial, locked }) => (
          <PriceCell
            prices={prices?.get(name)}
            onSet={
              !canAct || partial === true || locked !== undefined
                ? undefined
                : () => setSearch({ open: name, add: undefined, tab: undefined })
            }
          />
        ),
      },
      { key: 'state', title: t('state'), width: 90, render: (row) => <RowState row={row} /> },
      {
        key: 'try',
        title: t('actions'),
        width: 80,
        fixed: 'end',
        render: ({ name, spec }) =>
          spec.operations?.includes('chat') !== false && (
            <Link to="/playground" search={{ model: name }}>
              {t('try')}
            </Link>
          ),
      },
    ],
    [t, setSearch, prices, canAct],
  );
  const addButton = (
    <Can right="llm:model:manage">
      <AddButton text={t('add')} onAdd={() => setSearch({ add: 'yes', open: undefined })} />
    </Can>
  );
  return (
    <ResourcePage
      title={t('title')}
      purpose={t('purpose')}
      actions={addButton}
      emptyTitle={t('emptyTitle')}
      emptyHelp={t('emptyHelp')}
      emptyAction={<Link to="/providers">{t('toProviders')}</Link>}
      sharedKind="model"
      query={query}
      columns={columns}
      textOf={({ name, spec }) => `${name} ${spec.description ?? ''} ${(spec.deployments ?? []).map(({ provider }) => provider).join(' ')}`}
    >
      {(open !== undefined || add !== undefined) && (
        <ModelDrawer
          key={open ?? 'new'}
          name={open ?? null}
          tab={tab}
          onTab={(next) => setSearch({ tab: next === 'form' ? undefined : next })}
          onClose={() => setSearch({ open: undefined, add: undefined, tab: undefined })}
          // A new model is of use to others once they may use it.
          onSaved={(name) => setSearch(name === open ? { open: undefined, tab: undefined } : { open: name, add: undefined, tab: 'access' })}
        />
      )}
    </ResourcePage>
  );
}
