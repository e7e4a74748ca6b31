/** Restores one row as it was at a revision, with the question before and what came of it after. */
import { UndoOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import type { ReactNode } from 'react';
import { call } from '../api/client.ts';
import { useTexts } from '../i18n/texts.ts';
import { ActButton } from './act-button.tsx';
import { ErrorState } from './error-state.tsx';
import { texts } from './texts.ts';

interface RestoreRowProps {
  /** The kind of row as the history names it, such as `model`. */
  readonly kind: string;
  readonly name: string;
  /** The revision before the change that is undone. */
  readonly revision: number;
  readonly onRestored: () => void;
}

/** Rows that a roll-back restores. A revoked key stays revoked. */
const kinds: ReadonlySet<string> = new Set(['provider', 'model', 'skill', 'mcp', 'grant', 'limit', 'service', 'team']);

export function RestoreRow({ kind, name, revision, onRestored }: RestoreRowProps): ReactNode {
  const t = useTexts(texts);
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const restore = useMutation({
    mutationFn: () =>
      call<{ readonly revision: number; readonly changes: number }>('POST', '/api/config/rollback', {
        body: { revision, only: { kind, name } },
      }),
    onSuccess: () => client.invalidateQueries(),
  });
  if (!kinds.has(kind)) return null;
  const ask = (): void => {
    modal.confirm({
      title: t('restoreAsk', { name }),
      content: t('restoreHelp', { revision }),
      okText: t('restore'),
      cancelText: t('cancel'),
      // The error is shown below the button.
      onOk: () =>
        restore.mutateAsync().then(
          ({ changes, revision: made }) => {
            if (changes === 0) void message.info(t('restoredNothing', { name }));
            else void message.success(t('restored', { name, revision: made }));
            onRestored();
          },
          () => undefined,
        ),
    });
  };
  return (
    <div className="restore-row">
      <ActButton icon={<UndoOutlined aria-hidden />} loading={restore.isPending} aria-label={`${t('restore')}: ${name}`} onClick={ask}>
        {t('restore')}
      </ActButton>
      {restore.error !== null && <ErrorState error={restore.error} />}
    </div>
  );
}
