/** Who is signed in, in which tenant and with which roles; the theme; signing out. */
import { UserOutlined } from '@ant-design/icons';
import { App, Button, Popover, Segmented, Tag } from 'antd';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { signOut, useSession } from '../api/session.ts';
import { useFocusReturn } from '../components/use-focus-return.ts';
import { useTexts } from '../i18n/texts.ts';
import { texts } from './texts.ts';
import { type ThemeChoice, themeChoices, useTheme } from './theme.tsx';

function PersonCard({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useTexts(texts);
  const { data: me } = useSession();
  const { choice, choose } = useTheme();
  const { message } = App.useApp();
  const card = useRef<HTMLDivElement>(null);
  useFocusReturn();
  useEffect(() => {
    card.current?.focus();
    const closeByKey = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') onClose();
    };
    document.addEventListener('keydown', closeByKey);
    return () => document.removeEventListener('keydown', closeByKey);
  }, [onClose]);
  if (me == null) return null;
  return (
    <section ref={card} aria-label={t('account')} tabIndex={-1} className="person">
      <dl>
        <dt>{t('person')}</dt>
        <dd translate="no">{me.username}</dd>
        <dt>{t('tenant')}</dt>
        <dd translate="no">{me.tenant}</dd>
        <dt>{t('roles')}</dt>
        <dd translate="no">
          {me.roles.map((role) => (
            <Tag key={role}>{role}</Tag>
          ))}
        </dd>
        <dt>{t('permissions')}</dt>
        <dd translate="no" className="person-permissions">
          {me.permissions.map((code) => (
            <code key={code}>{code}</code>
          ))}
        </dd>
        <dt>{t('theme')}</dt>
        <dd>
          <Segmented<ThemeChoice>
            size="small"
            aria-label={t('theme')}
            value={choice}
            options={themeChoices.map((each) => ({ value: each, label: t(`theme.${each}`) }))}
            onChange={choose}
          />
        </dd>
      </dl>
      <Button block onClick={() => void signOut().catch(() => message.error(t('signOutFailed')))}>
        {t('signOut')}
      </Button>
    </section>
  );
}

export function PersonMenu(): ReactNode {
  const t = useTexts(texts);
  const { data: me } = useSession();
  const [isOpen, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      open={isOpen}
      onOpenChange={setOpen}
      destroyOnHidden
      content={<PersonCard onClose={close} />}
    >
      <Button type="text" icon={<UserOutlined aria-hidden />} aria-label={`${t('account')}: ${me?.username ?? ''}`}>
        <span className="person-name" translate="no">
          {me?.username}
        </span>
      </Button>
    </Popover>
  );
}
