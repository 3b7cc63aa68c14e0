// One Chromium of Debian's, with a profile of its own that is gone afterwards; nothing it does leaves this machine.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const base = process.env.BASE_URL ?? 'http://127.0.0.1:8080';
const user = process.env.CONSOLE_USER ?? process.env.USER ?? 'demo', password = process.env.PASSWORD ?? 'demo';

/// A page, and the list of what the browser complained about: script errors, refused content, failed requests of our own files.
export async function open(theme = 'day', size = { width: 1440, height: 900 }) {
  const profile = mkdtempSync(join(tmpdir(), 'wattmesh-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, baseURL: base, viewport: size, colorScheme: theme === 'dark' ? 'dark' : 'light',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'],
  });
  const page = context.pages()[0] ?? (await context.newPage()), faults = [];
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
  page.on('console', (message) => { if (message.type() === 'error' && !/status of (401|404|409|50[234])/.test(message.text())) faults.push(`console: ${message.text()}`); });
  page.on('request', (request) => { if (!request.url().startsWith(base) && !/^(data|blob|about|ws):/.test(request.url())) faults.push(`foreign request: ${request.url()}`); });
  const close = context.close.bind(context);
  return { browser: { close: async () => { await close(); rmSync(profile, { recursive: true, force: true }); } }, context, page, faults };
}

/// After a test: what the browser complained about, and, where the test failed, what the page showed then (Node 20 says whether it did).
export async function lookBack(t, page, faults, mayComplain = /$^/) {
  if (t.passed === false && !page.isClosed()) {
    const name = t.name.replace(/[^a-z]+/gi, '-').slice(0, 60);
    await page.screenshot({ path: `${process.env.SHOTS ?? 'shots'}/failed-${name}.png` }).catch(() => {});
    const seen = await page.evaluate(() => [location.href, document.activeElement?.outerHTML.slice(0, 120), document.body.innerText.slice(0, 1500)].join('\n')).catch(String);
    console.error(`# when "${t.name}" failed the page was\n${seen.replace(/^/gm, '#   ')}`);
  }
  assert.deepEqual(faults.splice(0).filter((fault) => !mayComplain.test(fault)), [], 'the browser complained');
}

export async function signIn(page, name = user, secret = password) {
  await page.goto('/');
  await page.getByLabel('User').fill(name);
  await page.getByLabel('Password').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}
