/** Replaces radicals by the ideographs that look the same. PDF printers and browsers write `⻓` (U+2ED3) where a text has `长` (U+957F), so that a search or a quote fails. */

/** Each radical of the block CJK Radicals Supplement with its ideograph. Source: https://www.unicode.org/Public/18.0.0/ucd/EquivalentUnifiedIdeograph.txt */
const pairs =
  '⺁厂⺂乛⺃乚⺄乙⺅亻⺆冂⺇𠘨⺈刀⺉刂⺊卜⺋㔾⺌小⺍小⺎兀⺏尣⺐尢⺑𡯂⺒巳⺓幺⺔彑⺕𫜹⺖忄⺗心⺘扌⺙攵⺛旡⺜日⺝月⺞歺⺟母⺠民⺡氵⺢氺⺣灬' +
  '⺤爫⺥爫⺦丬⺧牛⺨犭⺩王⺪𤴔⺫目⺬示⺭礻⺮𥫗⺯糹⺰纟⺱罓⺲罒⺳㓁⺴冗⺵𦉫⺶羊⺷𦍌⺸𦍋⺹耂⺺肀⺻聿⺼肉⺽𦥑⺾艹⺿艹⻀艹⻁虎⻂衤⻃覀⻄西⻅见' +
  '⻆角⻇𧢲⻈讠⻉贝⻊𧾷⻋车⻌辶⻍辶⻎辶⻏邑⻐钅⻑長⻒镸⻓长⻔门⻕𨸏⻖阝⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食⻞𩙿⻟飠⻠饣⻡𩠐⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤' +
  '⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻱龜⻲亀⻳龟';

const ideographs = new Map(Array.from(pairs.matchAll(/(.)(.)/gu), ([, radical = '', ideograph = '']) => [radical, ideograph]));

/** The text with ideographs instead of radicals (U+2E80 to U+2FD5). Unicode itself defines the ideographs of the block Kangxi Radicals as their compatibility form. */
export function withoutRadicals(text: string): string {
  return text.replace(/[\u2e80-\u2fd5]/g, (radical) => ideographs.get(radical) ?? radical.normalize('NFKC'));
}
