// Pictures of every page: node shots.mjs; BASE_URL, USER_NAME or USER, PASSWORD, SHOTS (folder), THEME (day, dark) from the environment.
import { mkdirSync } from 'node:fs';
import { open, signIn } from './browser.mjs';

const shots = process.env.SHOTS ?? 'shots', theme = process.env.THEME ?? 'day';
mkdirSync(shots, { recursive: true });
const { browser, page, faults } = await open(theme);
await page.goto('/');
await page.getByLabel('User').waitFor();
await page.screenshot({ path: `${shots}/login-${theme}.png` });
await signIn(page);
await page.waitForTimeout(3500);
const shoot = async (name) => { await page.waitForTimeout(900); await page.screenshot({ path: `${shots}/${name}-${theme}.png` }); };
await shoot('overview');
const { items } = await page.evaluate(() => fetch('/api/concentrators').then((r) => r.json()));
const unit = items[0].number;
const { nodes } = await page.evaluate((n) => fetch(`/api/concentrators/${n}/topology`).then((r) => r.json()), unit);
const deep = nodes.filter((n) => n.role === 'customer').sort((a, b) => b.hops - a.hops)[0].number;
const today = (await page.evaluate(() => fetch('/api/overview').then((r) => r.json()))).day;
for (const [name, path] of [['completeness', `/completeness/${unit}/${today}`], ['concentrators', '/concentrators'], ['concentrator', `/concentrators/${unit}`], ['topology', `/concentrators/${unit}/topology?meter=${deep}`], ['balance', `/concentrators/${unit}/balance`], ['meters', '/meters'], ['meter', `/meters/${deep}`], ['quarantine', '/quarantine'], ['alarms', '/alarms'], ['clocks', '/clocks'], ['parameters', '/parameters'], ['network', '/network/feeder/F-1'], ['transformer', '/network/transformer/TX-1'], ['losses', '/losses'], ['outages', '/outages'], ['interfaces', '/interfaces'], ['system', '/system'], ['jobs', '/jobs'], ['audit', '/audit'], ['users', '/users'], ['account', '/account']]) {
  await page.goto(path);
  await page.locator('h1').waitFor();
  await page.waitForTimeout(1200);
  if (name === 'meter') { await page.getByRole('button', { name: 'Read', exact: true }).click(); await page.waitForTimeout(2500); }
  await shoot(name);
}
await browser.close();
if (faults.length) { console.error(faults.join('\n')); process.exit(1); }
