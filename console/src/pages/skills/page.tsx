/** Skills: the list, and one skill beside it with its form, a test run, its cases and its versions. */
import { ImportOutlined } from '@ant-design/icons';
import { type ReactNode, useMemo } from 'react';
import { type Row, usePaged } from '../../api/rows.ts';
import { ActButton } from '../../components/act-button.tsx';
import { AddButton } from '../../components/add-button.tsx';
import { Can } from '../../components/can.tsx';
import { ResourcePage } from '../../components/resource-page.tsx';
import type { Column } from '../../components/resource-table.tsx';
import { changedColumn, kindColumn, nameColumn, stateColumn } from '../../components/row-columns.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { ImportModal } from './import-modal.tsx';
import type { SkillSpec } from './skill-api.ts';
import { SkillDrawer } from './skill-drawer.tsx';
import { texts } from './texts.ts';

type SkillRow = Row<SkillSpec>;

export function SkillsPage(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [{ open, add, tab }, setSearch] = useSearchState('open', 'add', 'tab');
  const query = usePaged<SkillRow>('/api/skills');

  const columns = useMemo(
    (): readonly Column<SkillRow>[] => [
      nameColumn(t('title'), 175, (row) => setSearch({ open: row.name, add: undefined, tab: undefined })),
      {
        key: 'description',
        title: t('description'),
        width: 255,
        render: ({ spec }) => <span translate="no">{spec.title === '' ? spec.description : spec.title}</span>,
      },
      kindColumn(t('kind'), 'skill', 170),
      {
        key: 'live',
        title: t('live'),
        width: 115,
        render: ({ spec, partial }) =>
          spec.live == null && partial !== true ? t('unversioned') : <code translate="no">{spec.live ?? spec.version}</code>,
      },
      { key: 'model', title: t('model'), width: 135, render: ({ spec }) => <code translate="no">{spec.model}</code> },
      changedColumn(t('changed'), format),
      stateColumn(t('state')),
    ],
    [t, format, setSearch],
  );

  const actions = (
    <Can right="llm:skill:manage">
      <ActButton icon={<ImportOutlined aria-hidden />} onClick={() => setSearch({ add: 'folder', open: undefined })}>
        {t('import')}
      </ActButton>
      <AddButton text={t('add')} onAdd={() => setSearch({ add: 'yes', open: undefined })} />
    </Can>
  );
  const close = (): void => setSearch({ open: undefined, add: undefined, tab: undefined });
  return (
    <ResourcePage
      title={t('title')}
      purpose={t('purpose')}
      actions={actions}
      emptyTitle={t('emptyTitle')}
      emptyHelp={t('emptyHelp')}
      sharedKind="skill"
      query={query}
      columns={columns}
      textOf={({ name, spec }) => `${name} ${spec.title} ${spec.description} ${spec.kind}`}
    >
      {(open !== undefined || add === 'yes') && (
        <SkillDrawer
          key={open ?? 'new'}
          name={open ?? null}
          tab={tab}
          onTab={(next) => setSearch({ tab: next === 'form' ? undefined : next })}
          onClose={close}
          onSaved={(name) => name !== open && setSearch({ open: name, add: undefined, tab: 'try' })}
        />
      )}
      {add === 'folder' && <ImportModal onClose={close} onImported={(name) => setSearch({ open: name, add: undefined })} />}
    </ResourcePage>
  );
}
