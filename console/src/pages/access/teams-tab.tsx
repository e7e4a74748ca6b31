/** The teams: which role or group makes members, who administers them, their members and the keys of their service accounts. */
import { type ReactNode, useMemo } from 'react';
import { type Row, type Spec, usePaged } from '../../api/rows.ts';
import { AddButton } from '../../components/add-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ResourceDrawer } from '../../components/resource-drawer.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { changedColumn, nameColumn, stateColumn } from '../../components/row-columns.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { TeamKeys } from './team-keys.tsx';
import { TeamMembers } from './team-members.tsx';
import { texts } from './texts.ts';

interface TeamSpec extends Spec {
  readonly description: string;
  readonly role: string;
  readonly administrator_role?: string;
  readonly administrators: readonly string[];
}

const initial = { name: '', enabled: true, spec: { role: '' } };

export function TeamsTab(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [{ open, add, part }, setSearch] = useSearchState('open', 'add', 'part');
  const query = usePaged<Row<TeamSpec>>('/api/teams');
  const columns = useMemo(
    (): readonly Column<Row<TeamSpec>>[] => [
      nameColumn(t('team'), 170, (row) => setSearch({ open: row.name, add: undefined, part: undefined })),
      { key: 'role', title: t('memberRole'), width: 170, render: ({ spec }) => <code translate="no">{spec.role}</code> },
      {
        key: 'administrators',
        title: t('administrators'),
        width: 250,
        render: ({ spec }) => (
          <span translate="no">
            {[...(spec.administrator_role === undefined ? [] : [spec.administrator_role]), ...spec.administrators].join(', ')}
          </span>
        ),
      },
      { key: 'description', title: t('description'), width: 230, render: ({ spec }) => <span translate="no">{spec.description}</span> },
      changedColumn(t('changed'), format),
      stateColumn(t('state')),
    ],
    [t, format, setSearch],
  );
  const close = (): void => setSearch({ open: undefined, add: undefined, part: undefined });
  return (
    <>
      <p>
        <AddButton text={t('addTeam')} onAdd={() => setSearch({ add: 'yes', open: undefined, part: undefined })} />
      </p>
      <ResourceTable
        label={t('teams')}
        query={query}
        columns={columns}
        rowKey={({ id }) => id}
        textOf={({ name, spec }) => `${name} ${spec.role} ${spec.administrators.join(' ')}`}
        empty={<EmptyState title={t('noTeams')} help={t('noTeamsHelp')} />}
      />
      {(open !== undefined || add !== undefined) && (
        <ResourceDrawer
          key={open ?? 'new'}
          collection="teams"
          name={open ?? null}
          title={open ?? t('addTeam')}
          initial={initial}
          tab={part}
          onTab={(next) => setSearch({ part: next === 'form' ? undefined : next })}
          tabs={[
            { key: 'members', label: t('members'), content: ({ stored }) => <TeamMembers team={stored.name} /> },
            { key: 'keys', label: t('teamKeys'), content: ({ stored }) => <TeamKeys team={stored.name} /> },
          ]}
          onClose={close}
        />
      )}
    </>
  );
}
