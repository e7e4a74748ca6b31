/** Keys for programs and editors, each bound to its owner: oneself, another person, or a service account. The secret is shown once. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Badge, Tag } from 'antd';
import { type ReactNode, useMemo, useState } from 'react';
import { call } from '../../api/client.ts';
import { usePaged } from '../../api/rows.ts';
import { useSession } from '../../api/session.ts';
import { ActButton } from '../../components/act-button.tsx';
import { AddButton } from '../../components/add-button.tsx';
import { ResourcePage } from '../../components/resource-page.tsx';
import type { Column } from '../../components/resource-table.tsx';
import { useCan } from '../../components/can.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { KeyCreation } from './key-creation.tsx';
import { type ApiKey, type NewKey, stateOf } from './key.ts';
import { NewKeyModal } from './new-key-modal.tsx';
import { texts } from './texts.ts';

const badges = { active: 'success', expired: 'default', replaced: 'warning' } as const;

export function KeysPage(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const client = useQueryClient();
  const { modal, message } = App.useApp();
  const [{ add }, setSearch] = useSearchState('add');
  const [fresh, setFresh] = useState<NewKey | null>(null);
  const query = usePaged<ApiKey>('/api/keys');
  const { data: me } = useSession();
  const isAdministrator = useCan('administrator');
  const onSettled = (): Promise<void> => client.invalidateQueries({ queryKey: ['/api/keys'] });
  const onError = (): void => void message.error(t('failed'));
  const rotate = useMutation({
    mutationFn: (id: string) => call<NewKey>('POST', `/api/keys/${id}/rotate`, { body: {} }),
    onSuccess: setFresh,
    onError,
    onSettled,
  });
  const revoke = useMutation({ mutationFn: (id: string) => call<void>('DELETE', `/api/keys/${id}`), onError, onSettled });

  const columns = useMemo((): readonly Column<ApiKey>[] => {
    const askToRevoke = ({ id, title, hint }: ApiKey): void => {
      modal.confirm({
        title: t('revokeAsk', { name: title === '' ? hint : title }),
        content: t('revokeHelp'),
        okText: t('revoke'),
        okButtonProps: { danger: true },
        cancelText: t('cancel'),
        onOk: () => revoke.mutateAsync(id).catch(() => undefined),
      });
    };
    // The secret of a person's key is the person's, that of a service account the administrators'.
    const mayRotate = ({ service, owner }: ApiKey): boolean => (service === null ? owner === me?.subject : isAdministrator);
    return [
      { key: 'title', title: t('purposeOf'), width: 134, fixed: 'start', render: (row) => <span translate="no">{row.title}</span> },
      { key: 'hint', title: t('key'), width: 140, render: (row) => <code translate="no">{row.hint}</code> },
      {
        key: 'owner',
        title: t('owner'),
        width: 100,
        render: ({ owner, service }) => (
          <>
            <span translate="no">{service ?? owner}</span> {service !== null && <Tag>{t('serviceTag')}</Tag>}
          </>
        ),
      },
      { key: 'maker', title: t('maker'), width: 90, render: (row) => <span translate="no">{row.made_by}</span> },
      {
        key: 'scope',
        title: t('scope'),
        width: 110,
        render: ({ capabilities }) =>
          capabilities === null ? (
            t('everything')
          ) : (
            <code className="wrap" translate="no">
              {capabilities.join(' ')}
            </code>
          ),
      },
      {
        key: 'used',
        title: t('used'),
        width: 150,
        render: (row) => (row.last_used_at === null ? t('never') : format.dateTime(row.last_used_at)),
      },
      { key: 'expires', title: t('expires'), width: 150, render: (row) => format.dateTime(row.expires_at) },
      {
        key: 'state',
        title: t('state'),
        width: 80,
        render: (row) => <Badge status={badges[stateOf(row, Date.now())]} text={t(`state.${stateOf(row, Date.now())}`)} />,
      },
      {
        key: 'actions',
        title: t('actions'),
        width: 150,
        fixed: 'end',
        render: (row) => (
          <span className="row-actions">
            <ActButton size="small" disabled={row.replaced_by !== null || !mayRotate(row)} onClick={() => rotate.mutate(row.id)}>
              {t('rotate')}
            </ActButton>
            <ActButton size="small" danger onClick={() => askToRevoke(row)}>
              {t('revoke')}
            </ActButton>
          </span>
        ),
      },
    ];
  }, [t, format, modal, revoke, rotate, me, isAdministrator]);
  const addButton = <AddButton text={t('add')} onAdd={() => setSearch({ add: 'yes' })} />;
  return (
    <ResourcePage
      title={t('title')}
      purpose={t('purpose')}
      actions={addButton}
      emptyTitle={t('emptyTitle')}
      emptyHelp={t('emptyHelp')}
      query={query}
      columns={columns}
      textOf={({ title, owner, id, made_by: maker }) => `${title} ${owner} ${id} ${maker}`}
    >
      {add !== undefined && (
        <KeyCreation
          onClose={() => setSearch({ add: undefined })}
          onMade={(made) => {
            setSearch({ add: undefined });
            setFresh(made);
          }}
        />
      )}
      {fresh !== null && <NewKeyModal made={fresh} onClose={() => setFresh(null)} />}
    </ResourcePage>
  );
}
