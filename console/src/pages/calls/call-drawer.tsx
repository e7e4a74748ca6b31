/** One call from click to vendor: who, what, the waterfall, and its address for colleagues. */
import { Drawer, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { between, type RunTree } from '../../api/runs.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { FactList } from '../../components/fact-list.tsx';
import { useRunTree } from '../../components/waterfall/call-trace.tsx';
import { Waterfall } from '../../components/waterfall/waterfall.tsx';
import { useFocusReturn } from '../../components/use-focus-return.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { OutcomeTag } from './outcome-tag.tsx';
import { texts } from './texts.ts';

function Summary({ tree }: { readonly tree: RunTree }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const { request_id: requestId, usage } = tree;
  return (
    <FactList
      facts={[
        [t('outcome'), <OutcomeTag key="outcome" outcome={tree.outcome} error={tree.error} />],
        [t('started'), format.dateTime(tree.started_at)],
        [t('duration'), format.duration(between(tree.started_at, tree.ended_at))],
        [t('firstToken'), tree.first_token_at === null ? null : format.duration(between(tree.started_at, tree.first_token_at))],
        [
          t('person'),
          <span key="person" translate="no">
            {tree.username ?? tree.subject}
          </span>,
        ],
        [t('key'), tree.key === null ? null : <code translate="no">{tree.key}</code>],
        [
          t('tokens'),
          usage === null
            ? null
            : t(usage.estimated ? 'tokensEstimated' : 'tokensBoth', {
                input: format.number(usage.input_tokens),
                output: usage.output_tokens === null ? '–' : format.number(usage.output_tokens),
              }),
        ],
        [t('cost'), tree.cost === null ? usage !== null && t('noPrice') : format.money(tree.cost, tree.currency)],
        [
          t('requestId'),
          requestId === null ? null : (
            <>
              <code translate="no">{requestId}</code> <CopyButton text={requestId} label={t('requestId')} />
            </>
          ),
        ],
      ]}
    />
  );
}

export function CallDrawer({ id, onClose }: { readonly id: string; readonly onClose: () => void }): ReactNode {
  useFocusReturn();
  const t = useTexts(texts);
  const tree = useRunTree(id);
  const title =
    tree.data === undefined ? (
      t('call')
    ) : (
      <>
        {t('call')} <code translate="no">{tree.data.capability}</code>
      </>
    );
  return (
    <Drawer open size={860} title={title} onClose={onClose}>
      {tree.error !== null && <ErrorState error={tree.error} onRetry={() => void tree.refetch()} />}
      {tree.isPending && <Skeleton active />}
      {tree.data !== undefined && (
        <>
          <Summary tree={tree.data} />
          <h2 className="drawer-heading">{t('waterfall')}</h2>
          <Waterfall key={tree.data.id} tree={tree.data} />
        </>
      )}
    </Drawer>
  );
}
