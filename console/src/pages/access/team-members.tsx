/** The members of a team whose tokens have been seen. */
import { Tag } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { usePaged } from '../../api/rows.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface Member {
  readonly id: string;
  readonly username: string;
  readonly administrator: boolean;
  readonly seen_at: string;
}

export function TeamMembers({ team }: { readonly team: string }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const query = usePaged<Member>(`/api/teams/${encodeURIComponent(team)}/members`);
  const columns = useMemo(
    (): readonly Column<Member>[] => [
      { key: 'person', title: t('person'), width: 180, fixed: 'start', render: ({ id }) => <span translate="no">{id}</span> },
      { key: 'username', title: t('username'), width: 140, render: ({ username }) => <span translate="no">{username}</span> },
      { key: 'part', title: t('part'), width: 120, render: (member) => member.administrator && <Tag>{t('administrator')}</Tag> },
      { key: 'seen', title: t('seen'), width: 155, render: (member) => format.dateTime(member.seen_at) },
    ],
    [t, format],
  );
  return (
    <ResourceTable
      label={t('members')}
      isInDrawer
      query={query}
      columns={columns}
      rowKey={({ id }) => id}
      empty={<EmptyState title={t('noMembers')} help={t('noMembersHelp')} />}
    />
  );
}
