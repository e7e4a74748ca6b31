/** Playground: a chat with any model or skill, with tools, approvals, a second model beside it, and the code of the same call. */
import { ClearOutlined, CodeOutlined, SettingOutlined, SwapOutlined } from '@ant-design/icons';
import { Alert, Button, Drawer } from 'antd';
import { type ReactNode, useState } from 'react';
import { useCanAct } from '../../components/can.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useTexts } from '../../i18n/texts.ts';
import { ChatColumn } from './chat-column.tsx';
import { type ChatSettings, requestOf } from './chat.ts';
import { CodeModal } from './code-modal.tsx';
import { Composer } from './composer.tsx';
import { SettingsPanel } from './settings-panel.tsx';
import { texts } from './texts.ts';
import { useChat } from './use-chat.ts';
import { useOffers } from './use-offers.ts';
import './playground.css';

const noSettings: ChatSettings = { system: '', temperature: null, maxTokens: null, tools: [], askFirst: false };

export function PlaygroundPage(): ReactNode {
  const t = useTexts(texts);
  const canAct = useCanAct();
  const offers = useOffers();
  const [search, setSearch] = useSearchState('model', 'compare');
  const [settings, setSettings] = useState(noSettings);
  const [isCodeOpen, setCodeOpen] = useState(false);
  const [areSettingsOpen, setSettingsOpen] = useState(false);
  const model = search.model ?? offers.models[0] ?? '';
  const other = search.compare ?? '';
  const first = useChat(model, settings);
  const second = useChat(other, settings);
  const chats = other === '' ? [first] : [first, second];
  const isBusy = chats.some((chat) => chat.isBusy);
  const toggleComparison = (): void => setSearch({ compare: other === '' ? (offers.models.find((each) => each !== model) ?? model) : '' });

  const actions = (
    <>
      <Button icon={<SwapOutlined aria-hidden />} aria-pressed={other !== ''} onClick={toggleComparison}>
        {t(other === '' ? 'compare' : 'compareEnd')}
      </Button>
      <Button icon={<SettingOutlined aria-hidden />} onClick={() => setSettingsOpen(true)}>
        {t('settings')}
      </Button>
      <Button icon={<CodeOutlined aria-hidden />} onClick={() => setCodeOpen(true)}>
        {t('code')}
      </Button>
      <Button icon={<ClearOutlined aria-hidden />} onClick={() => chats.forEach((chat) => chat.clear())}>
        {t('clear')}
      </Button>
    </>
  );
  return (
    <div className="playground">
      <PageHeader title={t('title')} purpose={t('purpose')} actions={actions} />
      {offers.error !== null && <ErrorState error={offers.error} onRetry={offers.refetch} />}
      <div className="chat-columns">
        <ChatColumn chat={first} model={model} models={offers.models} label={t('model')} onModel={(next) => setSearch({ model: next })} />
        {other !== '' && (
          <ChatColumn
            chat={second}
            model={other}
            models={offers.models}
            label={t('secondModel')}
            onModel={(next) => setSearch({ compare: next })}
          />
        )}
      </div>
      {canAct ? (
        <Composer
          isBusy={isBusy}
          canSend={model !== ''}
          onSend={(text, pictures) => chats.forEach((chat) => chat.say(text, pictures))}
          onStop={() => chats.forEach((chat) => chat.stop())}
        />
      ) : (
        <Alert type="info" showIcon title={t('readOnly')} />
      )}
      <Drawer open={areSettingsOpen} title={t('settings')} onClose={() => setSettingsOpen(false)} size={400}>
        <SettingsPanel settings={settings} tools={offers.tools} onChange={setSettings} />
      </Drawer>
      {isCodeOpen && <CodeModal body={requestOf(model, first.turns, settings)} onClose={() => setCodeOpen(false)} />}
    </div>
  );
}
