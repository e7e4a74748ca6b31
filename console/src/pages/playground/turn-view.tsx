/** One turn of a chat: the words, the thoughts, the tools, and what it took. */
import { Link } from '@tanstack/react-router';
import { Collapse, Spin } from 'antd';
import type { ReactNode } from 'react';
import { ErrorState } from '../../components/error-state.tsx';
import { Markdown } from '../../components/markdown/markdown.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import type { Approval, ModelTurn, Turn } from './chat.ts';
import { StepTimeline } from './step-timeline.tsx';
import { texts } from './texts.ts';

function Facts({ turn }: { readonly turn: ModelTurn }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const { traceId, deployment, firstTokenMs, totalMs, usage, finish } = turn;
  if (totalMs === null) return null;
  return (
    <p className="turn-facts">
      {firstTokenMs !== null && <span>{t('firstToken', { duration: format.duration(firstTokenMs) })}</span>}
      <span>{t('total', { duration: format.duration(totalMs) })}</span>
      {usage !== null && (
        <span>{t('tokens', { input: format.number(usage.prompt_tokens), output: format.number(usage.completion_tokens) })}</span>
      )}
      {finish === 'length' && <span>{t('cutOff')}</span>}
      {finish === 'stopped' && <span>{t('stopped')}</span>}
      {deployment !== null && <code translate="no">{deployment}</code>}
      {traceId !== null && (
        <Link to="/calls" search={{ open: traceId }}>
          {t('trace')}
        </Link>
      )}
    </p>
  );
}

interface TurnViewProps {
  readonly turn: Turn;
  readonly isBusy: boolean;
  readonly onDecide: (approvals: readonly Approval[]) => void;
}

export function TurnView({ turn, isBusy, onDecide }: TurnViewProps): ReactNode {
  const t = useTexts(texts);
  if (turn.role === 'user') {
    return (
      <section className="turn turn-user" aria-label={t('you')}>
        <div className="wrap" translate="no">
          {turn.text}
        </div>
        {turn.pictures.map(({ name, url }) => (
          <img key={url} src={url} alt={name} className="turn-picture" />
        ))}
      </section>
    );
  }
  const isSilent = isBusy && turn.text === '' && turn.thinking === '' && turn.steps.length === 0;
  return (
    <section className="turn" aria-label={t('model')} aria-busy={isBusy}>
      {turn.thinking !== '' && (
        <Collapse
          ghost
          size="small"
          items={[
            {
              key: 'thinking',
              label: t('thinking'),
              children: (
                <div className="wrap" translate="no">
                  {turn.thinking}
                </div>
              ),
            },
          ]}
        />
      )}
      <StepTimeline steps={turn.steps} canDecide={!isBusy} onDecide={onDecide} />
      {turn.text !== '' && <Markdown text={turn.text} />}
      {isSilent && <Spin size="small" aria-label={t('waiting')} />}
      {turn.error !== null && <ErrorState error={turn.error} />}
      <Facts turn={turn} />
    </section>
  );
}
