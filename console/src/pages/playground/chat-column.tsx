/** One chat with its model: a column, of which there are two when models are compared. */
import { Select } from 'antd';
import { type ReactNode, useEffect, useRef } from 'react';
import { EmptyState } from '../../components/empty-state.tsx';
import { nameOptions } from '../../components/name-options.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';
import { TurnView } from './turn-view.tsx';
import type { Chat } from './use-chat.ts';

interface ChatColumnProps {
  readonly chat: Chat;
  readonly model: string;
  readonly models: readonly string[];
  readonly label: string;
  readonly onModel: (model: string) => void;
}

export function ChatColumn({ chat, model, models, label, onModel }: ChatColumnProps): ReactNode {
  const t = useTexts(texts);
  const end = useRef<HTMLDivElement>(null);
  const { turns, isBusy } = chat;
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' });
  }, [turns]);
  return (
    <div className="chat-column">
      <Select
        className="chat-model"
        aria-label={label}
        value={model === '' ? null : model}
        placeholder={label}
        options={nameOptions(models)}
        showSearch={{ optionFilterProp: 'value' }}
        onChange={(next: string) => onModel(next)}
      />
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a long chat is scrolled by keyboard */}
      <div className="chat-turns" role="log" aria-label={`${t('conversation')}: ${model}`} tabIndex={0}>
        {turns.length === 0 && <EmptyState title={t('emptyTitle')} help={t('emptyHelp')} />}
        {turns.map((turn, index) => (
          <TurnView
            key={index}
            turn={turn}
            isBusy={isBusy && index === turns.length - 1}
            onDecide={(approvals) => chat.decide(approvals)}
          />
        ))}
        <div ref={end} />
      </div>
    </div>
  );
}
