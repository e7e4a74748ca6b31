/** Limits and budgets: how much people, roles, teams and keys may call and spend. */
import { Tag } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { type Row, usePaged } from '../../api/rows.ts';
import { AddButton } from '../../components/add-button.tsx';
import { BudgetBars } from '../../components/budget-bars.tsx';
import { ResourceDrawer } from '../../components/resource-drawer.tsx';
import { ResourcePage } from '../../components/resource-page.tsx';
import type { Column } from '../../components/resource-table.tsx';
import { nameColumn, stateColumn } from '../../components/row-columns.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { amountsOf, type LimitSpec } from './amounts.ts';
import { texts } from './texts.ts';

const initial = { name: '', enabled: true, spec: { subject_type: 'user', subject: '*', capability: 'model/*' } };

export function LimitsPage(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [{ open, add }, setSearch] = useSearchState('open', 'add');
  const query = usePaged<Row<LimitSpec>>('/api/limits');
  const columns = useMemo(
    (): readonly Column<Row<LimitSpec>>[] => [
      nameColumn(t('name'), 170, (row) => setSearch({ open: row.name, add: undefined })),
      {
        key: 'subject',
        title: t('subject'),
        width: 190,
        render: ({ spec }) => (
          <>
            <Tag>{t(`subject.${spec.subject_type}`)}</Tag> {spec.subject === '*' ? t('each') : <span translate="no">{spec.subject}</span>}
          </>
        ),
      },
      { key: 'capability', title: t('capability'), width: 190, render: ({ spec }) => <code translate="no">{spec.capability}</code> },
      {
        key: 'amounts',
        title: t('amounts'),
        width: 290,
        render: ({ spec }) => (
          <ul className="plain-list">
            {amountsOf(spec).map(({ key, amount, currency }) => (
              <li key={key}>
                {t(`amount.${key}`, { amount: currency === null ? format.number(amount) : format.money(amount, currency) })}
              </li>
            ))}
          </ul>
        ),
      },
      {
        key: 'expires',
        title: t('expires'),
        width: 165,
        render: ({ spec }) => (spec.expires_at == null ? t('never') : format.dateTime(spec.expires_at)),
      },
      stateColumn(t('state')),
    ],
    [t, format, setSearch],
  );
  const addButton = <AddButton text={t('add')} onAdd={() => setSearch({ add: 'yes', open: undefined })} />;
  return (
    <ResourcePage
      title={t('title')}
      purpose={t('purpose')}
      actions={addButton}
      emptyTitle={t('emptyTitle')}
      emptyHelp={t('emptyHelp')}
      summary={<BudgetBars />}
      query={query}
      columns={columns}
      textOf={({ name, spec }) => `${name} ${spec.subject_type} ${spec.subject} ${spec.capability}`}
    >
      {(open !== undefined || add !== undefined) && (
        <ResourceDrawer
          key={open ?? 'new'}
          collection="limits"
          name={open ?? null}
          title={open ?? t('add')}
          initial={initial}
          onClose={() => setSearch({ open: undefined, add: undefined })}
        />
      )}
    </ResourcePage>
  );
}
