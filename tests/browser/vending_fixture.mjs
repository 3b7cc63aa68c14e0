// A stand-in for the vending role, for work on its pages alone: invented answers in the shape of headend/vending/openapi.yaml.
// node vending_fixture.mjs [PORT]; log-in till / till, machine token wm_machine. Proofs run against the real one: see vending.test.mjs.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const pages = fileURLToPath(new URL('../../headend/console/web/dist', import.meta.url));
const port = Number(process.argv[2] ?? 8098);
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const iso = (ms) => new Date(ms).toISOString();
let shift = null, password = 'till', owed = 12_000;
const sales = [], byKey = new Map(), payments = new Map();
let inserted = 0, card = '';
const meter = () => ({ meter: '01000000012', blocked: null, vending_key: '201457/1', tariff_index: 1, account: 'A17', customer: 'A•• R••', address: '•• M•• R••', tariff: 'Domestic', tender_min: 500, tender_max: 100_000, bought_this_month: '126.4', free_units_due: '50.0', key_changed: null, last_purchase: { at: iso(Date.now() - 9e8), tender: 5000, units: '19.4' }, debts: [{ debt: 1, name: 'arrears 2025', recovery: 'percent', balance: owed }] });
const priced = (tender) => {
  const fee = 150, debt = Math.min(owed, Math.floor(tender / 10)), net = tender - fee - debt, units = Math.floor(net / 24.5) / 10 * 10 / 10;
  const energy = Math.floor(units * 20 * 10), tax = Math.round(energy * 0.15);
  return { tender, units: (Math.floor(units * 10) / 10).toFixed(1), free_units: '50.0', lines: [{ kind: 'fee', name: 'Corner', amount: fee }, { kind: 'debt', name: 'arrears 2025', amount: debt, debt: 1, balance: owed - debt }, { kind: 'energy', name: 'step 1', amount: energy, units: (Math.floor(units * 10) / 10).toFixed(1), price_mills: 200_000 }, { kind: 'tax', name: 'VAT', amount: tax, base: energy, ppm: 150_000 }, { kind: 'rounding', name: '', amount: net - energy - tax }] };
};
const digits = () => Array.from({ length: 5 }, () => String(Math.floor(Math.random() * 9000) + 1000)).join(' ');

const report = (name, query) => name === 'anomalies'
  ? { title: 'Anomalies of sales, Riverside Power', notes: [`Days ${query.get('from')} to ${query.get('to')}`, '2 to look at'], columns: ['What', 'Time (UTC)', 'Where', 'Detail', 'kWh'], rows: [['night run', iso(Date.now() - 3e7), 'till T1', '24 sales by till in one hour', '812.4'], ['load without purchase', iso(Date.now()), 'meter 01000000012', '21340 Wh used, never bought anything', null]] }
  : { title: 'Sales by day, tariff and vendor, Riverside Power', notes: [`Days ${query.get('from')} to ${query.get('to')}`, 'Paid: R 12 345.00', 'Sold: 4812.3 kWh'], columns: ['Day', 'Tariff', 'Vendor', 'Sales', 'Payments', 'Paid', 'kWh', 'Free kWh', 'Fees', 'Charges', 'Debts', 'Energy', 'Levies', 'Taxes', 'Rounding'], rows: Array.from({ length: 7 }, (_, i) => [iso(Date.now() - i * 864e5).slice(0, 10), 'Domestic', 'Corner', 31 + i, 1, `${1500 + i * 37}.00`, '601.3', '50.0', '45.00', '300.00', '120.50', '902.10', '12.00', '135.40', '0.02']) };

function vend(method, path, query, body, key) {
  const problem = (status, title, detail) => ({ status, body: { title, status, detail } });
  if (path === '/api/vend/desk') return { body: { ready: true, utility: 'Riverside Power', address: '4 Station Square', tax_number: '77-1234', help_line: '0800 111 222', currency: 'R', decimals: 2, simulated_ports: true, tills: [{ terminal: 'T1', vendor: 'Corner', disabled: false, available: 9_123_450, shift }] } };
  if (path === '/api/vend/meters') return { body: { items: [{ meter: '01000000012', account: 'A17', customer: 'A•• R••', address: '•• M•• R••' }, { meter: '01000000020', account: 'A18', customer: 'A•• R••', address: '•• H•• S••' }], more: false } };
  if (method === 'POST' && path.endsWith('/free-units')) {
    const receipt = { sale: sales.length + 101, kind: 'claim', at: iso(Date.now()), vendor: 'Corner', terminal: 'T1', operator: 'till', customer: { number: 'A17', name: 'Asha Rao', address: '17 Mill Road' }, meter: body.meter, tariff: 'Domestic', tariff_version: 1, pay_type: 'none', tender: 0, units: '0.0', free_units: '50.0', lines: [], tokens: [{ kind: 'free', supply_group: '201457', key_revision: 1, tariff_index: 1, units: '50.0', digits: [digits()] }] };
    sales.unshift({ sale: receipt.sale, kind: 'claim', state: 'issued', at: receipt.at, meter: body.meter, tender: 0, units: '0.0', free_units: '50.0', pay_type: 'none', operator: 'till', confirmed: false, copies: 0, delivery: null, receipt });
    return { body: receipt };
  }
  if (path.startsWith('/api/vend/meters/')) return path.endsWith('12') ? { body: meter() } : problem(404, 'unknown_meter', `There is no meter ${path.slice(17)} here.`);
  if (path === '/api/vend/quotes') {
    const tender = body.tender ?? Math.max(500, Math.ceil(Number(body.units) * 27 + 200));
    return tender < 500 ? problem(422, 'tender', 'The least that buys something here now is R 5.00.') : { body: { meter: body.meter, customer: 'A•• R••', address: '•• M•• R••', ...priced(tender), vendor_credit: 9_123_450 } };
  }
  if (method === 'POST' && (path === '/api/vend/sales' || path === '/api/vend/payments')) {
    if (!byKey.has(key)) {
      const price = path.endsWith('payments') ? { tender: body.tender, units: '0.0', free_units: '0.0', lines: [] } : priced(body.tender), key1 = { supply_group: '201457', key_revision: 1, tariff_index: 1 };
      const receipt = { sale: sales.length + 101, kind: path.endsWith('payments') ? 'payment' : 'sale', at: iso(Date.now()), vendor: 'Corner', terminal: 'T1', operator: 'till', customer: { number: 'A17', name: 'Asha Rao', address: '17 Mill Road' }, meter: body.meter, tariff: 'Domestic', tariff_version: 1, pay_type: body.pay_type, ...price, tokens: price.units === '0.0' ? [] : [{ kind: 'credit', ...key1, units: price.units, digits: [digits()] }, { kind: 'free', ...key1, units: price.free_units, digits: [digits()] }], delivery: { meter: '540000000002', notice: 'The tokens are also sent to the meter. If supply was off it may come back by itself at any moment: switch off what must not run unattended. A token that was typed in is not taken twice.' } };
      sales.unshift({ sale: receipt.sale, kind: receipt.kind, state: 'issued', at: receipt.at, meter: receipt.meter, tender: receipt.tender, units: receipt.units, free_units: receipt.free_units, pay_type: body.pay_type, operator: 'till', confirmed: false, copies: 0, delivery: 'waiting', receipt });
      byKey.set(key, receipt);
    }
    return { body: byKey.get(key) };
  }
  if (path === '/api/vend/sales') return { body: { items: sales.map(({ receipt, ...line }) => line) } };
  const sale = sales.find((one) => path.startsWith(`/api/vend/sales/${one.sale}`));
  if (sale && path.endsWith('/confirm')) { sale.confirmed = true; return { status: 204 }; }
  if (sale && path.endsWith('/copy')) return { body: { copy: ++sale.copies, receipt: sale.receipt } };
  if (sale && path.endsWith('/reverse') && sale.confirmed) return problem(403, 'Not allowed', 'A sale that was confirmed, copied or is older than ten minutes is reversed by a supervisor.');
  if (sale && path.endsWith('/reverse')) { sale.state = 'reversed'; return { status: 204 }; }
  if (sale && path.endsWith('/receipt')) return query.get('as') === 'pdf' ? { text: '%PDF-1.3', type: 'application/pdf' } : { text: `Riverside Power: ${sale.units} kWh, meter ${sale.meter}. ${sale.receipt.tokens.map((token) => `Token: ${token.digits[0]}.`).join(' ')}` };
  if (sale) return { body: { sale: sale.sale, state: sale.state, receipt: sale.receipt, delivery: null } };
  if (path === '/api/vend/shifts') { shift = { shift: 1, operator: 'till', opened: iso(Date.now()) }; return { status: 201, body: shift }; }
  if (path === '/api/vend/shifts/close') { const closed = { ...shift, closed: iso(Date.now()), expected: 15_000, counted: body.counted, difference: body.counted - 15_000 }; shift = null; return { body: closed }; }
  if (path.startsWith('/api/vend/reports/')) return { body: report(path.split('/').pop(), query) };
  if (path === '/api/vend/ports') return { body: { inserted, state: payments.get(query.get('key')) ?? 'none' } };
  if (path === '/api/vend/ports/open') { inserted = 0; card = body.kind === 'card' ? body.key : ''; return { status: 204 }; }
  if (path === '/api/vend/ports/person') { if (body.act === 'insert') inserted += body.amount; else payments.set(card, body.act === 'card' ? 'taken' : 'refused'); return { status: 204 }; }
  if (path === '/api/vend/ports/take') { payments.set(body.key, 'taken'); inserted = 0; return { body: { state: 'taken' } }; }
  if (path === '/api/vend/ports/back') { inserted = 0; return { status: 204 }; }
  if (path === '/api/vend/ports/refund') { payments.set(body.key, 'refunded'); return { status: 204 }; }
  return problem(404, 'Not found', `There is nothing at ${path}.`);
}

createServer((request, response) => {
  const url = new URL(request.url, 'http://x'), signedIn = (request.headers.cookie ?? '').includes('wattmesh_vending=till') || request.headers.authorization === 'Bearer wm_machine';
  const send = (status, body, headers = {}) => { response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Security-Policy': csp, 'Cache-Control': 'no-store', ...headers }); response.end(body === undefined ? '' : JSON.stringify(body)); };
  if (!url.pathname.startsWith('/api/')) {
    let file = join(pages, url.pathname);
    if (url.pathname === '/' || !existsSync(file)) file = join(pages, 'counter.html');
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': csp });
    return response.end(readFileSync(file));
  }
  let text = '';
  request.on('data', (chunk) => (text += chunk)).on('end', () => {
    const body = text ? JSON.parse(text) : {}, me = { user: 'till', name: 'Till', role: 'vendor', rights: ['vend', 'vend_manage'], csrf: 'x', clock: { now: iso(Date.now()), speed: 1 } };
    if (url.pathname === '/api/login') return body.password === password ? send(200, me, { 'Set-Cookie': 'wattmesh_vending=till; Path=/; HttpOnly; SameSite=Strict' }) : send(401, { title: 'Sign-in failed', status: 401, detail: 'User name or password is wrong.' });
    if (!signedIn) return send(401, { title: 'Not signed in', status: 401, detail: 'Sign in first.' });
    if (url.pathname === '/api/me') return send(200, me);
    if (url.pathname === '/api/tokens') return request.method === 'POST' ? send(201, { token: 'wm_machine' }) : send(200, { items: [] });
    if (url.pathname === '/api/password') { password = body.password; return send(204, undefined, { 'Set-Cookie': 'wattmesh_vending=; Path=/; Max-Age=0' }); }
    const answer = vend(request.method, url.pathname, url.searchParams, body, request.headers['idempotency-key']);
    if (answer.text) { response.writeHead(200, { 'Content-Type': answer.type ?? 'text/plain; charset=utf-8' }); return response.end(answer.text); }
    return send(answer.status ?? 200, answer.body);
  });
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/  till / till`));
