// One test per page against a running head-end with a town: BASE_URL, CONSOLE_USER (or USER), PASSWORD, SHOTS from the environment.
// Pages are compared with what the API says at the same time; a script error, refused content or foreign request fails the run.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { lookBack, open, signIn } from './browser.mjs';

const shots = process.env.SHOTS ?? 'shots';
const slow = Number(process.env.PATIENCE_MS ?? 90_000);
let opened, page, faults, unit, deep;

const api = (path) => page.evaluate((p) => fetch(p).then((r) => r.json()), path);
const spaced = (number) => new RegExp(number.replace(/(\d{4})(?=\d)/g, '$1\\s?'));
const shoot = (name) => page.screenshot({ path: `${shots}/${name}.png` });
/// Tries again until it holds: the town lives on while we look.
async function eventually(what, check) {
  const until = Date.now() + 20_000;
  for (;;) {
    try { return await check(); } catch (fault) { if (Date.now() > until) throw new Error(`${what}: ${fault.message}`); }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

before(async () => {
  mkdirSync(shots, { recursive: true });
  opened = await open();
  ({ page, faults } = opened);
});
after(() => opened?.browser.close());
afterEach((t) => lookBack(t, page, faults));

test('log-in: a wrong password is refused in words, the right one opens the overview', async () => {
  await page.goto('/');
  await page.getByLabel('User').fill('demo');
  await page.getByLabel('Password').fill('certainly not this');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
  await shoot('login');
  await signIn(page);
  assert.equal(await page.evaluate(() => document.cookie), '', 'scripts must not see the session');
  const { items } = await api('/api/concentrators');
  unit = items.toSorted ? items.toSorted((a, b) => b.joined - a.joined)[0].number : items[0].number;
  const { nodes } = await api(`/api/concentrators/${unit}/topology`);
  deep = nodes.filter((node) => node.state === 'joined' && node.role === 'customer').sort((a, b) => b.hops - a.hops)[0]?.number;
  assert.ok(deep, 'the town has a joined meter');
});

test('overview: counts are those of the API, the push link is live', async () => {
  await page.goto('/');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  await eventually('tiles', async () => {
    const overview = await api('/api/overview');
    const tiles = await page.locator('.tile .value').allInnerTexts();
    assert.match(tiles[0], new RegExp(`^${overview.concentrators.online}\\s+of\\s+${overview.concentrators.known}$`));
    assert.match(tiles[1], new RegExp(`^${overview.meters.joined}\\s+of\\s+${overview.meters.known}$`));
    assert.equal(await page.locator('table tbody tr').count(), overview.items.length);
  });
  await shoot('overview');
});

test('alarms: the page shows those of the API, and an acknowledgement reaches the store', async () => {
  await page.goto('/alarms');
  await page.getByRole('heading', { name: 'Alarms' }).waitFor();
  const rows = page.locator('tr[data-alarm]');
  const { items } = await api('/api/alarms');
  await eventually('alarms', async () => assert.equal(await rows.count(), (await api('/api/alarms')).items.length));
  const first = items.find((alarm) => alarm.state === 'unacked');
  if (first) {
    await page.locator(`tr[data-alarm="${first.id}"] .open`).click();
    await page.getByText(first.guidance.slice(0, 30)).waitFor();
    await page.keyboard.press('a');
    await eventually('acknowledged', async () => assert.equal((await api(`/api/alarms/${first.id}`)).alarm.acked_by, 'demo'));
  }
  await shoot('alarms-real');
});

test('completeness: a number opens the meters behind it, and its address can be pasted', async () => {
  await page.goto('/completeness');
  const cell = page.locator('.cell a').last();
  await cell.waitFor();
  assert.match(await cell.innerText(), /^\d+(\.\d)?$/);
  await cell.click();
  await page.getByLabel('Meters with missing intervals').waitFor();
  const address = page.url();
  const [, number, day] = address.match(/completeness\/(\d{12})\/([\d-]{10})/);
  await page.goto('/');
  await page.goto(address);
  await page.getByLabel('Meters with missing intervals').waitFor();
  await eventually('missing meters', async () => {
    const detail = await api(`/api/completeness/${number}/${day}`);
    const rows = page.getByLabel('Meters with missing intervals').locator('tbody tr');
    assert.equal(await rows.count(), detail.meters.length);
  });
  await shoot('completeness');
});

test('meters: search narrows the list, / and Enter open a meter', async () => {
  await page.goto('/meters');
  await page.locator('tbody tr').first().waitFor();
  await page.getByLabel('Search meters').fill(deep.slice(-5));
  await eventually('search', async () => assert.equal(await page.locator('tbody tr').count(), (await api(`/api/meters?limit=50&search=${deep.slice(-5)}`)).items.length));
  await shoot('meters');
  await page.locator('h1').click();
  await page.keyboard.press('/');
  await page.keyboard.type(deep);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: spaced(deep) }).waitFor();
  assert.ok(page.url().endsWith(`/meters/${deep}`));
});

test('search: the end of a number, a customer, a transformer and a pasted list lead to what they name', async () => {
  await page.goto('/');
  const field = page.getByRole('combobox', { name: 'Search' });
  const { items } = await api(`/api/search?q=${deep.slice(-6)}`);
  assert.equal(items[0].number, deep);
  await page.keyboard.press('Control+k');
  await field.pressSequentially(deep.slice(-6));
  await page.getByRole('option').filter({ hasText: spaced(deep) }).first().waitFor();
  await shoot('search');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: spaced(deep) }).waitFor();
  const { site } = await api(`/api/meters/${deep}`);
  const transformer = site.path.find((node) => node.kind === 'transformer').number;
  await field.fill(transformer);
  await page.getByRole('option').filter({ hasText: 'Transformer' }).first().waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/network/transformer/${transformer}`);
  await field.fill('no such thing at all');
  await page.getByText('Nothing has').waitFor();
  await page.keyboard.press('Escape');

  const list = `${deep}\n${deep},again\n\n999999999999`;
  await field.focus();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData('text', text);
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, list);
  await page.getByRole('heading', { name: 'A list of meters' }).waitFor();
  await page.getByText('1 of 4 rows found').waitFor();
  await page.getByText('stands in row 1 already').waitFor();
  await page.getByText('The row is blank').waitFor();
  await page.getByText('No meter 999999999999 that you may see').waitFor();
  await shoot('list');
});

test('meter: plate, curve, channels, days and table', async () => {
  await page.goto(`/meters/${deep}`);
  const canvas = page.locator('canvas').first();
  await canvas.waitFor();
  const drawn = () => canvas.evaluate((c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((octet, i) => i % 4 === 3 && octet > 0));
  await eventually('curve', async () => assert.ok(await drawn()));
  await page.getByText('WM-SIM').first().waitFor();
  await page.getByRole('button', { name: 'Reactive import' }).click();
  await page.getByText('Mean reactive power').first().waitFor();
  assert.match(page.url(), /channel=3/);
  await page.getByRole('button', { name: 'Active import', exact: true }).click();
  await page.getByRole('button', { name: 'Table' }).click();
  const day = await page.getByLabel('Day', { exact: true }).inputValue();
  await eventually('table', async () => {
    const end = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
    const curve = await api(`/api/meters/${deep}/curve?from=${day}T00:00:00Z&to=${end}T00:00:00Z&channel=1`);
    assert.equal(await page.locator('.list tbody tr').count(), curve.at.length);
  });
  await shoot('meter');
  await page.locator('h1').click();
  await page.keyboard.press('[');
  await page.waitForURL(/day=\d{4}-\d\d-\d\d/);
  assert.notEqual(await page.getByLabel('Day', { exact: true }).inputValue(), day);
});

test('read now: the deepest meter answers with value, unit, time and route', { timeout: slow * 3 }, async () => {
  await page.goto(`/meters/${deep}`);
  const read = page.getByRole('button', { name: 'Read', exact: true });
  // A radio may fail once; the page says why and the operator asks again.
  for (let i = 0; i < 3; ++i) {
    await read.click();
    await page.getByRole('button', { name: 'Reading …' }).waitFor({ state: 'visible', timeout: 2_000 }).catch(() => {});
    await read.waitFor({ timeout: slow });
    if (await page.locator('li .line b').count()) break;
  }
  await page.locator('li .line b').first().waitFor();
  assert.match(await page.locator('li .line b').first().innerText(), /\d.*Wh$/);
  assert.match(await page.locator('li p').first().innerText(), /\d ms by concentrator/);
  await shoot('read');
});

test('topology: every joined meter is in the tree; a line shows its route', async () => {
  await page.goto(`/concentrators/${unit}/topology?meter=${deep}`);
  await page.locator('tr[data-line]').first().waitFor();
  await eventually('tree', async () => {
    const { nodes } = await api(`/api/concentrators/${unit}/topology`);
    assert.equal(await page.locator('tr[data-line]').count(), nodes.filter((node) => ['joined', 'suspect'].includes(node.state)).length);
    const route = nodes.find((node) => node.number === deep).route;
    assert.equal(await page.locator('.route li').count(), route.length + 2);
  });
  await shoot('topology');
  const all = await page.locator('tr[data-line]').count();
  await page.getByRole('button', { name: 'Close all' }).click();
  await eventually('fold', async () => assert.ok((await page.locator('tr[data-line]').count()) < all));
  await page.locator('tr[data-line]').first().focus();
  await page.keyboard.press('ArrowDown');
  assert.ok(await page.locator('tr[data-line]').nth(1).evaluate((row) => row === document.activeElement));
});

test('mesh: how it hangs together, and what it does not reach', async () => {
  const shape = await api(`/api/concentrators/${unit}/mesh`);
  await page.goto(`/concentrators/${unit}/mesh`);
  await page.getByRole('heading', { name: 'Where a repeater would help' }).waitFor();
  await page.getByRole('heading', { name: `Not reached by any route: ${shape.unreached.length} of ${shape.nodes}` }).waitFor();
});

test('balance: totals are those of the API', async () => {
  await page.goto(`/concentrators/${unit}/balance`);
  await page.getByRole('heading', { name: 'Energy per 15 minutes' }).waitFor();
  await eventually('totals', async () => {
    const balance = await api(`/api/concentrators/${unit}/balance`);
    assert.match(await page.locator('.tile .value').last().innerText(), new RegExp(`^${balance.totals.complete}\\s+of\\s+${balance.intervals.length}$`));
    assert.equal(balance.totals.loss_wh, balance.totals.supplied_wh - balance.totals.consumed_wh);
  });
  await shoot('balance');
});

test('concentrator: its settings are confirmed, its journal moves', async () => {
  await page.goto(`/concentrators/${unit}`);
  await page.getByText('Meter list').waitFor();
  const detail = await api(`/api/concentrators/${unit}`);
  assert.ok(detail.journals.length > 0);
  assert.equal(await page.locator('section').nth(1).locator('tbody tr').count(), detail.objects.length);
  await shoot('concentrator');
});

test('trace: what goes over a concentrator\'s link, layer by layer, and as a capture', async () => {
  const { items } = await api('/api/concentrators');
  const number = items[0].number;
  await page.goto(`/concentrators/${number}/trace`);
  const lines = page.getByRole('option');
  await lines.nth(3).waitFor();
  const { items: records } = await api(`/api/concentrators/${number}/trace?limit=1000`);
  assert.ok(records.some((one) => one.kind === 'sent') && records.some((one) => one.kind === 'received'));
  await page.getByLabel('Only lines with').fill('get-request');
  await eventually('filter', async () => assert.match(await lines.first().innerText(), /get-request/));
  await lines.first().click();
  await page.getByRole('heading', { name: 'To the device' }).waitFor();
  assert.match(await page.locator('pre.tree').innerText(), /wrapper from/);
  assert.match(await page.locator('pre.hex').innerText(), /^00 01 /);
  await shoot('trace');
  await page.keyboard.press('ArrowDown');
  await page.getByLabel('Only lines with').fill('nothing says this');
  await page.getByText('No line has').waitFor();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Capture for Wireshark' }).click();
  const file = await (await download).path();
  assert.equal(readFileSync(file).subarray(0, 4).toString('hex'), '0a0d0d0a');
});

test('quarantine: lists what was not trusted, or says that nothing was', async () => {
  await page.goto('/quarantine');
  await page.locator('tbody tr').first().waitFor();
  const { items } = await api('/api/quarantine');
  assert.equal(await page.locator('tbody tr').count(), Math.max(1, items.length));
  await shoot('quarantine');
});

test('power cuts: the lists are those of the API', async () => {
  await page.goto('/outages');
  const last = page.locator('table').last();
  await last.locator('tbody tr').first().waitFor();
  await eventually('rows', async () => {
    const { items, transformers } = await api('/api/outages');
    assert.equal(await page.locator('table').first().locator('tbody tr').count(), Math.max(1, transformers.length));
    assert.equal(await last.locator('tbody tr').count(), Math.max(1, items.length));
    if (items.length) assert.match(await last.locator('tbody tr').first().innerText(), new RegExp(`\\b${items[0].reported}\\b`));
  });
  await shoot('outages');
});

test('interfaces: a partner, that he is told, and the files he got', async () => {
  await page.goto('/interfaces');
  const partner = page.getByRole('region', { name: 'Partner mis' });
  await partner.waitFor();
  await partner.getByRole('row').filter({ hasText: 'main' }).getByText('is told').waitFor({ timeout: slow });
  const { partners: [said] } = await api('/api/partners');
  assert.equal(said.webhooks[0].attempts, 0);
  assert.equal(JSON.stringify(said).includes('whsec'), false, 'no secret leaves');
  const [file] = said.files[0].newest;
  assert.match(file.name, /^AMI_WATTMESH_mis_INTERVAL_\d{8}_\d{6}_v\d+\.csv$/);
  await partner.getByText(file.name).waitFor();
  await shoot('interfaces');
});

test('meter: how it was reached at an instant', async () => {
  await page.goto(`/meters/${deep}`);
  const { clock } = await api('/api/me');
  await page.getByLabel('Instant, UTC').fill(clock.now.slice(0, 16));
  await page.getByRole('button', { name: 'Look' }).click();
  await page.locator('.found').waitFor();
  const place = await api(`/api/meters/${deep}/route?at=${clock.now.slice(0, 16)}:00Z`);
  const text = (await page.locator('.found').innerText()).replace(/\s/g, '');
  for (const relay of place.route ?? []) assert.ok(text.includes(relay), `${relay} in ${text}`);
  await shoot('route-at');
});

test('jobs: many meters are read, their values are those of the API; a report comes as a file', async () => {
  await page.goto('/jobs');
  const { items } = await api('/api/meters?limit=3');
  const wanted = items.filter((meter) => meter.role === 'customer').slice(0, 2).map((meter) => meter.number);
  await page.getByLabel('Meters, or one concentrator').fill(wanted.join(' '));
  await page.getByLabel('Reason').fill('browser test');
  await page.getByRole('button', { name: 'Order' }).click();
  await page.getByRole('heading', { name: /^Read .* of 2 meters$/ }).waitFor();
  const id = new URL(page.url()).pathname.split('/').pop();
  await page.locator('.chip').filter({ hasText: 'done' }).waitFor({ timeout: slow });
  await eventually('items', async () => {
    const { items: read } = await api(`/api/jobs/${id}/items`);
    const rows = await page.locator('tbody tr').allInnerTexts();
    assert.equal(rows.length, 2);
    read.forEach((item, i) => assert.ok(rows[i].includes(item.detail.replace(/_/g, ' ')), `${item.detail} in ${rows[i]}`));
  });
  await shoot('job');

  await page.goto('/jobs');
  await page.getByRole('combobox', { name: 'As', exact: true }).selectOption('csv');
  await page.getByRole('button', { name: 'Make it' }).click();
  const link = page.getByRole('link', { name: 'Download the file' });
  await link.waitFor({ timeout: slow });
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.match(download.suggestedFilename(), /^energy-[\d-]+\.csv$/);
  const text = readFileSync(await download.path(), 'utf8');
  assert.match(text, /^Meter,Area,Concentrator,Day,Import kWh/);
  await page.goto('/jobs');
  await page.getByText('Daily energies').first().waitFor();
  await shoot('jobs');
});

test('supply: a meter is cut off only after its digits were typed, says so, and is connected again', async () => {
  await page.goto(`/meters/${deep}`);
  await page.getByRole('button', { name: 'Disconnect …' }).click();
  await page.getByLabel('Reason').fill('browser test');
  await page.getByLabel('Last four digits').fill('0000');
  await page.getByRole('button', { name: `Disconnect ${deep}` }).click();
  await page.getByRole('alert').filter({ hasText: 'last four digits' }).waitFor();
  await shoot('disconnect');
  await page.getByLabel('Last four digits').fill(deep.slice(-4));
  await page.getByRole('button', { name: `Disconnect ${deep}` }).click();
  await page.getByText('the meter says disconnected').waitFor({ timeout: slow });
  await shoot('disconnected');
  await page.getByRole('button', { name: 'Reconnect …' }).click();
  await page.getByLabel('Reason').fill('browser test is over');
  await page.getByLabel('Last four digits').fill(deep.slice(-4));
  await page.getByRole('button', { name: `Reconnect ${deep}` }).click();
  await page.getByText(/the meter says (connected|ready for reconnection)/).waitFor({ timeout: slow });
  const { items } = await api(`/api/audit?subject=${deep}`);
  const acts = items.filter((record) => record.action.startsWith('relay'));
  assert.deepEqual(acts.map((record) => [record.action, record.before, record.reason]).reverse().slice(0, 2),
    [['relay disconnect', 'connected', 'browser test'], ['relay reconnect', 'disconnected', 'browser test is over']]);
});

test('jobs: one press stops all switching, in words, and is released', async () => {
  await page.goto('/jobs');
  await page.getByRole('button', { name: 'Stop all switching …' }).click();
  await page.locator('form.press').getByLabel('Reason').fill('wrong list');
  await page.getByRole('button', { name: 'Stop it' }).click();
  await page.getByRole('alert').filter({ hasText: 'wrong list' }).waitFor();
  await shoot('stopped');
  const refused = await page.evaluate(async (n) => {
    const { csrf } = await (await fetch('/api/me')).json();
    const answer = await fetch('/api/relay/orders', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf }, body: JSON.stringify({ verb: 'disconnect', meters: [n], reason: 'x' }) });
    return answer.status;
  }, deep);
  assert.equal(refused, 409);
  await page.getByRole('button', { name: 'Release the stop …' }).click();
  await page.locator('form.press').getByLabel('Reason').fill('list corrected');
  await page.getByRole('button', { name: 'Release it' }).click();
  await page.getByRole('button', { name: 'Stop all switching …' }).waitFor();
});

test('users: one is added in words and changed; the audit log shows who, why, before and after', async () => {
  const login = `guest${Date.now() % 100000}`;
  await page.goto('/users');
  await page.getByRole('button', { name: 'Add a user' }).click();
  await page.getByLabel('Sign-in name').fill(login);
  await page.getByLabel('Full name').fill('A guest');
  await page.getByLabel('Password').fill('long enough to keep');
  await page.getByLabel('Reason').fill('visits the control room');
  await page.getByLabel('Role', { exact: true }).selectOption('viewer');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('row').filter({ hasText: login }).waitFor();
  await page.getByRole('button', { name: `Change ${login}` }).click();
  await page.getByLabel('Reason').fill('went home');
  await page.getByLabel('Disabled').check();
  await shoot('users');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('row').filter({ hasText: login }).filter({ hasText: 'disabled' }).waitFor();

  await page.goto('/audit');
  await page.getByLabel('What').fill(login);
  await page.getByRole('button', { name: 'Show' }).click();
  const change = page.getByRole('row').filter({ hasText: 'went home' });
  await change.waitFor();
  assert.match(await change.innerText(), /was: A guest: viewer\s+is: A guest: viewer, disabled/);
  await page.getByText(/sealed in one chain, which is whole/).waitFor();
  await eventually('seal', async () => {
    await page.reload();
    await page.getByLabel('What').fill(login);
    await page.getByRole('button', { name: 'Show' }).click();
    assert.doesNotMatch(await page.getByRole('row').filter({ hasText: 'went home' }).innerText(), /not sealed/);
  });
  await shoot('audit');
});

test('account: a token for a program works, and no more after it was revoked', async () => {
  await page.goto('/account');
  await page.getByLabel('What it is for').fill('browser test');
  await page.getByRole('button', { name: 'Make a token' }).click();
  const token = await page.locator('code').innerText();
  const ask = () => page.evaluate((t) => fetch('/api/me', { credentials: 'omit', headers: { Authorization: `Bearer ${t}` } }).then((r) => r.status), token);
  assert.equal(await ask(), 200);
  await shoot('account');
  await page.getByRole('button', { name: 'Revoke browser test' }).first().click();
  await page.getByRole('cell', { name: 'revoked' }).first().waitFor();
  assert.equal(await ask(), 401);
  faults.splice(0);  // the browser reports the 401 that was asked for
});

test('network: from the substation to a customer, and a meter leads back to its place', async () => {
  await page.goto('/network');
  await page.getByRole('link', { name: 'SS-1' }).click();
  await page.getByRole('link', { name: 'F-1' }).first().click();
  await page.getByRole('heading', { name: 'Feeder F-1' }).waitFor();
  await shoot('network');
  await page.getByRole('cell').getByRole('link', { name: 'TX-1' }).click();
  await page.getByRole('heading', { name: 'Transformer TX-1' }).waitFor();
  const { items } = await api('/api/network/transformer/TX-1');
  const places = page.locator('a[href^="/network/usage_point/"]');
  await places.first().waitFor();
  assert.equal(await places.count(), items.length);
  await page.goto(`/network/usage_point/${items[0].number}`);
  const place = await api(`/api/network/usage_point/${items[0].number}`);
  await page.getByRole('cell', { name: place.customers[0].customer.name }).waitFor();
  await shoot('usage-point');
  await page.locator(`a[href="/meters/${place.meters[0].meter}"]`).click();
  await page.getByRole('link', { name: items[0].number }).waitFor();
  await page.goto('/losses');
  await page.getByRole('heading', { name: 'Losses by transformer' }).waitFor();
  await shoot('losses');
});

test('network: a list is rehearsed and its wrong lines are named before anything changes', async () => {
  await page.goto('/network');
  await page.getByRole('button', { name: 'Import a list' }).click();
  const list = ['kind,number,name,parent', 'usage_point,UP-new,,TX-1', 'feeder,,x,SS-1', 'feeder,F-9,x,SS-77'].join('\n');
  await page.getByLabel('List', { exact: true }).setInputFiles({ name: 'street.csv', mimeType: 'text/csv', buffer: Buffer.from(list) });
  await page.getByRole('button', { name: 'See what it would do' }).click();
  await page.getByRole('cell', { name: 'field "number" is blank' }).waitFor();
  await page.getByRole('cell', { name: /no substation "SS-77"/ }).waitFor();
  await shoot('assets-import');
  assert.ok((await api('/api/network/transformer/TX-1')).items.every((item) => item.number !== 'UP-new'));
  await page.getByLabel('Reason').fill('browser test');
  await page.getByRole('button', { name: 'Import 1 line of street.csv' }).click();
  await page.getByText('Changed', { exact: true }).waitFor();
  assert.ok((await api('/api/network/transformer/TX-1')).items.some((item) => item.number === 'UP-new'));
});

test('keyboard and theme: g c goes to the board, ? explains, dark is kept', async () => {
  await page.goto('/');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await page.getByRole('heading', { name: 'Completeness' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Dark theme' }).click();
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.locator('.cell').first().waitFor();
  await shoot('completeness-dark');
  await page.getByRole('button', { name: 'Day theme' }).click();
});

test('a page that does not exist and a meter that does not exist say so', async () => {
  await page.goto('/nowhere');
  await page.getByRole('heading', { name: 'No such page' }).waitFor();
  await page.goto('/meters/540099999999');
  await page.getByRole('alert').filter({ hasText: /540099999999|nothing/ }).first().waitFor();
});

test('sign out ends the session', async () => {
  await page.goto('/');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
  assert.equal(await page.evaluate(() => fetch('/api/overview').then((r) => r.status)), 401);
});
