/// What the machine says, in its two languages.
export const words = {
  en: {
    language: '中文', begin: 'Touch to buy electricity', beginKey: 'or press Enter', away: 'Out of service', awayMore: 'No sales are possible now. No money is taken.', number: 'Number of your meter', numberMore: '11 or 13 digits: on the meter, or on an old receipt', next: 'Next', back: 'Back', cancel: 'Cancel',
    yours: 'Is this your meter?', yes: 'Yes, that is mine', no: 'No', blocked: 'This meter is blocked. Ask the utility.', noAccount: 'This meter cannot buy here. Ask the utility.', wrong: 'There is no meter with this number. Please compare it digit by digit.',
    howMuch: 'How much?', other: 'Other amount', units: 'by kWh', money: 'by amount', buys: 'buys', free: 'free', debts: 'of it pays what is owed', cash: 'Pay in cash', card: 'Pay by card', insert: 'Put in notes or coins', noChange: 'This machine gives no change: all of it becomes kWh.', inserted: 'Put in', buy: 'Buy', giveBack: 'Give my money back', holdCard: 'Hold your card to the reader', cardRefused: 'The card was refused. Nothing was paid.',
    making: 'Your token is being made', makingMore: 'Please wait. It is paid: it is not sold twice, however long it takes.', late: 'No answer yet. It is asked for again by itself.', token: 'Your token', enterIt: 'Type it into your meter', inOrder: 'in this order', arrives: 'It is also sent to your meter. If supply was off it may come back at any moment: switch off what must not run unattended.', print: 'Print', done: 'Done', receipt: 'Receipt', paid: 'Paid',
    refunded: 'Nothing was sold. Your money comes back.', moneyBack: 'Your money comes back.', refundLate: 'Nothing was sold. Your money could not be given back yet; it is tried again.', ended: 'Your purchase was made. Its token is printed at any counter: tell them the number of your meter.', more: 'More time', seconds: 'seconds', least: 'The least that can be bought now is', tooMuch: 'This sum cannot be sold here.', help: 'Help', credits: 'adds to your account', noChangeAccount: 'This machine gives no change: all of it goes to your account.', balance: 'Balance of your account', noToken: 'There is no token to type in. If supply was off it comes back by itself: switch off what must not run unattended.', meter: 'Meter',
  },
  zh: {
    language: 'English', begin: '触摸屏幕购电', beginKey: '或按回车键', away: '暂停服务', awayMore: '目前无法售电，不收取任何款项。', number: '请输入电表号', numberMore: '11 或 13 位数字：见电表或旧收据', next: '下一步', back: '返回', cancel: '取消',
    yours: '这是您的电表吗？', yes: '是我的', no: '不是', blocked: '此电表已停用，请联系供电公司。', noAccount: '此电表不能在此购电，请联系供电公司。', wrong: '没有此电表号，请逐位核对。',
    howMuch: '购买多少？', other: '其他金额', units: '按电量', money: '按金额', buys: '可购', free: '免费', debts: '用于还欠费', cash: '现金支付', card: '刷卡支付', insert: '请投入纸币或硬币', noChange: '本机不找零：投入的全部金额都用于购电。', inserted: '已投入', buy: '购买', giveBack: '退还我的钱', holdCard: '请将卡靠近读卡器', cardRefused: '卡被拒绝，未扣款。',
    making: '正在生成购电码', makingMore: '请稍候。款已付，无论等多久都不会重复出售。', late: '尚无应答，系统会自动再次查询。', token: '您的购电码', enterIt: '请在电表上输入', inOrder: '按此顺序', arrives: '购电码也会自动发送到您的电表。若已断电，供电可能随时恢复：请关闭不能无人看管的电器。', print: '打印', done: '完成', receipt: '收据', paid: '已付',
    refunded: '未售出，款项已退还。', moneyBack: '款项正在退还。', refundLate: '未售出。款项暂时无法退还，系统会再次尝试。', ended: '您的购电已完成。请到任一售电点报电表号打印购电码。', more: '需要更多时间', seconds: '秒', least: '目前最低购买金额为', tooMuch: '此金额无法出售。', help: '帮助', credits: '存入您的账户', noChangeAccount: '本机不找零：投入的全部金额都存入您的账户。', balance: '您的账户余额', noToken: '无需输入购电码。若已断电，供电会自动恢复：请关闭不能无人看管的电器。', meter: '电表',
  },
} as const;
export type Language = keyof typeof words;
