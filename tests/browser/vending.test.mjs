// The pages of the vending role against a running one: VEND_URL, TILL_USER, TILL_PASSWORD, VEND_METER (one that may buy) from the environment,
// and two tills of its vendor, TILL (the first) and MACHINE_TILL.
// What a page shows is compared with what the API says; a lost answer, a closed page or a power cut must never sell twice.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';

process.env.BASE_URL = process.env.VEND_URL;
const { lookBack, open } = await import('./browser.mjs');
const till = process.env.TILL ?? 'H1', machineTill = process.env.MACHINE_TILL ?? 'H2';
const shots = process.env.SHOTS ?? 'shots', user = process.env.TILL_USER ?? 'till', meter = process.env.VEND_METER;
let password = process.env.TILL_PASSWORD, opened, page, faults;

const api = (path) => page.evaluate((p) => fetch(p).then((r) => r.json()), path);
const sold = async (terminal = till) => (await api(`/api/vend/sales?terminal=${terminal}&last=200`)).items;
const shoot = (name) => page.screenshot({ path: `${shots}/${name}.png` });
const digits = /\d{4} \d{4} \d{4} \d{4} \d{4}/;
const token = () => page.locator('.digits').first().getAttribute('aria-label').then((text) => text.match(digits)[0]);
async function eventually(what, check) {
  const until = Date.now() + 20_000;
  for (;;) {
    try { return await check(); } catch (fault) { if (Date.now() > until) throw new Error(`${what}: ${fault.message}`); }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
async function signIn() {
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  await page.getByRole('search').waitFor();
}
/// From the search to the cash, by the keyboard alone.
async function toTheCash(amount) {
  await page.getByRole('search').waitFor();
  await page.keyboard.type(meter);
  await page.keyboard.press('Enter');
  await page.getByLabel('Amount').waitFor();
  await page.keyboard.type(amount);
  await page.locator('tfoot').waitFor();
  await page.keyboard.press('Enter');
  await page.getByLabel('Cash given').waitFor();
}

before(async () => {
  mkdirSync(shots, { recursive: true });
  opened = await open();
  ({ page, faults } = opened);
  await page.goto('/counter');
  await signIn();
});
after(() => opened?.browser.close());
afterEach((t) => lookBack(t, page, faults, /Failed to load resource|status of 4\d\d/));

test('counter: a sale by the keyboard alone; its receipt on paper, as PDF and as a text; name and address masked', async () => {
  const before = await sold();
  await page.keyboard.type(meter);
  await page.keyboard.press('Enter');
  await page.getByLabel('Amount').waitFor();
  const whole = await api(`/api/vend/meters/${meter}`);
  assert.match(whole.customer, /••/);
  assert.match(await page.getByLabel('Customer').innerText(), /••/);
  const quoted = page.waitForResponse((response) => response.url().endsWith('/quotes') && response.status() === 200 && response.request().postDataJSON().tender === 5000);
  await page.keyboard.type('50');
  const quote = await (await quoted).json();
  assert.equal(quote.tender, 5000);
  await page.locator('tfoot').filter({ hasText: `${quote.units} kWh` }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByLabel('Cash given').waitFor();
  await page.keyboard.type('20');
  await page.getByText('30.00 are missing').waitFor();
  await page.keyboard.press('Enter');
  assert.equal((await sold()).length, before.length, 'nothing is sold for too little cash');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('100');
  await page.getByText('Change').filter({ hasText: '50.00' }).waitFor();
  await shoot('vend-cash');
  await page.keyboard.press('Enter');
  await page.getByText('Sold, receipt').waitFor();
  const [made] = await sold();
  assert.equal((await sold()).length, before.length + 1);
  assert.equal(made.tender, 5000);
  const shown = await token();
  const { receipt } = await api(`/api/vend/sales/${made.sale}`);
  assert.equal(shown, receipt.tokens[0].digits[0]);
  const paper = await page.locator('article.paper').innerText();
  for (const part of [shown, receipt.customer.name, receipt.meter, String(receipt.sale)]) assert.ok(paper.includes(part), `the receipt shows ${part}`);
  await page.keyboard.press('t');
  await page.locator('.sms').filter({ hasText: shown }).waitFor();
  const pdf = await page.evaluate((path) => fetch(path).then(async (r) => [r.headers.get('Content-Type'), (await r.text()).slice(0, 5)]), `/api/vend/sales/${made.sale}/receipt?as=pdf`);
  assert.deepEqual(pdf, ['application/pdf', '%PDF-']);
  await shoot('vend-token');
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('button', { name: 'Print' }).isVisible(), false, 'only the receipt is printed');
  await page.emulateMedia({ media: 'screen' });
  await page.keyboard.press('Enter');
  await page.getByRole('search').waitFor();
  assert.equal((await sold())[0].confirmed, true);
});

test('counter: free units are claimed without a purchase', async (context) => {
  if ((await api(`/api/vend/meters/${meter}`)).free_units_due === '0.0') return context.skip('the meter has none to claim');
  await page.keyboard.type(meter);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'without one' }).click();
  await page.getByText('Token, free units, 50.0 kWh').first().waitFor();
  assert.deepEqual([(await sold())[0].kind, (await sold())[0].tender], ['claim', 0]);
  await page.keyboard.press('Enter');
  await page.getByRole('search').waitFor();
});

test('counter: a second window of the till waits until the first is closed', async () => {
  const second = await page.context().newPage();
  await second.goto(page.url());
  await second.getByRole('alert').filter({ hasText: 'Another window of this browser sells at this till' }).waitFor();
  assert.equal(await second.getByRole('search').count(), 0);
  const place = page.url();
  await page.goto('about:blank');
  await second.getByRole('search').waitFor();
  await second.close();
  await page.goto(place);
  await page.getByRole('search').waitFor();
});

test('counter: so many kWh cost what the quote says, and too little says what would do', async () => {
  await page.keyboard.type(meter);
  await page.keyboard.press('Enter');
  await page.getByLabel('Amount').waitFor();
  await page.keyboard.type('0.01');
  await page.getByRole('alert').filter({ hasText: 'The least that buys something here now is' }).waitFor();
  await page.keyboard.press('F2');
  await page.getByLabel('kWh wanted').fill('50');
  await page.locator('tfoot').filter({ hasText: '50.0 kWh' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('search').waitFor();
  await page.keyboard.type('12345678901');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await page.goto('/counter');
  await page.getByRole('search').waitFor();
});

test('counter: an answer that was cut off is asked for again, and a page that was closed goes on with its sale', async () => {
  const before = (await sold()).length, keys = [];
  await page.goto('/counter');
  await toTheCash('50');
  // The order reaches vending, its answer never reaches the page: twice, then the page is closed.
  await page.route('**/api/vend/sales', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    keys.push(route.request().headers()['idempotency-key']);
    await route.fetch();
    return route.abort();
  });
  await page.keyboard.press('Enter');
  await page.getByText('does not answer').waitFor();
  await eventually('asked again', () => assert.ok(keys.length >= 2));
  await page.getByText('do not sell it a second time').waitFor();
  await shoot('vend-lost');
  await page.unroute('**/api/vend/sales');
  await page.reload();
  await page.getByText('Sold, receipt').waitFor();
  assert.equal(new Set(keys).size, 1, 'every try has the same key');
  const shown = await token();
  await page.reload();
  await page.getByText('Sold, receipt').waitFor();
  assert.equal(await token(), shown, 'the customer has no receipt yet: it is still there, with the same digits');
  assert.equal((await sold()).length, before + 1, 'one payment, one sale');
  await page.keyboard.press('Enter');
  await page.getByRole('search').waitFor();
  await page.reload();
  await page.getByRole('search').waitFor();
});

test('counter: what was sold is printed again as a copy, and taken back while nobody has it', async () => {
  await page.keyboard.press('Alt+2');
  const [last] = await sold();
  await page.getByRole('button', { name: `Print receipt ${last.sale} again` }).click();
  await page.getByText(`Copy 1 of sale ${last.sale}`).waitFor();
  await page.locator('article.paper').filter({ hasText: 'COPY 1' }).waitFor();
  await page.getByRole('button', { name: 'Back to the list' }).click();
  await page.getByRole('button', { name: `Take sale ${last.sale} back` }).click();
  await page.getByLabel('Why').fill('wrong meter');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'supervisor' }).waitFor();
  await shoot('vend-sold');
});

test('counter: a shift is opened, and closed by what was counted before anybody sees what should be there', async () => {
  await page.keyboard.press('Alt+3');
  await page.getByRole('button', { name: 'Open a shift' }).click();
  await page.getByLabel('Counted').waitFor();
  await page.keyboard.press('Alt+1');
  await toTheCash('50');
  await page.keyboard.press('Enter');
  await page.getByText('Sold, receipt').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('search').waitFor();
  await page.keyboard.press('Alt+3');
  assert.doesNotMatch(await page.locator('main').innerText(), /50\.00/);
  await page.getByLabel('Counted').fill('49.50');
  await page.keyboard.press('Enter');
  await page.getByLabel('Cash-up').filter({ hasText: '0.50 too little' }).waitFor();
  await shoot('vend-cashup');
});

test('counter: an operator changes his own password', async () => {
  await page.keyboard.press('Alt+5');
  const fresh = password + ' and more';
  await page.getByLabel('Old password').fill(password);
  await page.getByLabel('New password, at least 10 characters').fill(fresh);
  await page.getByLabel('New password again').fill(fresh);
  await page.getByRole('button', { name: 'Change it and sign in again' }).click();
  await page.getByLabel('User').waitFor();
  password = fresh;
  await page.goto('/counter');
  await signIn();
});

test('reports: a supervisor sees what was sold, adds up to the tills, and takes files', async () => {
  const supervisor = await open();
  try {
    const desk = supervisor.page;
    await desk.goto('/counter/reports');
    await desk.getByLabel('User').fill(process.env.CONSOLE_USER);
    await desk.getByLabel('Password').fill(process.env.PASSWORD);
    await desk.keyboard.press('Enter');
    await desk.getByRole('heading', { name: 'Reports' }).waitFor();
    const ask = (path) => desk.evaluate((p) => fetch(p).then((r) => r.json()), path);
    const { columns, rows, notes } = await ask('/api/vend/reports/sales');
    const paid = columns.indexOf('Paid'), vendor = columns.indexOf('Vendor'), coins = (text) => Math.round(Number(text) * 100);
    const ours = rows.filter((row) => row[vendor] === 'Hall').reduce((sum, row) => sum + coins(row[paid]), 0);
    const lines = [...(await ask(`/api/vend/sales?terminal=${till}&last=200`)).items, ...(await ask(`/api/vend/sales?terminal=${machineTill}&last=200`)).items];
    assert.equal(ours, lines.filter((line) => line.state === 'issued').reduce((sum, line) => sum + line.tender, 0));
    await desk.getByText(notes[1]).waitFor();
    assert.equal(await desk.locator('tbody tr').count(), rows.length);
    await desk.screenshot({ path: `${shots}/vend-reports.png` });
    const download = desk.waitForEvent('download');
    await desk.getByRole('link', { name: 'XLSX' }).click();
    assert.match((await download).suggestedFilename(), /^sales-.*\.xlsx$/);
    await desk.getByRole('button', { name: 'Anomalies' }).click();
    await desk.getByText(/^\d+ to look at$/).waitFor();
    await desk.screenshot({ path: `${shots}/vend-anomalies.png` });
    assert.deepEqual(supervisor.faults, []);
  } finally { await supervisor.browser.close(); }
});

test('machine: put up with a token; cash, the same order over a lost answer and a power cut; nothing of a customer stays', async () => {
  const made = await page.evaluate(async () => {
    const me = await fetch('/api/me').then((r) => r.json());
    return fetch('/api/tokens', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': me.csrf }, body: JSON.stringify({ name: 'machine', look_only: false, days: 30 }) }).then((r) => r.json());
  });
  const before = (await sold(machineTill)).length;
  await page.goto('/machine');
  await page.getByLabel('API token').fill(made.token);
  await page.getByLabel('Till').fill(machineTill);
  await page.keyboard.press('Enter');
  await page.getByText('Touch to buy electricity').waitFor();
  const toThePay = async () => {
    await page.keyboard.press('Enter');
    await page.keyboard.type(meter);
    await page.keyboard.press('Enter');
    await page.getByText('Is this your meter?').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('How much?').waitFor();
    await page.keyboard.type('50');
    await page.locator('.more b').first().waitFor();
  };
  const note = (amount) => page.getByRole('group', { name: 'Simulated ports' }).getByRole('button', { name: amount, exact: true }).click();

  // Vending out of reach before payment: the port never opens, and a note that was put in falls out again.
  await toThePay();
  await page.route('**/api/vend/quotes', (route) => route.abort());
  await page.getByRole('button', { name: 'Pay in cash' }).click();
  await page.locator('.wrong').filter({ hasText: 'No money is taken' }).waitFor();
  assert.equal(await page.getByText('Put in notes').count(), 0);
  await page.unroute('**/api/vend/quotes');
  await page.keyboard.press('Escape');
  await toThePay();
  await page.getByRole('button', { name: 'Pay in cash' }).click();
  await note('20');
  await page.getByText('Put in').filter({ hasText: '20.00' }).waitFor();
  await page.route('**/api/vend/quotes', (route) => route.abort());
  await page.getByRole('heading', { name: 'Your money comes back' }).waitFor();
  await page.unroute('**/api/vend/quotes');
  const port = () => page.evaluate(([token, terminal]) => fetch(`/api/vend/ports?terminal=${terminal}`, { headers: { Authorization: `Bearer ${token}` } }).then((r) => r.json()), [made.token, machineTill]);
  assert.equal((await port()).inserted, 0);
  await page.keyboard.press('Enter');
  await page.getByText('Touch to buy electricity').waitFor();

  // After payment: the answer is lost, the power fails, and the sale goes on by its key.
  await toThePay();
  await page.getByRole('button', { name: 'Pay in cash' }).click();
  await note('50');
  await page.getByText('buys').waitFor();
  const keys = [];
  await page.route('**/api/vend/sales', async (route) => { keys.push(route.request().headers()['idempotency-key']); await route.fetch(); return route.abort(); });
  await page.getByRole('button', { name: 'Buy', exact: true }).click();
  await page.getByText('No answer yet').waitFor();
  await page.unroute('**/api/vend/sales');
  await page.reload();
  await page.getByText('Your token:').waitFor();
  const shown = await token();
  await shoot('machine-token');
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByText('您的购电码').waitFor();
  await shoot('machine-token-zh');
  await page.getByRole('button', { name: '完成' }).click();
  await page.getByText('Touch to buy electricity').waitFor();
  assert.equal((await sold(machineTill)).length, before + 1);
  const text = await page.locator('body').innerText();
  assert.ok(!text.includes(shown) && !text.includes(meter) && !text.includes('••'), 'nothing of the last customer is left');
  assert.ok(!(await page.evaluate(() => JSON.stringify(localStorage))).includes(meter));

  // A note that comes in between the price and the purchase is not taken: the port is closed first.
  const person = (act, amount = 0) => page.evaluate(([token, terminal, what, sum]) => fetch('/api/vend/ports/person', { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ terminal, act: what, amount: sum }) }).then((r) => r.status), [made.token, machineTill, act, amount]);
  await toThePay();
  await page.getByRole('button', { name: 'Pay in cash' }).click();
  await note('50');
  await page.getByText('buys').waitFor();
  let late = 0;
  await page.route('**/api/vend/ports/take', async (route) => { late = await person('insert', 2000); return route.continue(); });
  await page.getByRole('button', { name: 'Buy', exact: true }).click();
  await page.getByText('Your token:').waitFor();
  await page.unroute('**/api/vend/ports/take');
  assert.equal(late, 409);
  assert.equal((await sold(machineTill))[0].tender, 5000);
  assert.equal((await port()).inserted, 0);
  await page.keyboard.press('Enter');
  await page.getByText('Touch to buy electricity').waitFor();

  // A card that is held to the reader while the customer cancels has paid: the sale is made.
  await toThePay();
  await page.getByRole('button', { name: 'Pay by card' }).click();
  await page.getByText('Hold your card').waitFor();
  await page.route('**/api/vend/ports/close', async (route) => {
    assert.equal(await person('card'), 204);
    await page.getByText('Your token:').waitFor();  // the page's own look at the card finds it first, and the cancel then
    return route.continue();
  });
  await page.keyboard.press('Escape');
  await page.getByText('Your token:').waitFor();
  await page.unrouteAll({ behavior: 'wait' });
  await page.waitForTimeout(700);  // whatever the cancel does now, the token stays
  await page.getByText('Your token:').waitFor();
  assert.equal((await sold(machineTill))[0].pay_type, 'card');
  await page.keyboard.press('Enter');
  await page.getByText('Touch to buy electricity').waitFor();

  // Somebody between the page and vending answers 404: that is no refusal, and the paid order goes on.
  await toThePay();
  await page.getByRole('button', { name: 'Pay by card' }).click();
  await page.route('**/api/vend/sales', (route) => route.fulfill({ status: 404, contentType: 'text/html', body: 'no route' }));
  await page.getByRole('button', { name: 'card', exact: true }).click();
  await page.getByText('No answer yet').waitFor();
  await page.unroute('**/api/vend/sales');
  await page.getByText('Your token:').waitFor();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByText('Touch to buy electricity').waitFor();

  // A card that is refused pays nothing; one that is accepted pays once.
  await toThePay();
  await page.getByRole('button', { name: 'Pay by card' }).click();
  await page.getByRole('button', { name: 'refused card' }).click();
  await page.getByText('The card was refused').waitFor();
  await page.keyboard.press('Enter');
  await toThePay();
  await page.getByRole('button', { name: 'Pay by card' }).click();
  await page.getByRole('button', { name: 'card', exact: true }).click();
  await page.getByText('Your token:').waitFor();
  assert.equal((await sold(machineTill))[0].pay_type, 'card');
  assert.equal((await sold(machineTill)).length, before + 5);
  await page.keyboard.press('Enter');
  await page.getByText('Touch to buy electricity').waitFor();
});

test('machine: an idle customer is sent back to the start with his money, and so is the token after its time', { timeout: 240_000 }, async () => {
  await page.keyboard.press('Enter');
  await page.keyboard.type(meter);
  await page.keyboard.press('Enter');
  await page.getByText('Is this your meter?').waitFor();
  await page.getByRole('button', { name: /More time/ }).waitFor({ timeout: 60_000 });
  await shoot('machine-idle');
  await page.getByText('Touch to buy electricity').waitFor({ timeout: 30_000 });
  assert.ok(!(await page.locator('body').innerText()).includes('••'));
});
