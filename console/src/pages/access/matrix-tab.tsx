/** Who may do what: one line for each subject and capability, with the rule that decides. */
import { Checkbox, Tag } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { usePaged } from '../../api/rows.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { TextFilter } from '../../components/text-filter.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { type Ruling, RulingTag } from './ruling-tag.tsx';
import { texts } from './texts.ts';

export interface Line {
  readonly subject: {
    readonly type: 'person' | 'stranger' | 'role' | 'client';
    readonly name: string;
    readonly username?: string;
    readonly roles?: readonly string[];
    readonly seen_at?: string;
  };
  readonly capability: string;
  readonly owner: string | null;
  readonly view: Ruling;
  readonly use: Ruling;
  readonly manage: Ruling;
}

export const actions = ['view', 'use', 'manage'] as const;
export function MatrixTab(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [{ capability, subject, allowed }, setSearch] = useSearchState('capability', 'subject', 'allowed');
  const query = usePaged<Line>('/api/access/matrix', { capability, subject, allowed_only: allowed === 'all' ? 'false' : 'true' });
  const columns = useMemo(
    (): readonly Column<Line>[] => [
      {
        key: 'subject',
        title: t('subject'),
        width: 230,
        fixed: 'start',
        render: ({ subject: who }) => (
          <>
            <Tag>{t(`subject.${who.type}`)}</Tag> <span translate="no">{who.username ?? who.name}</span>
            {who.roles !== undefined && who.roles.length > 0 && <code translate="no"> {who.roles.join(' ')}</code>}
          </>
        ),
      },
      { key: 'capability', title: t('capability'), width: 240, render: (line) => <code translate="no">{line.capability}</code> },
      ...actions.map((action): Column<Line> => ({
        key: action,
        title: t(`action.${action}`),
        width: 100,
        render: (line) => <RulingTag ruling={line[action]} />,
      })),
      { key: 'owner', title: t('owner'), width: 120, render: ({ owner }) => <span translate="no">{owner ?? '–'}</span> },
      { key: 'seen', title: t('seen'), width: 170, render: ({ subject: who }) => format.dateTime(who.seen_at ?? null) },
    ],
    [t, format],
  );
  return (
    <>
      <p className="form-help">{t('matrixHelp')}</p>
      <div className="table-tools">
        <TextFilter
          key={`capability ${capability ?? ''}`}
          label={t('capability')}
          value={capability ?? ''}
          onEnter={(text) => setSearch({ capability: text })}
        />
        <TextFilter
          key={`subject ${subject ?? ''}`}
          label={t('subject')}
          value={subject ?? ''}
          onEnter={(text) => setSearch({ subject: text })}
        />
        <Checkbox checked={allowed !== 'all'} onChange={({ target }) => setSearch({ allowed: target.checked ? undefined : 'all' })}>
          {t('allowedOnly')}
        </Checkbox>
      </div>
      <ResourceTable
        label={t('matrix')}
        query={query}
        columns={columns}
        rowKey={({ subject: who, capability: what }) => `${who.type} ${who.name} ${what}`}
        empty={<EmptyState title={t('noLines')} help={t('noLinesHelp')} />}
      />
    </>
  );
}
