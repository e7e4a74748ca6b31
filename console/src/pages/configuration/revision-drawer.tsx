/** One revision: what it changed, field by field, and going back to it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Drawer, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { call, type Page } from '../../api/client.ts';
import { ActButton } from '../../components/act-button.tsx';
import { DifferencesTable } from '../../components/differences-table.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { FactList } from '../../components/fact-list.tsx';
import { RestoreRow } from '../../components/restore-row.tsx';
import { rowDifferences } from '../../components/row-differences.ts';
import { useFocusReturn } from '../../components/use-focus-return.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { actOf, type ConfigEntry } from './config-entry.ts';
import { texts } from './texts.ts';

interface RevisionDrawerProps {
  readonly revision: number;
  readonly onClose: () => void;
}

export function RevisionDrawer({ revision, onClose }: RevisionDrawerProps): ReactNode {
  useFocusReturn();
  const t = useTexts(texts);
  const format = useFormat();
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const found = useQuery({
    queryKey: ['/api/config/history', 'one', revision],
    queryFn: async ({ signal }) => {
      const page = await call<Page<ConfigEntry>>('GET', `/api/config/history?after=${revision - 1}&limit=500`, { signal });
      return page.data.filter((entry) => entry.revision === revision);
    },
  });
  const rollBack = useMutation({
    mutationFn: (wanted: number) =>
      call<{ readonly revision: number; readonly changes: number }>('POST', '/api/config/rollback', { body: { revision: wanted } }),
    // Every row may have changed.
    onSuccess: () => client.invalidateQueries(),
  });
  const ask = (wanted: number): void => {
    modal.confirm({
      title: t('rollBackAsk', { revision: wanted }),
      content: t('rollBackHelp'),
      okText: t('rollBack'),
      cancelText: t('cancel'),
      // The drawer below shows why it was refused.
      onOk: () =>
        rollBack.mutateAsync(wanted).then(
          ({ changes, revision: made }) => {
            message.success(t('rolledBack', { changes, revision: made }));
            onClose();
          },
          () => undefined,
        ),
    });
  };
  const [first] = found.data ?? [];
  return (
    <Drawer
      open
      size={860}
      title={t('revisionOf', { revision })}
      onClose={onClose}
      footer={
        <div className="drawer-footer">
          <ActButton onClick={() => ask(revision - 1)}>{t('backBefore')}</ActButton>
          <ActButton type="primary" onClick={() => ask(revision)}>
            {t('backTo')}
          </ActButton>
        </div>
      }
    >
      {rollBack.error !== null && <ErrorState error={rollBack.error} />}
      {found.error !== null && <ErrorState error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <Skeleton active />}
      {found.data?.length === 0 && <EmptyState title={t('noSuch')} />}
      {first !== undefined && (
        <FactList
          facts={[
            [t('at'), format.dateTime(first.at)],
            [
              t('actor'),
              <span key="actor" translate="no">
                {first.actor}
              </span>,
            ],
          ]}
        />
      )}
      {found.data?.map((entry) => (
        <section key={`${entry.kind} ${entry.name}`}>
          <h2 className="drawer-heading">
            {t(`kind.${entry.kind}`)} <code translate="no">{entry.name}</code> {t(`act.${actOf(entry)}`)}
          </h2>
          <DifferencesTable differences={rowDifferences(entry.before, entry.after)} before={t('before')} after={t('after')} />
          <RestoreRow kind={entry.kind} name={entry.name} revision={revision - 1} onRestored={onClose} />
        </section>
      ))}
    </Drawer>
  );
}
