/** The texts of the pages of the development identity service, in English and Chinese. */

const en = {
  note: 'This is the development identity service of Pailou. It knows no passwords and answers this machine only.',
  choose: 'Choose a person',
  person: (subject: string, tenant: string): string => `${subject}, tenant ${tenant}`,
  unknownPerson: 'Unknown person',
  noSignIn: 'No sign-in in progress',
  startAgain: 'Start the sign-in again in the application that sent you here.',
  leave: 'Sign out?',
  leaveButton: 'Sign out',
  code: 'Which code does your command line show?',
  wrongCode: 'The code is unknown or has expired. Start again: pailou login',
  goOn: 'Go on',
  confirm: 'Is this the code that your command line shows?',
  yes: 'Yes',
  done: 'You are signed in',
  goBack: 'Go back to your command line.',
};

export type PageTexts = typeof en;

const zh: PageTexts = {
  note: '这是牌楼自带的开发用身份服务：不验证密码，只响应本机的访问。',
  choose: '选择一个身份',
  person: (subject, tenant) => `${subject}，租户 ${tenant}`,
  unknownPerson: '没有这个人',
  noSignIn: '没有正在进行的登录',
  startAgain: '请回到刚才的应用，重新登录。',
  leave: '确定退出登录吗？',
  leaveButton: '退出登录',
  code: '命令行显示的验证码是什么？',
  wrongCode: '验证码不存在或已过期，请重新运行 pailou login。',
  goOn: '继续',
  confirm: '命令行显示的是这个验证码吗？',
  yes: '是',
  done: '登录成功',
  goBack: '请回到命令行。',
};

export type PageLanguage = 'en' | 'zh';

export const pageTexts: Readonly<Record<PageLanguage, PageTexts>> = { en, zh };

/** The first of the two languages in `accept-language`; English for any other. */
export function pageLanguage(acceptLanguage: string | undefined): PageLanguage {
  const [first] = /\b(?:en|zh)\b/i.exec(acceptLanguage ?? '') ?? ['en'];
  return first.toLowerCase() === 'zh' ? 'zh' : 'en';
}
