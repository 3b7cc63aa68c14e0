// The alarms page at work, against the stand-in fixture.mjs, which raises alarms when it is told to: what is under test is the page.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const port = Number(process.env.FIXTURE_PORT ?? 9591);
process.env.BASE_URL = `http://127.0.0.1:${port}`;
const { lookBack, open, signIn } = await import('./browser.mjs');
const shots = process.env.SHOTS ?? 'shots';
let fixture, opened, page;

before(async () => {
  mkdirSync(shots, { recursive: true });
  fixture = spawn(process.execPath, [fileURLToPath(new URL('fixture.mjs', import.meta.url)), String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => fixture.stdout.once('data', resolve));
  opened = await open();
  page = opened.page;
  await signIn(page, 'demo', 'demo');
});
after(async () => { await opened?.browser.close(); fixture?.kill(); });
afterEach((t) => lookBack(t, page, opened.faults));

const rows = () => page.locator('tr[data-alarm]');
const raise = (add, priority = 'high') => page.evaluate(([n, p]) => fetch(`/api/fixture/raise?add=${n}&priority=${p}`, { method: 'POST' }).then(() => undefined), [add, priority]);

test('alarms: g a opens them, the worst first, each with shape and letter, and the shell counts them', async () => {
  await page.locator('h1').click();
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await page.getByRole('heading', { name: 'Alarms' }).waitFor();
  await rows().first().waitFor();
  assert.match(await rows().first().innerText(), /Power cut/);
  assert.equal(await rows().first().getByRole('img', { name: 'high priority' }).locator('rect').count(), 1, 'a square');
  assert.equal(await rows().first().locator('svg text').textContent(), 'H');
  assert.equal(await rows().filter({ hasText: 'Concentrator offline' }).locator('svg path').count(), 1, 'a triangle');
  assert.match(await page.locator('nav .badge').innerText(), /\b3$/);
  await page.screenshot({ path: `${shots}/alarms.png` });
});

test('alarms: the object is two clicks away', async () => {
  await page.goto('/');
  await page.getByRole('link', { name: 'Alarms', exact: false }).first().click();
  await rows().first().locator('.object a').click();
  await page.waitForURL(/\/concentrators\/900000000001/);
});

test('alarms: a acknowledges the opened one, s shelves the chosen ones with a reason', async () => {
  await page.goto('/alarms');
  await rows().first().locator('.open').click();
  await page.getByText('Compare with planned work').waitFor();
  await page.keyboard.press('a');
  await rows().first().filter({ hasText: 'acknowledged' }).waitFor();
  await page.keyboard.press('Escape');
  const other = rows().filter({ hasText: 'Aggregates behind' });
  await other.getByRole('checkbox').check();
  await page.keyboard.press('s');
  await page.getByLabel('Reason').fill('index is being built');
  await page.keyboard.press('Enter');
  await other.filter({ hasText: 'shelved' }).waitFor();
  await page.getByRole('button', { name: /^Shelved/ }).click();
  await page.waitForURL(/state=shelved/);
  assert.equal(await rows().count(), 2);
});

test('alarms: a flood neither moves the list under the reader nor makes the page slow', async () => {
  await page.goto('/alarms');
  await raise(60, 'low');
  await page.waitForFunction(() => document.querySelectorAll('tr[data-alarm]').length > 50);
  await page.locator('#content').evaluate((element) => element.scrollTo(0, 400));
  const mark = rows().nth(20);
  const id = await mark.getAttribute('data-alarm'), place = (await mark.boundingBox()).y;
  for (let i = 0; i < 5; ++i) { await raise(30); await page.waitForTimeout(150); }
  await page.getByRole('button', { name: '150 new: show' }).waitFor();
  const still = page.locator(`tr[data-alarm="${id}"]`);
  const now = (await still.boundingBox()).y;
  assert.ok(Math.abs(now - place) < 1, `the row that was being read stays where it was: ${place}, now ${now}`);
  const began = Date.now();
  await page.getByRole('button', { name: '150 new: show' }).click();
  await page.waitForFunction(() => document.querySelectorAll('tr[data-alarm]').length === 200);
  assert.ok(Date.now() - began < 5000, 'shown in a moment');
  assert.match(await rows().first().innerText(), /Raised later/);
});

test('alarms: both themes, desk and phone', async () => {
  for (const theme of ['day', 'dark'])
    for (const [width, height] of [[1440, 900], [390, 844]]) {
      await page.setViewportSize({ width, height });
      await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, theme);
      await page.goto('/alarms?state=');
      await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, theme);
      await page.getByRole('button', { name: 'Conduct' }).click();
      await page.getByText('about 5 / 15 / 80').waitFor();
      await rows().first().locator('.open').click();
      await page.waitForTimeout(400);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out sideways');
      await page.screenshot({ path: `${shots}/alarms-${theme}-${width}.png` });
    }
});
