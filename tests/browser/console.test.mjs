// One test per page against a running head-end with a town: BASE_URL, CONSOLE_USER (or USER), PASSWORD, SHOTS from the environment.
// Pages are compared with what the API says at the same time; a script error, refused content or foreign request fails the run.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { open, signIn } from './browser.mjs';

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
afterEach(() => assert.deepEqual(faults.splice(0), [], 'the browser complained'));

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

test('quarantine: lists what was not trusted, or says that nothing was', async () => {
  await page.goto('/quarantine');
  await page.locator('tbody tr').first().waitFor();
  const { items } = await api('/api/quarantine');
  assert.equal(await page.locator('tbody tr').count(), Math.max(1, items.length));
  await shoot('quarantine');
});

test('power cuts: the list is the one of the API', async () => {
  await page.goto('/outages');
  await page.locator('tbody tr').first().waitFor();
  await eventually('rows', async () => {
    const { items } = await api('/api/outages');
    assert.equal(await page.locator('tbody tr').count(), Math.max(1, items.length));
    if (items.length) assert.match(await page.locator('tbody tr').first().innerText(), new RegExp(`\\b${items[0].reported}\\b`));
  });
  await shoot('outages');
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
